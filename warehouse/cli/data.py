"""Commands about files and reports: ingest, check, replay, reports, timeliness, quarantine, findings, withdraw."""

import getpass
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from warehouse.cli.output import App, Json, console, plain, print_json, print_rows, told, vars_of
from warehouse.cli.replay import replay
from warehouse.cli.server import prepare
from warehouse.cli.timeliness import timeliness
from warehouse.database import Role, engine
from warehouse.errors import SettingsError
from warehouse.settings import Settings, get_settings

Form = Annotated[str | None, typer.Option(help="Only this form.")]
Unit = Annotated[str | None, typer.Option(help="Only this unit or region (directory code).")]
SourceCode = Annotated[
    str | None, typer.Option(help="Source of the files; told from the inbox if they lie in one.")
]
Paths = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Files.")]

Status = Literal["accepted", "accepted_with_warnings", "quarantined", "withdrawn", "in_parts", "missing"]

FINDING_COLUMNS = ("severity", "rule_id", "cell", "field_code", "value", "message_zh")


def register(app: App) -> None:
    """Add the commands of this module."""
    for command in (ingest, check, replay, reports, timeliness, quarantine, findings, withdraw):
        app.command()(command)


def ingest(paths: Paths, *, source: SourceCode = None, as_json: Json = False) -> None:
    """Take in files now, wherever they lie; the next night builds and publishes what they change."""
    from dags import stages  # noqa: PLC0415
    from ingestion import inbox, intake  # noqa: PLC0415
    from warehouse.runs import finish_run, stage, start_run  # noqa: PLC0415

    settings = get_settings()
    prepare(settings)
    lane = _source(settings, source, paths)
    loader, run_id = engine(Role.LOADER), f"ingest/{datetime.now(UTC).isoformat()}"
    start_run(loader, run_id, "command")
    succeeded, outcome = False, "files could not be taken in"
    try:
        stages.prepare(run_id)
        with stage(loader, run_id, "receive", lane.code) as result:
            taken = intake.take_in(settings, lane, inbox.given(paths), run_id)
            result.update(taken.summary())
        succeeded, outcome = True, f"{len(taken.files)} files taken in"
    finally:
        finish_run(loader, run_id, succeeded=succeeded, outcome=outcome)
    if as_json:
        print_json({"run_id": run_id, "files": taken.files})
        return
    rows = [{**plain(file), "reports": file.detail} for file in taken.files]
    print_rows(rows, ("name", "status", "form_code", "reports", "findings"), title="Files", empty="No file.")
    if taken.reports["quarantined"]:
        console.print("Some reports are in quarantine; see: warehouse quarantine")


def check(paths: Paths, *, source: SourceCode = None, as_json: Json = False) -> None:
    """Say what taking in files would do and find; writes nothing. Exit code 1 if a report would not be accepted."""
    from ingestion import intake  # noqa: PLC0415
    from ingestion.errors import FileError  # noqa: PLC0415

    settings = get_settings()
    lane = _source(settings, source, paths)
    answers: list[dict[str, Any]] = []
    for path in paths:
        try:
            found = intake.check(settings, path, lane)
            answers.append({"file": str(path), "reports": found.reports, "findings": found.findings})
        except FileError as error:
            refused = {"error": error.message, "message_zh": error.message_zh, "mend": error.mend}
            answers.append({"file": str(path), **refused, "reports": ()})
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            _show_check(answer)
    raise typer.Exit(0 if all(map(_is_good, answers)) else 1)


