"""The summary that a night ends with, for a person."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from warehouse.airflow import services
from warehouse.airflow.environment import login_file, ui_address
from warehouse.cli.output import console, plain, shown
from warehouse.settings import Settings
from warehouse.summary import Summary

SHOWN_PROBLEMS = 10
SHOWN_INDICATORS = 10
LOG_LINES = 12


def show_summary(settings: Settings, summary: Summary, log_file: Path | None) -> None:
    """Print what the run did and how to look further."""
    console.print()
    console.print(_verdict(summary), soft_wrap=True)
    if not summary.stages and log_file is not None:
        console.print("\n".join(log_file.read_text(errors="replace").splitlines()[-LOG_LINES:]), markup=False)
    _show_plan(summary)
    _show_intake(summary)
    _show_checks(summary)
    _show_headline(summary)
    _show_stages(summary)
    _show_ways_on(settings, summary, log_file)


def _verdict(summary: Summary) -> Text:
    release = f"Release {summary.published}" if summary.published else None
    if not summary.succeeded:
        line = Text("FAILED  ", style="bold red").append(str(summary.run.get("outcome")), style="default")
        now = (
            f"BI reads release {summary.current_release}."
            if summary.current_release
            else "Nothing is published."
        )
        return line.append(f"\n{now}", style="dim")
    if summary.plan:
        return Text("A plan: nothing was written", style="bold green").append(".", style="default")
    if release is None:
        kept = f"; BI goes on reading release {summary.current_release}" if summary.current_release else ""
        return Text("Nothing changed, nothing published", style="bold green").append(
            f"{kept}.", style="default"
        )
    return Text(f"{release} is published", style="bold green").append(".", style="default")


def _show_plan(summary: Summary) -> None:
    """What a reload would do; ``--json`` lists every change that is kept."""
    for chunk in summary.plan:
        found = chunk["changes"]
        lines = [
            f"{change['form_code']}  {change['subject_code']}  {change['period_start']}"
            f"  {change['before']} → {change['after']}  {' '.join(change['rules'])}\n    {change['file_name']}"
            for change in found["changes"]
        ]
        console.print(
            f"\n[bold]{chunk['chunk']}[/bold]  {found['files']} files, {found['unchanged']} reports unchanged,"
            f" {len(lines)} would change, {found['touched']} would be built again",
            highlight=False,
        )
        _show_lines(lines)


def _show_intake(summary: Summary) -> None:
    if summary.files:
        total = sum(row["files"] for row in summary.files)
        by_status = _joined(_sums(summary.files, "status", "files"))
        console.print(f"\n[bold]Files[/bold]    {total}  ({by_status})", highlight=False)
        console.print(
            f"[bold]Reports[/bold]  {sum(summary.reports.values()):,} revisions  ({_joined(summary.reports)})",
            highlight=False,
        )
    _show_problems(
        "Quarantined",
        "warehouse quarantine",
        [
            f"{row['form']}  {row['subject']}  {row['period_start']}  {row['file']}\n    {row['why']}"
            for row in summary.quarantined
        ],
    )
    _show_problems(
        "Files not read",
        "warehouse quarantine",
        [f"{row['source']}  {row['file']}  ({row['status']})\n    {row['why']}" for row in summary.refused],
    )


def _show_checks(summary: Summary) -> None:
    if summary.checks["run"]:
        counted = summary.checks
        console.print(
            f"\n[bold]Checks[/bold]   {counted['run']} run, {counted['passed']} passed, {counted['failed']} not passed",
            highlight=False,
        )
    _show_problems(
        "Checks not passed",
        "warehouse checks",
        [
            f"{check['check_id']}  ({check['severity']}, {check['status']}"
            f"{_rows_of(check)})\n    {check['message_zh']}"
            for check in summary.failed_checks
        ],
    )


def _show_headline(summary: Summary) -> None:
    if not (summary.headline and summary.published):
        return
    # Rates come first: their numerators and denominators say more than the counts alone.
    rates_first = sorted(
        summary.headline, key=lambda row: (row["slice"] != "all", row["denominator"] is None)
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, side in (
        ("indicator", "left"),
        ("period", "left"),
        ("value", "right"),
        ("numerator", "right"),
        ("denominator", "right"),
    ):
        table.add_column(column, justify=side)  # type: ignore[arg-type]
    for row in map(plain, rates_first[:SHOWN_INDICATORS]):
        unit = "" if row["unit"] == "ratio" else f" {row['unit']}"
        table.add_row(
            row["label_zh"],
            f"{row['period_start'][:7]}…{row['period_end'][:7]}",
            f"{shown(row['value'])}{unit}" if row["status"] == "computed" else row["status"],
            shown(row["numerator"]),
            shown(row["denominator"]),
        )
    console.print(
        f"\n[bold]Headline[/bold] of region {rates_first[0]['region_code']}"
        f"  ({len(summary.headline)} lines in published.mart_headline)",
        highlight=False,
    )
    console.print(table)


def _show_stages(summary: Summary) -> None:
    work = sum(stage["seconds"] for stage in summary.stages)
    parts = ", ".join(
        f"{' '.join(filter(None, (stage['stage'], stage['lane'])))} {stage['seconds']:.1f}"
        for stage in summary.stages
    )
    whole = summary.run.get("seconds", work)
    console.print(
        f"\n[bold]Seconds[/bold]  {whole:.1f} from begin to end, {work:.1f} in the stages: {parts}",
        highlight=False,
    )


def _show_ways_on(settings: Settings, summary: Summary, log_file: Path | None) -> None:
    warehouse = _command()
    ways = {
        "query": f"{warehouse} psql -c 'table mart_headline'",
        "BI": f"{warehouse} url --role reader",
        "quarantine": f"{warehouse} quarantine",
        "checks": _existing(settings.artifacts / "data_docs" / "index.html"),
        "tables": _existing(settings.artifacts / "dbt_docs" / "index.html"),
        "Airflow UI": _ui(settings),
        "log": str(log_file) if log_file else None,
    }
    if summary.published and summary.run["base_release"]:
        ways["differences"] = f"{warehouse} release diff {summary.run['base_release']} {summary.published}"
    console.print("\n[bold]Look further[/bold]")
    for name, way in ways.items():
        if way:
            console.print(f"  {name:<12} {way}", markup=False, highlight=False, soft_wrap=True)


def _show_problems(title: str, command: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(f"\n[bold]{title}[/bold]  ({command})", highlight=False)
    _show_lines(lines)


def _show_lines(lines: list[str]) -> None:
    for line in lines[:SHOWN_PROBLEMS]:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > SHOWN_PROBLEMS:
        console.print(f"  … and {len(lines) - SHOWN_PROBLEMS} more", style="dim")


def _rows_of(check: dict[str, Any]) -> str:
    return "" if check["failing_rows"] is None else f", {check['failing_rows']:,} rows"


def _command() -> str:
    """The command as it can be typed here."""
    own = Path(sys.executable).with_name("warehouse")
    if shutil.which("warehouse") == str(own):
        return "warehouse"
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))


def _ui(settings: Settings) -> str:
    if not services.is_up(settings):
        return f"{_command()} up"
    return f"{ui_address(settings)}  (login: {login_file(settings)})"


def _existing(file: Path) -> str | None:
    return str(file) if file.exists() else None


def _sums(rows: list[dict[str, Any]], by: str, what: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row[by]] = sums.get(row[by], 0) + row[what]
    return sums


def _joined(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
