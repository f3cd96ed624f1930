"""Commands that run a DAG and those around it: nightly, backfill."""

from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from warehouse.cli.forms import find_form
from warehouse.cli.output import App, Json, plain, print_json
from warehouse.cli.server import prepare
from warehouse.database import Role, engine
from warehouse.errors import SettingsError
from warehouse.settings import Settings, get_settings


def register(app: App) -> None:
    """Add the commands of this module."""
    for command in (nightly, backfill):
        app.command()(command)


def nightly(*, as_json: Json = False) -> None:
    """Run the night now: take in what waits, build, audit, publish; then say what happened."""
    settings = get_settings()
    if not settings.site.is_dir():
        raise SettingsError(
            f"There is no site folder {settings.site}.",
            mend="Put the constructed sample there with: warehouse sample"
            if settings.site == settings.home / "site"
            else "Correct WAREHOUSE_SITE, or make the folder (docs/examples/site is a small one).",
        )
    _run(settings, "nightly", {}, as_json=as_json)


def backfill(
    *,
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the periods.")
    ],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of the periods.")],
    reason: Annotated[str, typer.Option(help="Why; kept with every revision and change.")],
    chunk: Annotated[Literal["year", "month"], typer.Option(help="Size of a chunk.")] = "year",
    form: Annotated[
        list[str] | None, typer.Option(help="Only this form; may be given more than once.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Only this unit; may be given more than once.")
    ] = None,
    touch: Annotated[bool, typer.Option("--touch", help="Rebuild unchanged reports, too.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = True,
    as_json: Json = False,
) -> None:
    """Read stored files of past periods again through today's forms and rules, and publish what changes."""
    if not reason.strip():
        raise SettingsError("A reload needs a reason.", mend='Say why: --reason "…"')
    if first > last:
        raise SettingsError(
            f"The periods end on {last:%Y-%m-%d}, before they begin on {first:%Y-%m-%d}.",
            mend="Exchange --from and --to.",
        )
    settings = get_settings()
    conf = {
        "from": f"{first:%Y-%m-%d}",
        "to": f"{last:%Y-%m-%d}",
        "chunk": chunk,
        "forms": [find_form(settings, code).code for code in form or ()],
        "units": unit or [],
        "reason": reason,
        "touch": touch,
        "dry_run": dry_run,
    }
    _run(settings, "backfill", conf, as_json=as_json)


def _run(settings: Settings, dag_id: str, conf: dict[str, Any], *, as_json: bool) -> None:
    from warehouse.airflow.launch import launched  # noqa: PLC0415
    from warehouse.cli.night_summary import show_summary  # noqa: PLC0415
    from warehouse.cli.progress import watch  # noqa: PLC0415
    from warehouse.summary import summarise  # noqa: PLC0415

    prepare(settings)
    with launched(settings, dag_id, conf) as run:
        watch(engine(Role.AUDITOR), run.run_id, run.ended, silent=as_json)
        succeeded = run.succeeded()
    summary = summarise(run.run_id)
    if as_json:
        print_json({**plain(summary), "succeeded": succeeded and summary.succeeded, "log": run.log_file})
    else:
        show_summary(settings, summary, run.log_file)
    if not (succeeded and summary.succeeded):
        raise typer.Exit(1)
