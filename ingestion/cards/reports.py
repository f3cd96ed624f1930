"""The reports that a form's cards make: their identities, their counts, and the rules on each as a whole."""

from dataclasses import replace
from datetime import date

import polars as pl
from sqlalchemy import Connection, text

from ingestion.cards.empty import empty_reading
from ingestion.cards.ledger import Entry
from ingestion.cards.stream import Streamed
from ingestion.cards.told import edition_unknown, mostly_faulty, none
from ingestion.checks import evaluate
from ingestion.findings import Finding
from ingestion.form import Form
from ingestion.items import Group
from ingestion.neighbours import context_of
from ingestion.placing import Lane

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


def groups_of(
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
            findings.append(edition_unknown(form, entry, end))
        if entry.set_aside * 2 > entry.cards:
            findings.append(mostly_faulty(form, entry))
        key = (part, edition.code if edition else form.editions[0].code)
        rows.setdefault(key, []).append(_row(form, entry, start, end))
    findings += _of_batches(connection, result, rows, lane)
    groups = []
    for number, ((part, edition_code), reports) in enumerate(rows.items()):
        mine = {row["report_no"] for row in reports}
        frame = pl.DataFrame(reports, schema=SCHEMA, orient="row")
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
        groups.append(Group(nothing, pl.DataFrame(schema=SCHEMA), findings))
    return groups


POSITIONS: dict[str, pl.DataType] = {
    "sheet": pl.String(),
    "field_code": pl.String(),
    "source_row": pl.Int64(),
    "source_column": pl.Int64(),
}

SCHEMA: dict[str, pl.DataType] = {
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
        schema=SCHEMA,
        orient="row",
    )
    reading = replace(
        empty_reading(result.form, ""),
        layout=result.layout,
        reports=reports,
        records=result.asked,
        positions=result.positions,
    )
    verdicts = evaluate(reading, context_of(connection, reading, reports, lane), "batch")
    first = verdicts.frame["report_no"].is_first_distinct()
    findings: list[Finding] = []
    for number in verdicts.failing:
        failed = verdicts.failed[str(number)]
        where = failed & first if (failed & first).any() else failed
        findings += verdicts.findings(number, where)
    return list({(one.rule_id, one.report_no): one for one in reversed(findings)}.values())
