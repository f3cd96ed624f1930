"""What the registry knows of the reports of files, and what becomes of each.

Reports are locked in one order before they are judged, so that lanes that meet at a report wait for each
other instead of overtaking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, text

from ingestion.findings import Finding, Severity
from ingestion.form import previous_period
from ingestion.items import IDENTITY, Item
from ingestion.judging import (
    ACCEPTED,
    Content,
    History,
    KnownRevision,
    Outcome,
    decide,
    judge,
    outcome_of,
    status_of,
)
from ingestion.placing import Lane

STALE_FROM = 3
"""From how many values other than zero on equality with the period before is worth a word."""

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

_OF_THESE = """
from registry.report as r
inner join unnest(
    cast(:form_code as text[]), cast(:part as text[]), cast(:subject_type as text[]),
    cast(:subject_code as text[]), cast(:period_type as text[]), cast(:period_start as date[]),
    cast(:period_end as date[])
) with ordinality
    as i (form_code, part, subject_type, subject_code, period_type, period_start, period_end, row_no)
    on (r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end)
    = (i.form_code, i.part, i.subject_type, i.subject_code, i.period_type, i.period_start, i.period_end)
"""

# For a report that is only looked at.
_FIND_REPORTS = f"select r.report_id, r.current_revision_id, i.row_no {_OF_THESE} order by r.report_id"

# Not "for update": rows that merely refer to a report need not wait.
_LOCK_REPORTS = f"{_FIND_REPORTS} for no key update of r"

_HISTORY = """
select v.report_id, v.revision_id, v.revision_no, v.arrival_id, v.content_hash, v.status, v.received_at,
    v.reporter_key,
    (
        select max(a.received_at)
        from registry.arrival_report as l
        inner join registry.arrival as a on a.arrival_id = l.arrival_id
        where l.revision_id = v.revision_id
    ) as confirmed_at,
    exists (
        select from registry.revision_status as s
        where s.revision_id = v.revision_id and s.status in ('accepted', 'accepted_with_warnings')
    ) as was_accepted
from registry.revision as v
where v.report_id = any(:reports)
order by v.report_id, v.revision_no
"""

_LINKS = """
select arrival_id, report_id, revision_id from registry.arrival_report where arrival_id = any(:arrivals)
"""

_BEFORE = f"""
select i.row_no, v.content_hash {_OF_THESE}
inner join registry.revision as v on v.revision_id = r.current_revision_id
"""

_OUTCOMES = """
select distinct revision_id, rule_id, severity, waiver_id is not null, field_code, breakdown
from registry.finding
where revision_id = any(:revisions)
"""


@dataclass
class Plan:
    """What would have become of reports, while a dry run reads file after file and writes nothing."""

    histories: dict[tuple[object, ...], History] = field(default_factory=dict)
    drawn: int = 0

    def remember(self, item: Item) -> None:
        """Go on from here as if the item's decision had been carried out."""
        decision, arrival = item.decision, item.arrival
        over = set(decision.superseded)
        revisions = [
            replace(one, status="superseded") if one.revision_id in over else one
            for one in item.history.revisions
        ]
        current = item.history.current_id
        if decision.same_as is not None:
            revisions = [
                replace(one, confirmed_at=max(one.last_said, arrival.received_at))
                if one.revision_id == decision.same_as
                else one
                for one in revisions
            ]
        else:
            # Numbers below zero are nobody's: what is only planned has none.
            self.drawn -= 1
            item.revision_no = max((one.revision_no for one in revisions), default=0) + 1
            revisions.append(
                KnownRevision(
                    revision_id=self.drawn,
                    revision_no=item.revision_no,
                    arrival_id=arrival.arrival_id,
                    content_hash=item.content_hash,
                    status=decision.status,
                    received_at=arrival.received_at,
                    reporter_key=item.reporter_key,
                    confirmed_at=arrival.received_at,
                    was_accepted=item.status in ACCEPTED,
                    outcome=outcome_of(item.judged),
                )
            )
            current = self.drawn if decision.becomes_current else current
        self.histories[item.identity] = History(tuple(revisions), current)


def lock(connection: Connection, items: list[Item], *, again: bool) -> None:
    """Make missing report rows, lock all of these reports in one order, and read their histories."""
    columns = {name: [getattr(item, name) for item in items] for name in IDENTITY}
    more = {name: [getattr(item, name) for item in items] for name in ("organization_key", "region_code")}
    connection.execute(text(_INSERT_REPORTS), {**columns, **more})
    _read(connection, items, _LOCK_REPORTS, again=again)


def look(connection: Connection, items: list[Item], plan: Plan, *, again: bool) -> None:
    """Read the histories of these reports as they would be after what is planned; nothing is locked or made."""
    _read(connection, items, _FIND_REPORTS, again=again, planned=plan.histories)


def _read(
    connection: Connection,
    items: list[Item],
    statement: str,
    *,
    again: bool,
    planned: Mapping[tuple[object, ...], History] | None = None,
) -> None:
    columns = {name: [getattr(item, name) for item in items] for name in IDENTITY}
    current: dict[int, int | None] = {}
    for report_id, current_id, row_no in connection.execute(text(statement), columns).all():
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
    for item in items:
        stands = History(tuple(known.get(item.report_id, ())), current.get(item.report_id))
        item.history = (planned or {}).get(item.identity, stands)
        item.again = links.get((item.arrival.arrival_id, item.report_id))
    judged_before = {
        one.revision_id
        for item in items
        for one in item.history.revisions
        if one.outcome is None
        and (
            one.status == "quarantined"
            or (again and one.revision_id in (item.again, item.history.current_id))
        )
    }
    outcomes = _outcomes(connection, sorted(judged_before))
    for item in items:
        item.history = replace(
            item.history,
            revisions=tuple(
                replace(one, outcome=outcomes[one.revision_id]) if one.revision_id in outcomes else one
                for one in item.history.revisions
            ),
        )


