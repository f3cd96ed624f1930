"""What the registry knows of the reports of files, and what becomes of each.

Reports are locked in one order before they are judged, so that lanes that meet at a report wait for each
other instead of overtaking.
"""

from dataclasses import replace

from sqlalchemy import Connection, text

from ingestion.findings import Finding
from ingestion.items import IDENTITY, Item
from ingestion.judging import Content, History, KnownRevision, Outcome, decide, judge, outcome_of, status_of
from ingestion.placing import Lane

_INSERT_REPORTS = """
insert into registry.report (
    form_code, part, subject_type, subject_code, organization_key, region_code,
    period_type, period_start, period_end
)
select i.form_code, i.part, i.subject_type, i.subject_code, i.organization_key, i.region_code,
    i.period_type, i.period_start, i.period_end
from unnest(
    cast(:form_code as text[]), cast(:part as text[]), cast(:subject_type as text[]),
    cast(:subject_code as text[]), cast(:organization_key as int[]), cast(:region_code as text[]),
    cast(:period_type as text[]), cast(:period_start as date[]), cast(:period_end as date[])
) as i (
    form_code, part, subject_type, subject_code, organization_key, region_code,
    period_type, period_start, period_end
)
where not exists (
    select from registry.report as r
    where (r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end)
        = (i.form_code, i.part, i.subject_type, i.subject_code, i.period_type, i.period_start, i.period_end)
)
order by 1, 2, 3, 4, 7, 8, 9
on conflict do nothing
"""

# Not "for update": rows that merely refer to a report need not wait.
_LOCK_REPORTS = """
select r.report_id, r.current_revision_id, i.row_no
from registry.report as r
inner join unnest(
    cast(:form_code as text[]), cast(:part as text[]), cast(:subject_type as text[]),
    cast(:subject_code as text[]), cast(:period_type as text[]), cast(:period_start as date[]),
    cast(:period_end as date[])
) with ordinality
    as i (form_code, part, subject_type, subject_code, period_type, period_start, period_end, row_no)
    on (r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end)
    = (i.form_code, i.part, i.subject_type, i.subject_code, i.period_type, i.period_start, i.period_end)
order by r.report_id
for no key update of r
"""

_HISTORY = """
select v.report_id, v.revision_id, v.revision_no, v.arrival_id, v.content_hash, v.status, v.received_at,
    v.reporter_key
from registry.revision as v
where v.report_id = any(:reports)
order by v.report_id, v.revision_no
"""

_LINKS = """
select arrival_id, report_id, revision_id from registry.arrival_report where arrival_id = any(:arrivals)
"""

_OUTCOMES = """
select distinct revision_id, rule_id, severity, waiver_id is not null, field_code, breakdown
from registry.finding
where revision_id = any(:revisions)
"""


def lock(connection: Connection, items: list[Item], *, again: bool) -> None:
    """Make missing report rows, lock all of these reports in one order, and read their histories."""
    columns = {name: [getattr(item, name) for item in items] for name in IDENTITY}
    more = {name: [getattr(item, name) for item in items] for name in ("organization_key", "region_code")}
    connection.execute(text(_INSERT_REPORTS), {**columns, **more})
    current: dict[int, int | None] = {}
    for report_id, current_id, row_no in connection.execute(text(_LOCK_REPORTS), columns).all():
        items[row_no - 1].report_id = report_id
        current[report_id] = current_id
    known: dict[int, list[KnownRevision]] = {}
    for report_id, *values in connection.execute(text(_HISTORY), {"reports": list(current)}).all():
        known.setdefault(report_id, []).append(KnownRevision(*values))
    links: dict[tuple[int, int], int] = {}
    if again:
        arrivals = sorted({item.arrival.arrival_id for item in items})
        found = connection.execute(text(_LINKS), {"arrivals": arrivals}).all()
        links = {(arrival_id, report_id): revision_id for arrival_id, report_id, revision_id in found}
    said_before = set(links.values())
    judged_before = [
        one.revision_id
        for report_id, revisions in known.items()
        for one in revisions
        if one.status == "quarantined"
        or (again and (one.revision_id in said_before or one.revision_id == current[report_id]))
    ]
    outcomes = _outcomes(connection, judged_before)
    for item in items:
        revisions = [
            replace(one, outcome=outcomes[one.revision_id]) if one.revision_id in outcomes else one
            for one in known.get(item.report_id, [])
        ]
        item.history = History(tuple(revisions), current[item.report_id])
        item.again = links.get((item.arrival.arrival_id, item.report_id))


def _outcomes(connection: Connection, revisions: list[int]) -> dict[int, Outcome]:
    found: dict[int, set[tuple[str, str, bool, str | None, str | None]]] = {one: set() for one in revisions}
    if revisions:
        for revision_id, *outcome in connection.execute(text(_OUTCOMES), {"revisions": revisions}).all():
            found[revision_id].add((outcome[0], outcome[1], outcome[2], outcome[3], outcome[4]))
    return {revision_id: frozenset(outcome) for revision_id, outcome in found.items()}


def judge_item(item: Item, lane: Lane) -> None:
    """Judge a report with what its history tells, and decide what becomes of its content."""
    arrival = item.arrival
    findings = [*item.findings, *_findings_of_history(item)]
    item.judged = judge(
        findings,
        lane.waivers,
        form_code=item.form_code,
        subject_code=item.subject_code,
        start=item.period_start,
        end=item.period_end,
    )
    item.status = status_of(item.judged)
    content = Content(
        arrival.arrival_id, item.content_hash, arrival.received_at, item.status, outcome_of(item.judged)
    )
    item.decision = decide(item.history, content, again=item.again)


def _findings_of_history(item: Item) -> list[Finding]:
    """What only the report's earlier revisions can tell."""
    arrival = item.arrival
    found = []
    if item.history.was_withdrawn(item.content_hash):
        found.append(
            Finding(
                rule_id="WITHDRAWN_CONTENT",
                level="history",
                severity="hard",
                report_no=item.report_no,
                sheet=item.sheet,
                message_zh="内容与已撤回的版本完全相同；请报送更正后的数据，确属无误的请由统计人员登记豁免",
                message_en="the content equals a revision that was withdrawn; send mended numbers, or waive this rule",
            )
        )
    others = {
        one.reporter_key
        for one in item.history.revisions
        if one.arrival_id != arrival.arrival_id
        and one.received_at <= arrival.received_at
        and one.reporter_key is not None
        and one.status != "withdrawn"
    }
    if item.reporter_key is not None and others - {item.reporter_key}:
        found.append(
            Finding(
                rule_id="TWO_REPORTERS",
                level="history",
                severity="soft",
                report_no=item.report_no,
                sheet=item.sheet,
                message_zh="这份报表先后由不同单位报送（本单位与代报单位），请确认由谁负责报送",
                message_en="this report was sent by different units (itself and a proxy); settle who files it",
            )
        )
    return found
