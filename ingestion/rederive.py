"""Reading kept files again: after a form, a rule, a waiver or the directory was mended.

What differs becomes a new revision of the arrival that brought the file, with the reason as its cause. The
order of the past is kept: a file that was outdated stays outdated.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, text

from ingestion import raw, store
from ingestion.cards.recording import holds_cards, record_cards
from ingestion.errors import FileError
from ingestion.examining import examine
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.histories import Plan
from ingestion.intake import describe, failure_status, finish, open_lane, place_of, today
from ingestion.judging import Judged
from ingestion.kept import UNREAD, Scope, kept_files, no_longer_given
from ingestion.kept import touch as log_all
from ingestion.load import loading
from ingestion.placing import Lane
from ingestion.planned import PlannedChange, Rederivation, planned
from ingestion.recording import Arrival, Item, record, write_file_findings
from ingestion.site import Site, SiteError, Source, load_site
from ingestion.workers import read_within_limits
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

log = structlog.get_logger()

_GROUNDS = """
select md5(concat_ws(
    '|',
    (select string_agg(form_code || edition || definition_hash, ',' order by form_code, edition) from registry.form),
    (select string_agg(waiver_id::text, ',' order by waiver_id) from registry.waiver
        where ended_at is null and expires_on >= :today),
    (select string_agg(severity_id::text, ',' order by severity_id) from registry.rule_severity
        where ended_at is null),
    (select string_agg(md5(e::text), ',' order by organization_key, event_date, event_type)
        from registry.organization_event as e)
))
"""

_LAST_GROUNDS = "select fingerprint from registry.judgement order by judged_at desc limit 1"

_JUDGED = """
insert into registry.judgement (fingerprint) values (:grounds)
on conflict (fingerprint) do update set judged_at = excluded.judged_at
"""


class RederiveFailed(WarehouseError):
    """Kept files could not be read again for a reason that is not theirs; ``result`` says what was done."""

    def __init__(self, result: "Rederivation") -> None:
        super().__init__(
            f"{len(result.failed)} kept files could not be read again: {', '.join(result.failed[:5])}.",
            mend="See the log; the other files of the scope are done.",
            files=list(result.failed),
        )
        self.result = result


def rederive(
    settings: Settings,
    from_: date | None = None,
    to: date | None = None,
    forms: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    *,
    reason: str,
    files: Sequence[str] | None = None,
    dry_run: bool = True,
    touch: bool = False,
    waiting_only: bool = False,
    catalogue: Catalogue | None = None,
) -> Rederivation:
    """Read the kept files of a scope again with today's forms, rules, waivers, severities and directory.

    ``dry_run`` tells what would change; it writes nothing and locks nothing, so that nights go on meanwhile. It judges
    each report by what it would be after the files before it; what rules ask of other reports is as it is now.
    ``touch`` logs every report of the scope for the next release, also those whose content stays (a model or an
    indicator changed). ``waiting_only`` reads only files with reports in quarantine, without a unit, or unread.

    Raises :class:`RederiveFailed` at the end when a file failed; the others are done by then.
    """
    if not reason.strip():
        raise WarehouseError("Reading files again needs a reason.", mend="Say what was mended.")
    scope = Scope(
        from_,
        to,
        *(tuple(codes) if codes is not None else None for codes in (forms, units, files)),
    )
    known = catalogue if catalogue is not None else load_forms(settings)
    site = load_site(settings)
    cause = f"rederive: {reason}"
    changes: list[PlannedChange] = []
    failed: list[str] = []
    unchanged = touched = 0
    plan = Plan() if dry_run else None
    with loading(settings) as engine:
        with engine.connect() as connection:
            raw.require_prepared(connection, known)
            arrivals = kept_files(connection, scope, waiting_only=waiting_only)
        lanes: dict[str, Lane] = {}
        for row in arrivals:
            if row.source_code not in lanes:
                lanes[row.source_code] = open_lane(engine, settings, _source(site, row.source_code), known)
            try:
                with _transaction(engine, dry_run=dry_run) as connection:
                    lane = lanes[row.source_code]
                    here, same = _read_again(
                        connection, settings, lane, row, scope=scope, cause=cause, plan=plan
                    )
            except FileError as error:
                # Found while its cards were being recorded, all of which were taken back.
                with _transaction(engine, dry_run=dry_run) as connection:
                    here, same = _refused(connection, row, scope, error, plan=plan)
            except Exception as error:
                where = place_of(error)
                log.error("kept file failed", file=row.file_name, error=where)  # noqa: TRY400
                failed.append(f"{row.file_name} ({where})")
                continue
            unchanged += same
            changes += here
        if touch:
            logged = [change.report_id for change in changes if change.becomes_current]
            with _transaction(engine, dry_run=dry_run) as connection:
                touched = log_all(connection, scope, cause, logged)
    result = Rederivation(dry_run, len(arrivals), tuple(changes), unchanged, touched, tuple(failed))
    log.info("files read again", reason=reason, **result.summary())
    if failed:
        raise RederiveFailed(result)
    return result


def reconsider(settings: Settings, reason: str, *, catalogue: Catalogue | None = None) -> Rederivation:
    """Judge again what waits: quarantined reports, cards set aside, reports without a unit, files nobody could read.

    Does nothing while forms, waivers, severities and directory are those on which it was last done to the end, so
    every night may call it, also after one that was cut off.
    """
    with loading(settings) as engine:
        with engine.connect() as connection:
            grounds = str(connection.scalar(text(_GROUNDS), {"today": today(settings)}))
            if grounds == connection.scalar(text(_LAST_GROUNDS)):
                return Rederivation(dry_run=False, files=0, changes=(), unchanged=0)
        result = rederive(settings, reason=reason, dry_run=False, waiting_only=True, catalogue=catalogue)
        with engine.begin() as connection:
            connection.execute(text(_JUDGED), {"grounds": grounds})
    return result


def _refused(
    connection: Connection, row: Row[Any], scope: Scope, error: FileError, *, plan: Plan | None
) -> tuple[list[PlannedChange], int]:
    """What becomes of a kept file that cannot be read; with a ``plan`` nothing is written."""
    if plan is None:
        arrival = Arrival(row.arrival_id, row.received_at, row.registered_at)
        found: list[tuple[Judged, Item | None]] = [(Judged(one), None) for one in error.findings]
        write_file_findings(connection, arrival, found, again=True)
        finish(connection, arrival, failure_status(error), [], error.message_zh)
    return _not_found(connection, row, scope, ()), 0


def _read_again(
    connection: Connection,
    settings: Settings,
    lane: Lane,
    row: Row[Any],
    *,
    scope: Scope,
    cause: str,
    plan: Plan | None,
) -> tuple[list[PlannedChange], int]:
    """What reading one file again changes, and how many reports stay; with a ``plan`` nothing is written."""
    arrival = Arrival(row.arrival_id, row.received_at, row.registered_at)
    path = store.locate(settings, row.stored_path)
    try:
        readings = read_within_limits(
            path, name=row.file_name, catalogue=lane.catalogue, source=lane.source, settings=settings
        )
    except FileError as error:
        return _refused(connection, row, scope, error, plan=plan)
    if holds_cards(readings):
        done = record_cards(
            connection,
            arrival,
            path.name,
            readings,
            lane,
            cause=cause,
            within=scope.within,
            again=True,
            plan=plan,
        )
        recorded, groups, partial = done.recorded, list(done.groups), done.partial
    else:
        whole = [
            examine(connection, reading, lane, beside=readings, received=arrival.received_at)
            for reading in readings
        ]
        # A table in which no report was found still has its findings.
        groups = [
            part for group in whole if not (part := scope.within(group)).reports.is_empty() or part is group
        ]
        partial = sum(len(group.reports) for group in groups) < sum(len(group.reports) for group in whole)
        recorded = record(
            connection, arrival, groups, lane, cause=cause, again=True, partial=partial, plan=plan
        )
    new = [item for item in recorded.items if item.decision.same_as is None]
    # A file of which only the part in scope was read for the first time goes on waiting for the rest.
    if plan is None and (not partial if row.status in UNREAD else new):
        finish(connection, arrival, "taken_in", readings, f"{cause} ({describe(recorded)})")
    changes = [planned(connection, item, groups[item.group], row.file_name) for item in new]
    changes += _not_found(connection, row, scope, recorded.items)
    return changes, len(recorded.items) - len(new)


def _not_found(
    connection: Connection, row: Row[Any], scope: Scope, items: Sequence[Item]
) -> list[PlannedChange]:
    """Reports that count by what this file said once and that nobody finds in it any more: told, never taken away."""
    lost = no_longer_given(connection, scope, row.arrival_id, [item.report_id for item in items])
    return [
        PlannedChange(
            **report,
            file_name=row.file_name,
            after="not_found",
            revision_after=report["revision_before"],
            stands=report["before"],
            content_differs=True,
            becomes_current=False,
            rules=(),
        )
        for report in lost
    ]


@contextmanager
def _transaction(engine: Engine, *, dry_run: bool) -> Iterator[Connection]:
    """A transaction for one file; of a dry run nothing stays, and it holds no lock longer than that."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        if dry_run:
            transaction.rollback()


def _source(site: Site, code: str) -> Source:
    try:
        return site.source(code)
    except SiteError:
        # A source that was taken out of the site: its files still say who and when they are about.
        return Source(code="gone", name_zh=code, inbox="-")