def _outcomes(connection: Connection, revisions: list[int]) -> dict[int, Outcome]:
    found: dict[int, set[tuple[str, str, bool, str | None, str | None]]] = {one: set() for one in revisions}
    if revisions:
        for revision_id, *outcome in connection.execute(text(_OUTCOMES), {"revisions": revisions}).all():
            found[revision_id].add((outcome[0], outcome[1], outcome[2], outcome[3], outcome[4]))
    return {revision_id: frozenset(outcome) for revision_id, outcome in found.items()}


def judge_items(connection: Connection, items: Sequence[Item], lane: Lane, plan: Plan | None = None) -> None:
    """Judge reports with what their histories tell, and decide what becomes of the content of each."""
    before = _contents_before(connection, items, plan)
    for item in sorted(items, key=lambda item: (item.arrival.received_at, item.period_end)):
        earlier = _identity_before(item)
        _judge(item, lane, before.get(earlier) if earlier else None)
        if item.decision.becomes_current and item.identity in before:
            before[item.identity] = item.content_hash
        if plan is not None:
            plan.remember(item)


def _contents_before(
    connection: Connection, items: Sequence[Item], plan: Plan | None
) -> dict[tuple[object, ...], str | None]:
    """Content that stands for the period before each report, by identity; None where there is none yet."""
    asked = list({earlier: None for item in items if (earlier := _identity_before(item))})
    before: dict[tuple[object, ...], str | None] = dict.fromkeys(asked)
    if asked:
        columns = {name: [one[number] for one in asked] for number, name in enumerate(IDENTITY)}
        for row_no, content_hash in connection.execute(text(_BEFORE), columns).all():
            before[asked[row_no - 1]] = content_hash
        for identity, history in (plan.histories if plan is not None else {}).items():
            if identity in before:
                before[identity] = history.current.content_hash if history.current else None
    return before


def _identity_before(item: Item) -> tuple[object, ...] | None:
    """Identity of the same subject's report for the period before; None where no comparison is worth a word."""
    filled = item.nonzero_count if item.nonzero_count is not None else item.value_count
    if item.period_type == "event" or filled < STALE_FROM:
        return None
    start, end = previous_period(item.period_type, item.period_start, item.period_end)
    return (*(getattr(item, name) for name in IDENTITY[:5]), start, end)


def _judge(item: Item, lane: Lane, content_before: str | None) -> None:
    arrival = item.arrival
    findings = [*item.findings, *_findings_of_history(item, content_before)]
    item.judged = judge(
        findings,
        lane.waivers,
        form_code=item.form_code,
        subject_code=item.subject_code,
        start=item.period_start,
        end=item.period_end,
        severities=lane.severities,
    )
    item.status = status_of(item.judged)
    content = Content(
        arrival.arrival_id, item.content_hash, arrival.received_at, item.status, outcome_of(item.judged)
    )
    item.decision = decide(item.history, content, again=item.again)


def _findings_of_history(item: Item, content_before: str | None) -> list[Finding]:
    """What only the report's earlier revisions can tell."""
    arrival = item.arrival
    found = []
    if item.history.was_withdrawn(item.content_hash):
        found.append(
            _of_history(
                item,
                "WITHDRAWN_CONTENT",
                "hard",
                "内容与已撤回的版本完全相同；请报送更正后的数据，确属无误的请由统计人员登记豁免",
                "the content equals a revision that was withdrawn; send mended numbers, or waive this rule",
            )
        )
    if content_before == item.content_hash:
        found.append(
            _of_history(
                item,
                "STALE_COPY",
                "soft",
                "全部数字与上一期的报表完全相同，可能误把上期的文件当作本期报送，请核对",
                "every number equals the report of the period before; last period's file may have been sent"
                " again by mistake",
            )
        )
    content = Content(arrival.arrival_id, item.content_hash, arrival.received_at, "", frozenset())
    returned = item.history.returns_to(content)
    if returned is not None:
        found.append(
            _of_history(
                item,
                "OLDER_CONTENT",
                "soft",
                f"内容与第{returned.revision_no}版相同，而该版此后已被订正；请确认不是误把旧文件重新报送",
                f"the content is that of revision {returned.revision_no}, which was amended since; make sure"
                " that no old file was sent again by mistake",
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
            _of_history(
                item,
                "TWO_REPORTERS",
                "soft",
                "这份报表先后由不同单位报送（本单位与代报单位），请确认由谁负责报送",
                "this report was sent by different units (itself and a proxy); settle who files it",
            )
        )
    return found


def _of_history(item: Item, rule_id: str, severity: Severity, message_zh: str, message_en: str) -> Finding:
    return Finding(
        rule_id=rule_id,
        level="history",
        severity=severity,
        report_no=item.report_no,
        sheet=item.sheet,
        message_zh=message_zh,
        message_en=message_en,
    )
