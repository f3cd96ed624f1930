"""Command replay: read kept files again after a form, a rule or a label was mended."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from warehouse.cli.forms import find_form
from warehouse.cli.output import Json, console, print_json
from warehouse.cli.server import prepare
from warehouse.database import Role, engine
from warehouse.errors import SettingsError, WarehouseError
from warehouse.settings import get_settings

SHOWN = 100
"""Reports that are told one by one; ``--json`` has them all."""


def replay(
    *,
    form: Annotated[
        list[str] | None, typer.Option(help="Only this form; may be given more than once.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Only this unit or region; may be given more than once.")
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the periods.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the periods.")
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this file: its name, the number of its arrival, or the beginning of its SHA-256."
        ),
    ] = None,
    quarantined_only: Annotated[
        bool,
        typer.Option(
            "--quarantined-only", help="Only what waits: in quarantine, of an unknown unit, unread."
        ),
    ] = False,
    do: Annotated[
        bool, typer.Option("--do", help="Do it; without this it is only said what would change.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="What was mended; kept with every revision. Needed with --do.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read kept files again with today's forms, rules, waivers and units: say what would change, or do it."""
    if do and not (reason or "").strip():
        raise SettingsError("Doing a replay needs a reason.", mend='Say what was mended: --reason "…"')
    scope: dict[str, Any] = {
        "from_": _day(first),
        "to": _day(last),
        "forms": [find_form(get_settings(), code).code for code in form or ()] or None,
        "units": unit or None,
        "files": file or None,
        "waiting_only": quarantined_only,
        "reason": reason or "replay",
    }
    result, failed = _replayed(scope, do=do)
    if as_json:
        print_json(result)
    else:
        _show(result)
    if failed is not None:
        raise failed


def _replayed(scope: dict[str, Any], *, do: bool) -> tuple[Any, WarehouseError | None]:
    """What came of it, and the error of files that could not be read, which come after the others are done."""
    from dags import stages  # noqa: PLC0415
    from ingestion import rederive  # noqa: PLC0415
    from warehouse.runs import finish_run, stage, start_run  # noqa: PLC0415

    settings = get_settings()
    prepare(settings)
    loader, run_id = engine(Role.LOADER), f"replay/{datetime.now(UTC).isoformat()}"
    start_run(loader, run_id, "command")
    succeeded, outcome, failed = False, "files could not be read again", None
    try:
        # Forms, units and severities as they are now; reports are not touched by that.
        stages.prepare(run_id)
        with stage(loader, run_id, "replay") as detail:
            try:
                result = rederive.rederive(settings, **scope, dry_run=not do)
            except rederive.RederiveFailed as error:
                result, failed = error.result, error
            detail.update(result.summary())
        succeeded = failed is None
        verb = "changed" if do else "would change"
        outcome = f"{result.files} files read again, {len(result.changes)} reports {verb}"
    finally:
        finish_run(loader, run_id, succeeded=succeeded, outcome=outcome)
    return result, failed


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _show(result: Any) -> None:
    verb = "would change" if result.dry_run else "changed"
    console.print(
        f"{result.files} files read again, {result.unchanged} reports unchanged, {len(result.changes)} {verb}",
        highlight=False,
    )
    for change in result.changes[:SHOWN]:
        console.print()
        _show_change(change)
    if len(result.changes) > SHOWN:
        console.print(f"… {len(result.changes) - SHOWN} more; all of them with --json", style="dim")
    if not result.changes:
        return
    console.print()
    if result.dry_run:
        console.print('Nothing was written. Do it with: --do --reason "…"')
    else:
        console.print("Publish it with: warehouse nightly")


def _show_change(change: Any) -> None:
    numbers = f"revision {change.revision_before or '–'} → {change.revision_after}"
    if change.after == "not_found":
        numbers = f"revision {change.revision_before}"
    console.print(
        f"[bold]{' '.join(filter(None, (change.form_code, change.part)))}[/bold] {change.subject_code}"
        f" {change.period_start}…{change.period_end}  {change.before} → {change.after}  {numbers}"
        f"  {' '.join(change.rules)}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"  {change.file_name}", style="dim", highlight=False, markup=False, soft_wrap=True)
    if change.after == "not_found":
        console.print("  its file no longer gives this report; what was accepted stays until it is withdrawn")
    elif change.after == "quarantined" and change.stands:
        console.print(f"  what counts until now stays meanwhile ({change.stands})")
    for cell in change.cells:
        place = " ".join(part for part in (cell.field_code, cell.breakdown, cell.cell) if part)
        console.print(
            f"  {place}: {_value(cell.old)} → {_value(cell.new)}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if change.cells_changed > len(change.cells):
        console.print(f"  … {change.cells_changed - len(change.cells)} more values", style="dim")


def _value(value: str | None) -> str:
    return "–" if value is None else value
