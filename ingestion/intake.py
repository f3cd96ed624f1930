"""Taking files in: keep, read, place, check, record; one transaction a file.

A file that cannot be taken in never holds up the others: it is kept, named, and tried again next time if the
fault was ours. A process that dies leaves no half of a file behind.
"""

import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine, text

from ingestion import raw, store
from ingestion.errors import FileError, UnrecognisedFile
from ingestion.examining import examine
from ingestion.findings import Finding
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.inbox import FileChanged, WaitingFile, given, opened
from ingestion.judging import Judged
from ingestion.load import loading
from ingestion.placing import Lane, load_lane
from ingestion.reading import Reading, read_file
from ingestion.recording import Arrival, Recorded, record, write_file_findings
from ingestion.site import Source
from ingestion.store import StoredFile
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

log = structlog.get_logger()

_KEEP_FILE = """
insert into registry.file (sha256, size_bytes, stored_path) values (:sha256, :size, :path)
on conflict (sha256) do nothing
"""

# A sender's clock that is ahead must not make its file beat every later one.
_ARRIVAL = """
insert into registry.arrival (file_id, source_code, file_name, received_at, run_id, status, detail)
select file_id, :source, :name, least(cast(:received_at as timestamptz), now()), :run_id, :status, :detail
from registry.file where sha256 = :sha256
returning arrival_id, received_at
"""

_FINISH = """
update registry.arrival
set status = :status, form_code = :form_code, edition = :edition, layout = :layout, detail = :detail
where arrival_id = :arrival_id
"""


class LaneFailed(WarehouseError):
    """Files of a lane could not be taken in for a reason that is not theirs; the others were.

    ``result`` says what was done all the same.
    """

    def __init__(self, source: str, result: "IntakeResult") -> None:
        names = [file.name for file in result.files if file.status == "failed"]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        causes = ", ".join(sorted({file.detail for file in result.files if file.status == "failed"}))
        super().__init__(
            f"Source {source}: {len(names)} of {len(result.files)} files could not be taken in: {shown} ({causes}).",
            mend="See the log of the run; the files are kept and the next run tries them again.",
            source=source,
            files=names,
        )
        self.result = result


@dataclass(frozen=True)
class FileResult:
    """What became of one file."""

    name: str
    status: str
    form_code: str | None
    reports: Counter[str]
    findings: int
    detail: str


@dataclass(frozen=True)
class IntakeResult:
    """What became of the files of a lane."""

    files: tuple[FileResult, ...] = ()

    @property
    def by_status(self) -> Counter[str]:
        """Files by status of their arrival."""
        return Counter(file.status for file in self.files)

    @property
    def reports(self) -> Counter[str]:
        """Reports by what happened: new, revised, unchanged, quarantined, outdated, unplaced."""
        return sum((file.reports for file in self.files), Counter[str]())

    @property
    def findings(self) -> int:
        """Findings written."""
        return sum(file.findings for file in self.files)

    def summary(self) -> dict[str, object]:
        """Counts for a run's record."""
        return {"files": dict(self.by_status), "reports": dict(self.reports), "findings": self.findings}


@dataclass(frozen=True)
class CheckedReport:
    """What would become of one report of a file."""

    form_code: str
    subject_code: str
    period_start: date
    period_end: date
    status: str
    kind: str
    findings: tuple[Judged, ...]


@dataclass(frozen=True)
class Checked:
    """What would become of a file: its reports, and findings that concern no single report."""

    name: str
    reports: tuple[CheckedReport, ...]
    findings: tuple[Finding, ...]


def take_in(
    settings: Settings,
    source: Source,
    files: Sequence[WaitingFile],
    run_id: str | None = None,
    *,
    catalogue: Catalogue | None = None,
) -> IntakeResult:
    """Take in files of one source, the oldest first, each in a transaction of its own.

    Idempotent: content that is known already changes nothing. Raises :class:`LaneFailed` at the end when a
    file could not be taken in for a reason that is not its own; all others have been taken in by then.
    """
    if not files:
        return IntakeResult()
    with loading(settings) as engine:
        lane = open_lane(engine, settings, source, catalogue)
        result = IntakeResult(
            tuple(
                _take_in_file(engine, settings, lane, file, run_id)
                for file in sorted(files, key=lambda file: (file.modified, file.name))
            )
        )
    log.info("lane taken in", source=source.code, **result.summary())
    if result.by_status["failed"]:
        raise LaneFailed(source.code, result)
    return result


def check(settings: Settings, path: Path, source: Source, *, catalogue: Catalogue | None = None) -> Checked:
    """What taking in this file would do and find; writes nothing.

    Raises :class:`UnreadableFile` or :class:`UnrecognisedFile`.
    """
    (file,) = given([path])
    with loading(settings) as engine:
        lane = open_lane(engine, settings, source, catalogue)
        readings = read_file(path, name=file.name, catalogue=lane.catalogue, source=lane.source)
        with engine.connect() as connection, connection.begin() as transaction:
            size = path.stat().st_size
            arrival = _arrive(connection, lane, file, StoredFile("0" * 64, size, "dry run"))
            groups = [examine(connection, reading, lane, beside=readings) for reading in readings]
            recorded = record(connection, arrival, groups, lane, cause="dry run")
            transaction.rollback()
    return Checked(
        name=file.name,
        reports=tuple(
            CheckedReport(
                form_code=item.form_code,
                subject_code=item.subject_code,
                period_start=item.period_start,
                period_end=item.period_end,
                status=item.status,
                kind=item.kind,
                findings=tuple(item.judged),
            )
            for item in recorded.items
        ),
        findings=recorded.whole_file,
    )


