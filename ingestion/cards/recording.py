"""A file with cards into the registry: its batches are reports, their cards already lie in the raw tables.

The cards of a file are copied before anybody knows whether its content is new. Where it proves to be known, or out of
the scope of a re-derivation, a savepoint takes the copy back and the file is read once more without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection, text

from ingestion.cards.hashing import Hasher
from ingestion.cards.ledger import Entry
from ingestion.cards.stream import Skip, Streamed, stream
from ingestion.cards.told import empty_reading, mostly_faulty, none
from ingestion.checks import evaluate
from ingestion.examining import examine
from ingestion.findings import Finding
from ingestion.form import Form
from ingestion.histories import Plan
from ingestion.items import Arrival, Group
from ingestion.neighbours import context_of
from ingestion.placing import Lane
from ingestion.reading import Reading, UnreadCards
from ingestion.recording import Recorded, record
from warehouse.secrets import person_key
from warehouse.settings import get_settings

PART_DIGITS = 16
"""Hexadecimal digits of a file's SHA-256 that name the batch of events it is."""

# The batch that this file was before; else one that says the same, the one that counts before one that waits.
_KNOWN = """
select r.part, r.period_start, r.period_end
from registry.report as r
inner join registry.revision as v on v.report_id = r.report_id
where r.form_code = :form and r.subject_type = :subject_type and r.subject_code = :subject
    and r.period_type = 'event'
    and (r.part = :part or (
        :elsewhere and v.content_hash = :content
        and (v.revision_id = r.current_revision_id or v.status = 'quarantined')
    ))
order by r.part <> :part, v.revision_id is distinct from r.current_revision_id, r.report_id
limit 1
"""

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
    received_on = arrival.received_at.astimezone(ZoneInfo(settings.timezone)).date()
    others = [reading for reading in readings if not isinstance(reading, UnreadCards)]
    examined = [examine(connection, reading, lane, beside=others) for reading in others]
    tables = tables_of(readings)
    beside = [finding for table in tables for finding in table.findings]
    skip: Skip = frozenset()
    while True:
        savepoint = connection.begin_nested()
        copy = plan is None and not dry
        streamed = stream(
            connection, tables, lane, hasher, received_on=received_on, cap=cap, skip=skip, copy=copy
        )
        batches = [
            group
            for result in streamed
            for group in _groups(connection, result, lane, received_on, sha256, again=again)
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
        frame = pl.DataFrame([{name: found.get(name) for name in _SCHEMA}], schema=_SCHEMA)
        unread = forms[row["form_code"]]
        reading = replace(
            empty_reading(unread.form, ""),
            edition=row["edition"],
            layout=unread.layout,
            part=row["part"],
            reports=frame,
            positions=pl.DataFrame(schema=_POSITIONS),
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


def _groups(
    connection: Connection, result: Streamed, lane: Lane, received_on: date, sha256: str, *, again: bool
) -> list[Group]:
    """The reports of a form, those of one part and edition in a group."""
    form, ledger = result.form, result.ledger
    rows: dict[tuple[str, str], list[dict[str, object]]] = {}
    findings: list[Finding] = [*ledger.findings, *ledger.closing()]
    if not any(entry.cards for entry in ledger.entries):
        findings.append(none(form))
    for entry in ledger.entries:
        part, start, end = _identity(connection, result, entry, received_on, sha256, again=again)
        edition = form.edition_at(end)
        if edition is None:
            findings.append(_edition_unknown(form, entry, end))
        if entry.set_aside * 2 > entry.cards:
            findings.append(mostly_faulty(form, entry))
        key = (part, edition.code if edition else form.editions[0].code)
        rows.setdefault(key, []).append(_row(form, entry, start, end))
    findings += _of_batches(connection, result, rows, lane)
    groups = []
    for number, ((part, edition_code), reports) in enumerate(rows.items()):
        mine = {row["report_no"] for row in reports}
        frame = pl.DataFrame(reports, schema=_SCHEMA, orient="row")
        reading = replace(
            empty_reading(form, ""),
            edition=edition_code,
            layout=result.layout,
            part=part,
            reports=frame,
            positions=result.positions,
        )
        told = [one for one in findings if one.report_no in mine or (one.report_no is None and number == 0)]
        revisions = {no: revision for no, revision in result.revisions.items() if no in mine}
        groups.append(Group(reading, frame, told, revisions))
    if not groups:
        nothing = replace(
            empty_reading(form, ""),
            layout=result.layout,
            edition=form.editions[-1].code,
            positions=result.positions,
        )
        groups.append(Group(nothing, pl.DataFrame(schema=_SCHEMA), findings))
    return groups


_POSITIONS: dict[str, pl.DataType] = {
    "sheet": pl.String(),
    "field_code": pl.String(),
    "source_row": pl.Int64(),
    "source_column": pl.Int64(),
}

_SCHEMA: dict[str, pl.DataType] = {
    "report_no": pl.Int64(),
    "subject_type": pl.String(),
    "subject_ref": pl.String(),
    "subject_name": pl.String(),
    "reporter_ref": pl.String(),
    "subject_code": pl.String(),
    "organization_key": pl.Int32(),
    "region_code": pl.String(),
    "reporter_key": pl.Int32(),
    "period_type": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "content_hash": pl.String(),
    "record_count": pl.Int64(),
    "value_count": pl.Int64(),
    "nonzero_count": pl.Int64(),
    "sheet": pl.String(),
}


def _row(form: Form, entry: Entry, start: date, end: date) -> dict[str, object]:
    placed = entry.placed or {}
    counted = entry.cards - entry.set_aside
    return {
        "report_no": entry.report_no,
        "subject_type": form.subject.type,
        "subject_ref": entry.subject_ref,
        "subject_name": None,
        "reporter_ref": entry.reporter_ref,
        **{
            name: placed.get(name)
            for name in ("subject_code", "organization_key", "region_code", "reporter_key")
        },
        "period_type": form.period.type,
        "period_start": start,
        "period_end": end,
        "content_hash": entry.content.hexdigest(),
        "record_count": entry.cards,
        "value_count": counted,
        "nonzero_count": counted,
        "sheet": entry.sheet,
    }


def _identity(
    connection: Connection, result: Streamed, entry: Entry, received_on: date, sha256: str, *, again: bool
) -> tuple[str, date, date]:
    """Part, first and last day of a report; a batch of events keeps those under which it is known."""
    if entry.period is not None:
        return "", *entry.period
    part = sha256[:PART_DIGITS]
    span = (entry.first or received_on, entry.last or received_on)
    if entry.placed is None:
        return part, *span
    known = connection.execute(
        text(_KNOWN),
        {
            "form": result.form.code,
            "subject_type": result.form.subject.type,
            "subject": entry.placed["subject_code"],
            "part": part,
            "content": entry.content.hexdigest(),
            "elsewhere": not again,
        },
    ).one_or_none()
    return (known.part, known.period_start, known.period_end) if known else (part, *span)


def _of_batches(
    connection: Connection,
    result: Streamed,
    rows: dict[tuple[str, str], list[dict[str, object]]],
    lane: Lane,
) -> list[Finding]:
    """Rules on whole reports, over the cards that count."""
    if result.asked.is_empty():
        return []
    reports = pl.DataFrame(
        [row for part in rows.values() for row in part if row["subject_code"] is not None],
        schema=_SCHEMA,
        orient="row",
    )
    reading = replace(
        empty_reading(result.form, ""),
        layout=result.layout,
        reports=reports,
        records=result.asked,
        positions=result.positions,
    )
    verdicts = evaluate(reading, context_of(connection, reading, reports, lane), of_batch=True)
    first = verdicts.frame["report_no"].is_first_distinct()
    findings: list[Finding] = []
    for number in verdicts.failing:
        failed = verdicts.failed[str(number)]
        where = failed & first if (failed & first).any() else failed
        findings += verdicts.findings(number, where)
    return list({(one.rule_id, one.report_no): one for one in reversed(findings)}.values())


def _edition_unknown(form: Form, entry: Entry, day: date) -> Finding:
    return Finding(
        rule_id="EDITION_UNKNOWN",
        level="report",
        severity="hard",
        message_zh=f"“{form.name_zh}”没有适用于{day}的版本；请核对日期",
        message_en=f"no edition of {form.code} is valid on {day}; check the dates",
        report_no=entry.report_no,
        sheet=entry.sheet,
    )
