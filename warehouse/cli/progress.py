"""A run as it goes on: its stages from the database, shown live on a terminal, line by line elsewhere."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from warehouse.cli.output import console

LABELS = {
    "prepare": "forms, units, what is due",
    "receive": "files of source",
    "rejudge": "files that waited, again",
    "open": "open the candidate",
    "build": "build the star (dbt)",
    "audit": "ask the gate (Great Expectations)",
    "publish": "publish",
    "reject": "take the candidate back",
    "docs": "pages for people:",
    "plan": "plan the reload",
    "rederive": "read stored files again,",
}
MARKS = {"succeeded": ("✓", "green"), "failed": ("✗", "red")}
PAUSE = 0.3

_STAGES = """
select stage, lane, attempt, status, detail ->> 'error' as error,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float as seconds
from warehouse.stage where run_id = :run_id order by started_at, stage, lane
"""


def watch(engine: Engine, run_id: str, ended: Callable[[], bool], *, silent: bool = False) -> None:
    """Show the run's stages until ``ended`` says that it is over."""
    if silent:
        while not ended():
            time.sleep(PAUSE)
    elif console.is_terminal:
        _live(engine, run_id, ended)
    else:
        _lines(engine, run_id, ended)


def _live(engine: Engine, run_id: str, ended: Callable[[], bool]) -> None:
    spinner = Spinner("dots", text="Airflow is starting")
    with Live(spinner, console=console, refresh_per_second=8, transient=False) as live:
        while not (over := ended()):
            rows = _stages(engine, run_id)
            if rows:
                live.update(Group(_table(rows), *([spinner] if _between(rows) else [])))
                spinner.text = Text("…")
            time.sleep(PAUSE)
        if over:
            live.update(_table(_stages(engine, run_id)))


def _lines(engine: Engine, run_id: str, ended: Callable[[], bool]) -> None:
    told: set[tuple[str, str, int]] = set()
    over = False
    while not over:
        over = ended()
        for row in _stages(engine, run_id):
            key = (row["stage"], row["lane"], row["attempt"])
            if row["status"] != "running" and key not in told:
                told.add(key)
                mark, colour = MARKS[row["status"]]
                console.print(
                    f"[{colour}]{mark}[/{colour}] {row['seconds']:6.1f} s  {_label(row)}", highlight=False
                )
        if not over:
            time.sleep(PAUSE)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 1))
    for row in rows:
        mark, colour = MARKS.get(row["status"], ("…", "yellow"))
        table.add_row(Text(mark, style=colour), Text(f"{row['seconds']:.1f} s", justify="right"), _label(row))
    return table


def _label(row: dict[str, Any]) -> str:
    again = f" (try {row['attempt']})" if row["attempt"] > 1 else ""
    return f"{LABELS.get(row['stage'], row['stage'])} {row['lane']}".rstrip() + again


def _between(rows: list[dict[str, Any]]) -> bool:
    return all(row["status"] != "running" for row in rows)


def _stages(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    """Stages of the run; none when the database does not answer at this moment."""
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(_STAGES), {"run_id": run_id}).mappings()]
    except OperationalError:
        return []
