"""Command timeliness: what was due and how it came."""

from datetime import datetime
from typing import Annotated, Any

import typer

from warehouse.cli.output import Json, console, plain, print_json, print_rows
from warehouse.database import Role, engine
from warehouse.settings import get_settings

COLUMNS = (
    "form_code", "period_start", "period_end", "due", "on_time", "late", "empty", "missing", "exempt",
    "reporting_rate", "on_time_rate",
)  # fmt: skip


def timeliness(
    *,
    form: Annotated[str | None, typer.Option(help="Only this form.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only this unit or region (directory code).")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    as_json: Json = False,
) -> None:
    """Count what was due by form and period: on time, late, empty, missing, exempt, and the rates."""
    from ingestion import obligations  # noqa: PLC0415

    found = obligations.timeliness(
        get_settings(),
        engine(Role.LOADER),
        form=form,
        unit=unit,
        from_=first.date() if first else None,
        to=last.date() if last else None,
    )
    rates = ("reporting_rate", "on_time_rate")
    rows: list[dict[str, Any]] = [
        {**plain(one), **{name: getattr(one, name) for name in rates}} for one in found
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        row.update({name: None if row[name] is None else f"{row[name]:.1%}" for name in rates})
    print_rows(rows, COLUMNS, title="Timeliness", empty="Nothing has fallen due.")
    if rows:
        console.print(
            "exempt reports are not due; which reports: warehouse reports --status missing", style="dim"
        )
