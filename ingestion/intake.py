"""Taking files in: keep, read, place, check, record; many small files in one transaction.

A file that cannot be taken in never holds up the others: it is kept, named, and tried again next time if the
fault was ours. A process that dies leaves no half of a file behind. Files are read side by side by processes of
their own; what comes of them is the same as if each were taken in alone, one after the other.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine, text

from ingestion import raw
from ingestion.arrivals import Outcome, arrive, finish_all
from ingestion.cards.recording import holds_cards, record_cards
from ingestion.cards.text import fetched_here, is_text_of_cards
from ingestion.errors import FileError, UnrecognisedFile
from ingestion.examining import examine, examine_files, place_files
from ingestion.fetching import Fetched, place_of
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.histories import lock
from ingestion.inbox import WaitingFile, given, taken
from ingestion.items import Arrival, Filing, Group, items_of
from ingestion.judging import Judged
from ingestion.load import loading
from ingestion.placing import Lane, context_of, load_lane
from ingestion.readers.compiled import is_panic
from ingestion.reading import Reading
from ingestion.recording import Recorded, record, record_all, write_file_findings
from ingestion.results import Checked, CheckedReport, FileResult, IntakeResult, LaneFailed
from ingestion.site import Source
from ingestion.store import StoredFile
from ingestion.waves import waves
from ingestion.workers import read_within_limits, readers
from warehouse.settings import Settings

__all__ = [
    "Checked",
    "CheckedReport",
    "FileResult",
    "IntakeResult",
    "LaneFailed",
    "check",
    "describe",
    "examine",
    "failure_status",
    "finish",
    "open_lane",
    "place_of",
    "take_in",
    "today",
]

log = structlog.get_logger()

GROUP_RECORDS = 20_000
"""Files are recorded in one transaction until they have so many records together."""

GROUP_SECONDS = 2.0
"""And no longer than a file has waited for others."""


def take_in(
    settings: Settings,
    source: Source,
    files: Sequence[WaitingFile],
    run_id: str | None = None,
    *,
    catalogue: Catalogue | None = None,
) -> IntakeResult:
    """Take in files of one source, as if one after the other, the oldest first.

    Idempotent: content that is known already changes nothing. Raises :class:`LaneFailed` at the end when a
    file could not be taken in for a reason that is not its own; all others have been taken in by then.
    """
    if not files:
        return IntakeResult()
    ordered = sorted(files, key=lambda file: (file.modified, file.name))
    forms = catalogue if catalogue is not None else load_forms(settings)
    here = {file: is_text_of_cards(file, forms) for file in ordered}
    apart = [file for file in ordered if not here[file]]
    results: list[FileResult] = []
    with (
        loading(settings) as engine,
        readers(settings, apart) as reading,
        fetched_here(settings, [file for file in ordered if here[file]], forms, context_of(source)) as texts,
    ):
        lane = open_lane(engine, settings, source, forms)
        with closing(reading.fetch_all(apart, lane.catalogue, lane.source)) as others:
            fetched = (next(texts if here[file] else others) for file in ordered)
            for group in _groups(fetched, settings.intake_group):
                done = _take_in_group(engine, lane, group, run_id)
                taken(settings, source, [one.file for one in group], done)
                results += done
    result = IntakeResult(tuple(results))
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
        readings = read_within_limits(
            path, name=file.name, catalogue=lane.catalogue, source=lane.source, settings=settings
        )
        with engine.connect() as connection, connection.begin() as transaction:
            kept = StoredFile("0" * 64, path.stat().st_size, "dry run")
            (arrival,) = arrive(connection, lane.source.code, [(file, kept)])
            if holds_cards(readings):
                recorded = record_cards(
                    connection, arrival, kept.sha256, readings, lane, cause="dry run", dry=True
                ).recorded
            else:
                groups = [examine(connection, one, lane, beside=readings) for one in readings]
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


_NAMED = 3

_FAULTS_BEFORE = """
select v.revision_id, v.revision_no, a.file_name, count(*)
from registry.revision as v
inner join registry.arrival as a on a.arrival_id = v.arrival_id
inner join registry.finding as f on f.revision_id = v.revision_id and f.resolved_at is null
where v.revision_id = any(:revisions)
group by v.revision_id, v.revision_no, a.file_name
order by a.file_name, v.revision_no, v.revision_id
"""


def _faults_before(connection: Connection, recorded: Sequence[Recorded]) -> list[str]:
    """Of each file that brought nothing new, where the findings stand on what it repeats; empty when there are none."""
    said: list[list[str]] = [[] for _ in recorded]
    files: dict[int, list[int]] = {}
    for number, one in enumerate(recorded):
        for item in one.items:
            if item.decision.same_as is not None:
                files.setdefault(item.decision.same_as, []).append(number)
    if not files:
        return ["" for _ in recorded]
    rows = connection.execute(text(_FAULTS_BEFORE), {"revisions": list(files)}).all()
    for revision_id, revision_no, file_name, count in rows:
        for number in files[revision_id]:
            said[number].append(f"{file_name}, revision {revision_no} ({count})")
    return [f"; findings are those of {_few(names)}" if names else "" for names in said]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more


def finish(
    connection: Connection, arrival: Arrival, status: str, readings: Sequence[Reading], detail: str
) -> None:
    """Write down what one arrival was."""
    finish_all(connection, [Outcome(arrival, status, readings, detail)])


def failure_status(error: FileError) -> str:
    """Status of an arrival whose file cannot be taken in."""
    return "unrecognised" if isinstance(error, UnrecognisedFile) else "unreadable"


def _groups(fetched: Iterable[Fetched], most: int) -> Iterator[list[Fetched]]:
    """Files that are recorded together."""
    group: list[Fetched] = []
    records, since = 0, time.monotonic()
    for one in fetched:
        # A file of cards may be of any size: it has its transaction for itself.
        alone = any(holds_cards(each.readings or []) for each in (*group[-1:], one))
        if group and (
            alone
            or len(group) >= most
            or records + one.records > GROUP_RECORDS
            or time.monotonic() - since > GROUP_SECONDS
        ):
            yield group
            group, records, since = [], 0, time.monotonic()
        group.append(one)
        records += one.records
    if group:
        yield group


def _take_in_group(
    engine: Engine, lane: Lane, group: Sequence[Fetched], run_id: str | None
) -> list[FileResult]:
    """Record files in one transaction, or each in its own where that fails."""
    try:
        with engine.begin() as connection:
            return _record(connection, lane, group, run_id)
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        if len(group) > 1:
            log.warning("files are recorded one by one", source=lane.source.code, error=place_of(error))
            return [result for one in group for result in _take_in_group(engine, lane, [one], run_id)]
        (only,) = group
        if isinstance(error, FileError) and only.kept is not None:
            # Rows of cards are read while they are recorded: what is wrong with a later one is found only here.
            with engine.begin() as connection:
                refused = replace(only, readings=None, refusal=error)
                return _record(connection, lane, [refused], run_id)
        where = place_of(error)
        log.error("file failed", source=lane.source.code, file=only.file.name, error=where)  # noqa: TRY400
        with engine.begin() as connection:
            return [_fail(connection, lane, only, where, run_id)]


def _record(
    connection: Connection, lane: Lane, group: Sequence[Fetched], run_id: str | None
) -> list[FileResult]:
    """Record files in the transaction at hand; the results are in their order."""
    results: dict[int, FileResult] = {}
    known = [
        (number, one, one.kept)
        for number, one in enumerate(group)
        if one.kept is not None and (one.readings is not None or one.refusal is not None)
    ]
    arrivals = arrive(
        connection, lane.source.code, [(one.file, kept) for _, one, kept in known], run_id=run_id
    )
    read: list[tuple[int, Arrival, list[Reading]]] = []
    outcomes: list[Outcome] = []
    for (number, one, _), arrival in zip(known, arrivals, strict=True):
        if one.refusal is not None:
            outcomes.append(_refuse(connection, arrival, one.refusal))
            results[number] = _refused(lane, one.file, one.refusal)
        else:
            read.append((number, arrival, one.readings or []))
    done = _record_readings(connection, lane, group, read)
    before = _faults_before(connection, done)
    for (number, arrival, readings), recorded, faults in zip(read, done, before, strict=True):
        unchanged = bool(recorded.items) and not recorded.unplaced and set(recorded.kinds) == {"unchanged"}
        status = "duplicate" if unchanged else "taken_in"
        detail = describe(recorded) + faults
        outcomes.append(Outcome(arrival, status, readings, detail))
        results[number] = _taken_in(group[number].file, status, readings, recorded, detail)
    finish_all(connection, outcomes)
    for number, one in enumerate(group):
        if number not in results:
            results[number] = (
                _left(lane, one)
                if one.changing is not None
                else _fail(connection, lane, one, one.fault or "the file could not be copied", run_id)
            )
    return [results[number] for number in range(len(group))]


def _record_readings(
    connection: Connection,
    lane: Lane,
    group: Sequence[Fetched],
    read: Sequence[tuple[int, Arrival, list[Reading]]],
) -> list[Recorded]:
    """Examine and record what was read, wave by wave (see :mod:`ingestion.waves`); cards by themselves."""
    if len(read) == 1 and holds_cards(read[0][2]):
        ((number, arrival, readings),) = read
        one = group[number]
        assert one.kept is not None  # noqa: S101 - what was read was kept
        cause = f"received: {one.file.name}"
        return [record_cards(connection, arrival, one.kept.sha256, readings, lane, cause=cause).recorded]
    files = place_files([readings for _, _, readings in read], lane)
    order = waves(files)
    filings = [
        Filing(
            arrival,
            [Group(reading, reports, ()) for reading, reports in file],
            f"received: {group[number].file.name}",
        )
        for (number, arrival, _), file in zip(read, files, strict=True)
    ]
    if len(order) > 1:
        # All at once and in one order, so that lanes that meet do not wait for each other crosswise.
        items = [item for filing in filings for item in items_of(filing)[0]]
        if items:
            lock(connection, items, again=False)
    recorded: dict[int, Recorded] = {}
    for wave in order:
        examined = examine_files(connection, [files[number] for number in wave], lane)
        done = record_all(
            connection,
            [
                Filing(filings[number].arrival, groups, filings[number].cause)
                for number, groups in zip(wave, examined, strict=True)
            ],
            lane,
        )
        recorded.update(zip(wave, done, strict=True))
    return [recorded[number] for number in range(len(read))]


def _taken_in(
    file: WaitingFile, status: str, readings: Sequence[Reading], recorded: Recorded, detail: str
) -> FileResult:
    forms = {reading.form.code for reading in readings}
    return FileResult(
        name=file.name,
        status=status,
        form_code=forms.pop() if len(forms) == 1 else None,
        reports=recorded.kinds,
        findings=len(recorded.findings),
        detail=detail,
    )


def _refuse(connection: Connection, arrival: Arrival, refusal: FileError) -> Outcome:
    write_file_findings(connection, arrival, [(Judged(one), None) for one in refusal.findings])
    return Outcome(arrival, failure_status(refusal), [], refusal.message_zh)


def _refused(lane: Lane, file: WaitingFile, refusal: FileError) -> FileResult:
    status = failure_status(refusal)
    log.warning("file not taken in", source=lane.source.code, file=file.name, status=status)
    return FileResult(file.name, status, None, Counter(), len(refusal.findings), refusal.message_zh)


def _left(lane: Lane, one: Fetched) -> FileResult:
    log.info("file still changing", source=lane.source.code, file=one.file.name)
    return FileResult(one.file.name, "changing", None, Counter(), 0, one.changing or "")


def _fail(connection: Connection, lane: Lane, one: Fetched, where: str, run_id: str | None) -> FileResult:
    """Register a file that could not be taken in for a reason that is not its own: it waits on."""
    if one.fault is not None:
        log.error("file failed", source=lane.source.code, file=one.file.name, error=where)
    if one.kept is not None:
        arrive(
            connection, lane.source.code, [(one.file, one.kept)], run_id=run_id, status="failed", detail=where
        )
    return FileResult(one.file.name, "failed", None, Counter(), 0, where)
