"""A file with cards into the registry: its batches are reports, their cards already lie in the raw tables.

The cards of a file are copied before anybody knows whether its content is new. Where it proves to be known, or out of
the scope of a re-derivation, a savepoint takes the copy back and the file is read once more without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl
from sqlalchemy import Connection, text

from ingestion.cards.empty import empty_reading
from ingestion.cards.hashing import Hasher
from ingestion.cards.reports import POSITIONS, SCHEMA, groups_of
from ingestion.cards.stream import Skip, stream
from ingestion.examining import examine
from ingestion.histories import Plan
from ingestion.items import Arrival, Group
from ingestion.placing import Lane
from ingestion.reading import Reading, UnreadCards
from ingestion.recording import Recorded, record
from warehouse.secrets import person_key
from warehouse.settings import get_settings

# What an earlier arrival of the same bytes brought, where all of it still counts.
_SAME_BYTES = """
select r.report_id, r.form_code, r.part, r.subject_type, r.subject_code, r.organization_key, r.region_code,
    r.period_type, r.period_start, r.period_end, v.edition, v.reporter_key, v.content_hash, v.record_count,
    v.value_count, v.nonzero_count, r.current_revision_id = l.revision_id as stands
from registry.arrival_report as l
inner join registry.report as r on r.report_id = l.report_id
inner join registry.revision as v on v.revision_id = l.revision_id
where l.arrival_id = (
    select max(a.arrival_id)
    from registry.arrival as a
    inner join registry.file as f on f.file_id = a.file_id
    where f.sha256 = :sha256 and a.source_code = :source and a.status in ('taken_in', 'duplicate')
        and a.arrival_id < :arrival
        and not exists (
            select from registry.finding as q
            where q.arrival_id = a.arrival_id and q.report_id is null and q.severity = 'hard' and q.resolved_at is null
        )
)
order by r.report_id
"""

Scope = Callable[[Group], Group]


@dataclass(frozen=True)
class RecordedCards:
    """What recording a file with cards did; ``partial``: only a part of its reports was in scope."""

    recorded: Recorded
    groups: tuple[Group, ...]
    partial: bool


def holds_cards(readings: Sequence[Reading]) -> bool:
    """Whether a file has tables of cards, which are still to be read."""
    return any(isinstance(reading, UnreadCards) for reading in readings)


def record_cards(
    connection: Connection,
    arrival: Arrival,
    sha256: str,
    readings: Sequence[Reading],
    lane: Lane,
    *,
    cause: str,
    within: Scope | None = None,
    again: bool = False,
    plan: Plan | None = None,
    dry: bool = False,
) -> RecordedCards:
    """Read the cards of a file and record everything it says, its other tables too.

    ``within`` narrows each group to a scope; ``again`` and ``plan`` as for :func:`ingestion.recording.record`. With a
    ``plan``, or ``dry``, no card is copied.
    """
    if not again and not dry and plan is None and len(tables_of(readings)) == len(readings):
        known = _same_bytes(connection, arrival, sha256, readings, lane, cause=cause)
        if known is not None:
            return known
    settings = get_settings()
    hasher, cap = Hasher(person_key(settings)), settings.max_findings_per_rule
    received_on = arrival.received_on(settings.timezone)
    others = [reading for reading in readings if not isinstance(reading, UnreadCards)]
    examined = [examine(connection, reading, lane, beside=others) for reading in others]
    tables = tables_of(readings)
    beside = [finding for table in tables for finding in table.findings]
    skip: Skip = frozenset()
    while True:
        savepoint = connection.begin_nested()
        copy = plan is None and not dry
        streamed = stream(
            connection,
            tables,
            lane,
            hasher,
            received_on=received_on,
            received_at=arrival.received_at,
            cap=cap,
            skip=skip,
            copy=copy,
        )
        batches = [
            group
            for result in streamed
            for group in groups_of(connection, result, lane, received_on, sha256, again=again)
        ]
        batches[0] = replace(batches[0], findings=[*beside, *batches[0].findings])
        whole = [*examined, *batches]
        parts = [(group, group if within is None else within(group)) for group in whole]
        # A table in which no report was found still has its findings.
        groups = [part for group, part in parts if not part.reports.is_empty() or part is group]
        partial = sum(len(group.reports) for group in groups) < sum(len(group.reports) for group in whole)
        recorded = record(
            connection, arrival, groups, lane, cause=cause, again=again, partial=partial, plan=plan
        )
        needless = _needless(batches, recorded) - skip
        if plan is not None or dry or not needless:
            savepoint.commit()
            return RecordedCards(recorded, tuple(groups), partial)
        savepoint.rollback()
        skip |= needless


def tables_of(readings: Sequence[Reading]) -> list[UnreadCards]:
    """The tables of cards among what was read in a file."""
    return [reading for reading in readings if isinstance(reading, UnreadCards)]


def _same_bytes(
    connection: Connection,
    arrival: Arrival,
    sha256: str,
    readings: Sequence[Reading],
    lane: Lane,
    *,
    cause: str,
) -> RecordedCards | None:
    """Record a file whose very bytes were taken in before and count as they stand: none of its cards is read."""
    values = {"sha256": sha256, "source": lane.source.code, "arrival": arrival.arrival_id}
    rows = [dict(row) for row in connection.execute(text(_SAME_BYTES), values).mappings()]
    forms = {reading.form.code: reading for reading in readings}
    if not rows or not all(row["stands"] and row["form_code"] in forms for row in rows):
        return None
    groups = []
    for number, row in enumerate(rows, start=1):
        found = {"report_no": number, "subject_ref": row["subject_code"], **row}
        frame = pl.DataFrame([{name: found.get(name) for name in SCHEMA}], schema=SCHEMA)
        unread = forms[row["form_code"]]
        reading = replace(
            empty_reading(unread.form, ""),
            edition=row["edition"],
            layout=unread.layout,
            part=row["part"],
            reports=frame,
            positions=pl.DataFrame(schema=POSITIONS),
        )
        groups.append(Group(reading, frame, ()))
    savepoint = connection.begin_nested()
    recorded = record(connection, arrival, groups, lane, cause=cause)
    if any(item.decision.same_as is None for item in recorded.items):
        savepoint.rollback()
        return None
    savepoint.commit()
    return RecordedCards(recorded, tuple(groups), partial=False)


def _needless(batches: Sequence[Group], recorded: Recorded) -> Skip:
    """Reports of cards that got no revision: known already, or out of scope."""
    written = {
        (item.form_code, item.subject_code, item.period_start, item.period_end)
        for item in recorded.items
        if item.decision.same_as is None
    }
    needless: set[tuple[str, str, object]] = set()
    for group in batches:
        form = group.reading.form
        for row in group.reports.iter_rows(named=True):
            identity = (form.code, row["subject_code"], row["period_start"], row["period_end"])
            if row["subject_code"] is not None and identity not in written:
                dated = form.period.type != "event"
                period = (row["period_start"], row["period_end"]) if dated else None
                needless.add((form.code, row["subject_code"], period))
    return frozenset(needless)
