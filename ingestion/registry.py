"""What the registry knows, for people: reports, what is in quarantine and why, withdrawing a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import Engine, text

from ingestion.obligations import tell_wholes
from warehouse.errors import WarehouseError

log = structlog.get_logger()

_REPORTS = """
select r.report_id, r.form_code, r.part, r.subject_type, r.subject_code, name.name_zh as subject_name,
    r.period_type, r.period_start, r.period_end, v.revision_no, v.edition,
    coalesce(v.status, latest.status, case when o.revision_id is not null then 'in_parts' else 'missing' end) as status,
    v.received_at, o.due_on, o.exempt_reason,
    a.file_name, revisions.revisions
from registry.report as r
left join registry.revision as v on v.revision_id = r.current_revision_id
left join registry.arrival as a on a.arrival_id = v.arrival_id
left join registry.fulfilment as o on o.report_id = r.report_id
left join lateral (
    select l.status from registry.revision as l where l.report_id = r.report_id order by l.revision_no desc limit 1
) as latest on true
left join lateral (
    select count(*) as revisions from registry.revision as l where l.report_id = r.report_id
) as revisions on true
left join lateral (
    select e.name_zh from registry.organization_event as e
    where e.organization_key = r.organization_key and e.name_zh is not null and e.event_date <= r.period_end
    order by e.event_date desc limit 1
) as name on true
where (cast(:form as text) is null or r.form_code = :form)
    and (cast(:unit as text) is null or r.subject_code = :unit)
    and (cast(:from_ as date) is null or r.period_end >= :from_)
    and (cast(:to as date) is null or r.period_start <= :to)
    and (
        cast(:status as text) is null
        or coalesce(v.status, latest.status, case when o.revision_id is not null then 'in_parts' else 'missing' end)
        = :status
    )
order by r.form_code, r.part, r.period_start, r.subject_code
limit :limit
"""

_QUARANTINE = """
select v.revision_id, v.report_id, r.form_code, r.part, r.subject_code, r.period_type, r.period_start, r.period_end,
    v.revision_no, v.received_at, a.source_code, a.file_name, a.arrival_id,
    r.current_revision_id is not null as earlier_stands
from registry.revision as v
inner join registry.report as r on r.report_id = v.report_id
inner join registry.arrival as a on a.arrival_id = v.arrival_id
where v.status = 'quarantined' and (cast(:form as text) is null or r.form_code = :form)
    and (cast(:unit as text) is null or r.subject_code = :unit)
order by v.received_at, v.revision_id
"""

# Files, and reports of units the directory does not have: nothing of them could be registered.
_UNPLACED = """
select a.arrival_id, a.source_code, a.file_name, a.received_at, a.status, a.form_code, a.detail
from registry.arrival as a
where (
    a.status in ('unreadable', 'unrecognised', 'failed')
    or exists (
        select from registry.finding as f
        where f.arrival_id = a.arrival_id and f.revision_id is null and f.report_id is null
            and f.severity = 'hard' and f.resolved_at is null
    )
)
and not exists (
    select from registry.arrival as later
    where later.arrival_id > a.arrival_id and later.source_code = a.source_code and later.file_name = a.file_name
        and later.received_at >= a.received_at
)
order by a.received_at, a.arrival_id
"""

_FINDINGS = """
select f.finding_id, f.arrival_id, f.revision_id, f.report_id, f.rule_id, f.level, f.severity,
    f.waiver_id is not null as waived, f.sheet, f.cell, f.field_code, f.breakdown, f.value, f.message_zh,
    f.message_en, f.found_at, a.file_name, r.form_code, r.subject_code, r.period_start
from registry.finding as f
inner join registry.arrival as a on a.arrival_id = f.arrival_id
left join registry.report as r on r.report_id = f.report_id
where (cast(:report as bigint) is null or f.report_id = :report)
    and (cast(:arrival as bigint) is null or f.arrival_id = :arrival)
    and (cast(:revisions as bigint[]) is null or f.revision_id = any(:revisions))
    and (cast(:arrivals as bigint[]) is null or (f.arrival_id = any(:arrivals) and f.revision_id is null))
    and f.resolved_at is null