def reports(
    *,
    form: Form = None,
    unit: Unit = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    status: Annotated[
        Status | None, typer.Option(help="Only these; what waits beside an accepted revision: quarantine.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List reports, received or only due."""
    from ingestion import registry  # noqa: PLC0415

    rows = registry.reports(
        engine(Role.LOADER),
        form=form,
        unit=unit,
        from_=first.date() if first else None,
        to=last.date() if last else None,
        status=status,
        limit=limit,
    )
    if as_json:
        print_json(rows)
        return
    columns = (
        "report_id", "form_code", "part", "subject_code", "subject_name",
        "period_start", "status", "revision_no", "received_at", "due_on",
    )  # fmt: skip
    print_rows(rows, columns, title="Reports", empty="No report.")
    if len(rows) == limit:
        console.print(f"… the first {limit}; more with --limit", style="dim")


def quarantine(*, form: Form = None, unit: Unit = None, as_json: Json = False) -> None:
    """List what waits for correction: reports in quarantine, and files that could not be taken in, with why."""
    from ingestion import registry  # noqa: PLC0415

    loader = engine(Role.LOADER)
    waiting = registry.quarantine(loader, form=form, unit=unit)
    unplaced = [] if form or unit else registry.unplaced(loader)
    if as_json:
        print_json({"reports": waiting, "files": unplaced})
        return
    if not waiting and not unplaced:
        console.print("Nothing is in quarantine.")
    for report in waiting:
        console.print(
            f"[bold]report {report.report_id}[/bold]  {report.form_code}  {report.subject_code}"
            f"  {report.period_start}  revision {report.revision_no}  from {told(report.file_name)}",
            highlight=False,
            soft_wrap=True,
        )
        if report.earlier_stands:
            console.print("an earlier revision stands meanwhile", style="dim")
        _show_findings(report.findings)
    if waiting:
        console.print(
            "The unit's own file, marked: warehouse corrections REPORT --out FILE.xlsx", style="dim"
        )
    for file in unplaced:
        _show_file(file)


def findings(
    *,
    report: Annotated[int | None, typer.Option(help="Of this report.")] = None,
    arrival: Annotated[int | None, typer.Option(help="Of this arrival of a file.")] = None,
    units: Annotated[
        bool, typer.Option("--directory", help="Contradictions in the dated events of units.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List findings: rule, place, value and what to do, newest first."""
    from ingestion import directory, registry  # noqa: PLC0415

    if units:
        events = directory.standing_findings(engine(Role.LOADER))[:limit]
        if as_json:
            print_json(events)
            return
        print_rows(
            events,
            ("organization_code", "event_date", "rule_id", "message_zh"),
            title="Findings of the directory",
            empty="No finding.",
        )
        return
    rows = registry.findings(engine(Role.LOADER), report=report, arrival=arrival, limit=limit)
    if as_json:
        print_json(rows)
        return
    columns = ("form_code", "subject_code", "period_start", "file_name", *FINDING_COLUMNS)
    print_rows(rows, columns, title="Findings", empty="No finding.")


def withdraw(
    report: Annotated[int, typer.Argument(help="Number of the report (see: warehouse reports).")],
    *,
    reason: Annotated[str, typer.Option(help="Why; kept with the revision.")],
    actor: Annotated[str | None, typer.Option(help="Who decided it; the login name if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Withdraw a report: its current revision no longer counts from the next release on."""
    from ingestion import registry  # noqa: PLC0415

    revision = registry.withdraw(engine(Role.LOADER), report, reason, actor or getpass.getuser())
    if as_json:
        print_json({"report_id": report, "revision_id": revision})
    else:
        console.print(f"report {report} is withdrawn; publish it with: warehouse nightly")


def _source(settings: Settings, code: str | None, paths: list[Path]) -> Any:
    """The source with this code, else the one whose inbox holds the files, else the only one."""
    from ingestion.site import load_site  # noqa: PLC0415

    sources = {source.code: source for source in load_site(settings).sources}
    if code is None:
        parents = {folder.name for path in paths for folder in path.resolve().parents} & sources.keys()
        candidates = parents or set(sources)
        code = next(iter(candidates)) if len(candidates) == 1 else None
    if code is None or code not in sources:
        said = f"There is no source {code!r}." if code else "The source of these files is not clear."
        raise SettingsError(said, mend=f"Give one of: {', '.join(f'--source {name}' for name in sources)}")
    return sources[code]


def _is_good(answer: dict[str, Any]) -> bool:
    """True if all that the file says would be accepted; a record of an unknown unit belongs to no report."""
    return (
        "error" not in answer
        and all(report.status != "quarantined" for report in answer["reports"])
        and all(finding.severity != "hard" for finding in answer["findings"])
    )


def _show_check(answer: dict[str, Any]) -> None:
    console.print(f"[bold]{told(answer['file'])}[/bold]", highlight=False, soft_wrap=True)
    if "error" in answer:
        console.print(f"[red]not read[/red]  {told(answer['error'])}", highlight=False, soft_wrap=True)
        console.print(told(answer["message_zh"]), highlight=False, soft_wrap=True)
        return
    columns = ("form_code", "subject_code", "period_start", "kind", "status")
    print_rows(answer["reports"], columns, title="", empty="No report in this file.")
    rows = [
        {"subject_code": report.subject_code, "period_start": report.period_start, **vars_of(judged.finding)}
        for report in answer["reports"]
        for judged in report.findings
    ]
    if rows:
        print_rows(rows, ("subject_code", "period_start", *FINDING_COLUMNS), title="", empty="")
        console.print()
    _show_findings(answer["findings"])


def _show_file(file: Any) -> None:
    """A file of which something could not be placed; what a finding in the table says is not said twice."""
    detail = file.detail or ""
    if any(finding.message_zh == detail for finding in file.findings):
        detail = ""
    console.print(
        f"[bold]file {told(file.file_name)}[/bold]  source {file.source_code}  {file.status}  {told(detail)}",
        highlight=False,
        soft_wrap=True,
    )
    _show_findings(file.findings)


def _show_findings(found: Iterable[Any]) -> None:
    rows = list(found)
    if rows:
        print_rows(rows, FINDING_COLUMNS, title="", empty="")
        console.print()