def open_lane(engine: Engine, settings: Settings, source: Source, catalogue: Catalogue | None = None) -> Lane:
    """Read what stays the same for all files of a source; raises :class:`FormsNotPrepared`."""
    forms = catalogue if catalogue is not None else load_forms(settings)
    with engine.connect() as connection:
        raw.require_prepared(connection, forms)
        return load_lane(connection, forms, source, today(settings))


def today(settings: Settings) -> date:
    """Today where the bureau is."""
    return datetime.now(ZoneInfo(settings.timezone)).date()


def describe(recorded: Recorded) -> str:
    """What a file brought, in one line."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(recorded.kinds.items())) or "no report"


def finish(
    connection: Connection, arrival: Arrival, status: str, readings: Sequence[Reading], detail: str
) -> None:
    """Write down what the arrival was."""

    def only(values: Iterator[str]) -> str | None:
        different = set(values)
        return different.pop() if len(different) == 1 else None

    connection.execute(
        text(_FINISH),
        {
            "arrival_id": arrival.arrival_id,
            "status": status,
            "form_code": only(reading.form.code for reading in readings),
            "edition": only(reading.edition for reading in readings),
            "layout": only(reading.layout for reading in readings),
            "detail": detail,
        },
    )


def failure_status(error: FileError) -> str:
    """Status of an arrival whose file cannot be taken in."""
    return "unrecognised" if isinstance(error, UnrecognisedFile) else "unreadable"


def _take_in_file(
    engine: Engine, settings: Settings, lane: Lane, file: WaitingFile, run_id: str | None
) -> FileResult:
    kept: StoredFile | None = None
    try:
        with opened(file) as stream:
            kept = store.keep(settings, stream)
        with engine.begin() as connection:
            return _record_file(connection, settings, lane, file, kept, run_id=run_id)
    except FileChanged as error:
        log.info("file still changing", source=lane.source.code, file=file.name)
        return FileResult(file.name, "changing", None, Counter(), 0, str(error))
    except Exception as error:
        where = place_of(error)
        log.error("file failed", source=lane.source.code, file=file.name, error=where)  # noqa: TRY400
        if kept is not None:
            with engine.begin() as connection:
                _arrive(connection, lane, file, kept, run_id=run_id, status="failed", detail=where)
        return FileResult(file.name, "failed", None, Counter(), 0, where)


def place_of(error: BaseException) -> str:
    """Class of an error and where it arose; its message is left out, for it could quote what stands in a file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent.name in ("ingestion", "readers")]
    last = (own or frames)[-1]
    return f"{type(error).__name__} in {last.name} ({Path(last.filename).name}:{last.lineno})"


def _record_file(
    connection: Connection,
    settings: Settings,
    lane: Lane,
    file: WaitingFile,
    kept: StoredFile,
    *,
    run_id: str | None,
) -> FileResult:
    arrival = _arrive(connection, lane, file, kept, run_id=run_id)
    try:
        readings = read_file(
            store.locate(settings, kept.stored_path),
            name=file.name,
            catalogue=lane.catalogue,
            source=lane.source,
        )
    except FileError as error:
        status = failure_status(error)
        write_file_findings(connection, arrival, [(Judged(one), None) for one in error.findings])
        finish(connection, arrival, status, [], error.message_zh)
        log.warning("file not taken in", source=lane.source.code, file=file.name, status=status)
        return FileResult(file.name, status, None, Counter(), len(error.findings), error.message_zh)
    groups = [examine(connection, reading, lane, beside=readings) for reading in readings]
    recorded = record(connection, arrival, groups, lane, cause=f"received: {file.name}")
    unchanged = bool(recorded.items) and not recorded.unplaced and set(recorded.kinds) == {"unchanged"}
    status = "duplicate" if unchanged else "taken_in"
    finish(connection, arrival, status, readings, describe(recorded))
    forms = {reading.form.code for reading in readings}
    return FileResult(
        name=file.name,
        status=status,
        form_code=forms.pop() if len(forms) == 1 else None,
        reports=recorded.kinds,
        findings=len(recorded.findings),
        detail=describe(recorded),
    )


def _arrive(
    connection: Connection,
    lane: Lane,
    file: WaitingFile,
    kept: StoredFile,
    *,
    run_id: str | None = None,
    status: str = "received",
    detail: str | None = None,
) -> Arrival:
    connection.execute(text(_KEEP_FILE), {"sha256": kept.sha256, "size": kept.size, "path": kept.stored_path})
    arrival_id, received_at = connection.execute(
        text(_ARRIVAL),
        {
            "sha256": kept.sha256,
            "source": lane.source.code,
            "name": file.name,
            "received_at": file.modified,
            "run_id": run_id,
            "status": status,
            "detail": detail,
        },
    ).one()
    return Arrival(arrival_id, received_at.astimezone(UTC))