order by f.finding_id
limit :limit
"""


class ReportNotFound(WarehouseError):
    """No such report, or none in the state that the action needs."""


@dataclass(frozen=True)
class Report:
    """A report as it stands: its current revision, or what its last one waits for, or that it is missing."""

    report_id: int
    form_code: str
    part: str
    subject_type: str
    subject_code: str
    subject_name: str | None
    period_type: str
    period_start: date
    period_end: date
    revision_no: int | None
    edition: str | None
    status: str
    received_at: datetime | None
    due_on: date | None
    exempt_reason: str | None
    file_name: str | None
    revisions: int


@dataclass(frozen=True)
class RegisteredFinding:
    """A finding as stored."""

    finding_id: int
    arrival_id: int
    revision_id: int | None
    report_id: int | None
    rule_id: str
    level: str
    severity: str
    waived: bool
    sheet: str | None
    cell: str | None
    field_code: str | None
    breakdown: str | None
    value: str | None
    message_zh: str
    message_en: str
    found_at: datetime
    file_name: str
    form_code: str | None
    subject_code: str | None
    period_start: date | None


@dataclass(frozen=True)
class Quarantined:
    """A revision that waits for correction, with why. ``earlier_stands``: an older revision counts meanwhile."""

    revision_id: int
    report_id: int
    form_code: str
    part: str
    subject_code: str
    period_type: str
    period_start: date
    period_end: date
    revision_no: int
    received_at: datetime
    source_code: str
    file_name: str
    arrival_id: int
    earlier_stands: bool
    findings: tuple[RegisteredFinding, ...]


@dataclass(frozen=True)
class Unplaced:
    """A file, or reports in it, that could not be registered at all, with why."""

    arrival_id: int
    source_code: str
    file_name: str
    received_at: datetime
    status: str
    form_code: str | None
    detail: str | None
    findings: tuple[RegisteredFinding, ...]


def reports(
    engine: Engine,
    *,
    form: str | None = None,
    unit: str | None = None,
    from_: date | None = None,
    to: date | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> list[Report]:
    """Reports, received or only due, by form, subject, period and status.

    ``missing``: due and never accepted; ``in_parts``: due as a whole, and each of its parts was accepted.
    """
    rows = _select(engine, _REPORTS, form=form, unit=unit, from_=from_, to=to, status=status, limit=limit)
    return [Report(**row) for row in rows]


def quarantine(engine: Engine, *, form: str | None = None, unit: str | None = None) -> list[Quarantined]:
    """Revisions in quarantine with their findings, the longest waiting first."""
    rows = _select(engine, _QUARANTINE, form=form, unit=unit)
    grouped = _grouped(findings(engine, revisions=[row["revision_id"] for row in rows]), "revision_id")
    return [Quarantined(**row, findings=grouped.get(row["revision_id"], ())) for row in rows]


def unplaced(engine: Engine) -> list[Unplaced]:
    """Files that could not be taken in, and files with reports of units that the directory does not have."""
    rows = _select(engine, _UNPLACED)
    grouped = _grouped(findings(engine, arrivals=[row["arrival_id"] for row in rows]), "arrival_id")
    return [Unplaced(**row, findings=grouped.get(row["arrival_id"], ())) for row in rows]


def findings(
    engine: Engine,
    *,
    report: int | None = None,
    arrival: int | None = None,
    revisions: Sequence[int] | None = None,
    arrivals: Sequence[int] | None = None,
    limit: int | None = None,
) -> list[RegisteredFinding]:
    """Findings that stand, of a report, of an arrival, of revisions, or of whole files (``arrivals``)."""
    if (revisions is not None and not revisions) or (arrivals is not None and not arrivals):
        return []
    rows = _select(
        engine,
        _FINDINGS,
        report=report,
        arrival=arrival,
        revisions=list(revisions) if revisions is not None else None,
        arrivals=list(arrivals) if arrivals is not None else None,
        limit=limit,
    )
    return [RegisteredFinding(**row) for row in rows]


def withdraw(engine: Engine, report_id: int, reason: str, actor: str) -> int:
    """Withdraw a report: its current revision no longer counts, and no earlier one takes its place.

    The same content sent again is quarantined until somebody waives that; other content is taken in as usual.
    Returns the revision withdrawn. Raises :class:`ReportNotFound`.
    """
    if not reason.strip() or not actor.strip():
        raise WarehouseError("Withdrawing a report needs a reason and who decided it.", mend="Give both.")
    with engine.begin() as connection:
        row = connection.execute(
            text(
                "select current_revision_id from registry.report where report_id = :report for no key update"
            ),
            {"report": report_id},
        ).one_or_none()
        if row is None or row.current_revision_id is None:
            raise ReportNotFound(
                f"Report {report_id} does not exist."
                if row is None
                else f"Report {report_id} has nothing accepted.",
                mend="See: warehouse reports",
                report=report_id,
            )
        revision = int(row.current_revision_id)
        connection.execute(
            text("update registry.revision set status = 'withdrawn' where revision_id = :revision"),
            {"revision": revision},
        )
        connection.execute(
            text(
                "insert into registry.revision_status (revision_id, status, cause, actor)"
                " values (:revision, 'withdrawn', :reason, :actor)"
            ),
            {"revision": revision, "reason": reason, "actor": actor},
        )
        connection.execute(
            text("update registry.report set current_revision_id = null where report_id = :report"),
            {"report": report_id},
        )
        connection.execute(
            text(
                "insert into registry.change (report_id, from_revision_id, to_revision_id, cause)"
                " values (:report, :revision, null, :cause)"
            ),
            {"report": report_id, "revision": revision, "cause": f"withdrawn: {reason}"},
        )
        tell_wholes(connection, [report_id], f"withdrawn: {reason}")
    log.info("report withdrawn", report=report_id, revision=revision, actor=actor)
    return revision


def _select(engine: Engine, statement: str, **values: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(statement), values).mappings()]


def _grouped(rows: Sequence[RegisteredFinding], key: str) -> dict[int, tuple[RegisteredFinding, ...]]:
    grouped: dict[int, list[RegisteredFinding]] = {}
    for row in rows:
        grouped.setdefault(getattr(row, key), []).append(row)
    return {number: tuple(found) for number, found in grouped.items()}
