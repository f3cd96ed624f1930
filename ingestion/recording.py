"""What a file said, into the registry and the raw tables: set by set, inside the caller's transaction.

Reports are locked in one order before they are judged, so that lanes that meet at a report wait for each
other instead of overtaking.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, text

from ingestion.findings import ROW_FAULTS, Finding
from ingestion.judging import (
    Content,
    Decision,
    History,
    Judged,
    KnownRevision,
    Outcome,
    decide,
    judge,
    outcome_of,
    status_of,
)
from ingestion.load import copy_frame
from ingestion.placing import Lane
from ingestion.reading import Reading

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

_OUTCOMES = """
select distinct revision_id, rule_id, severity, waiver_id is not null, field_code, breakdown
from registry.finding
where revision_id = any(:revisions)
"""

_INSERT_REVISIONS = """
insert into registry.revision (
    report_id, revision_no, arrival_id, edition, reporter_key, content_hash, status,
    record_count, value_count, received_at
)
select i.report_id, i.revision_no, :arrival_id, i.edition, i.reporter_key, i.content_hash, i.status,
    i.record_count, i.value_count, :received_at
from unnest(
    cast(:report_id as bigint[]), cast(:revision_no as int[]), cast(:edition as text[]),
    cast(:reporter_key as int[]), cast(:content_hash as text[]), cast(:status as text[]),
    cast(:record_count as int[]), cast(:value_count as int[])
) with ordinality as i (
    report_id, revision_no, edition, reporter_key, content_hash, status, record_count, value_count, row_no
)
order by i.row_no
returning report_id, revision_no, revision_id
"""

_LOG_STATUS = """
insert into registry.revision_status (revision_id, status, cause)
select i.revision_id, i.status, :cause
from unnest(cast(:revision_id as bigint[]), cast(:status as text[])) as i (revision_id, status)
"""

_SUPERSEDE = """
update registry.revision set status = 'superseded'
where revision_id = any(:revisions) and status not in ('superseded', 'withdrawn')
returning revision_id
"""

_MOVE_CURRENT = """
update registry.report as r set current_revision_id = i.revision_id
from unnest(cast(:report_id as bigint[]), cast(:revision_id as bigint[])) as i (report_id, revision_id)
where r.report_id = i.report_id
"""

_LOG_CHANGE = """
insert into registry.change (report_id, from_revision_id, to_revision_id, cause)
select i.report_id, i.from_revision_id, i.to_revision_id, :cause
from unnest(cast(:report_id as bigint[]), cast(:before as bigint[]), cast(:after as bigint[]))
    as i (report_id, from_revision_id, to_revision_id)
"""

_LINK = """
insert into registry.arrival_report as l (arrival_id, report_id, revision_id)
select :arrival_id, i.report_id, i.revision_id
from unnest(cast(:report_id as bigint[]), cast(:revision_id as bigint[])) as i (report_id, revision_id)
on conflict (arrival_id, report_id) do update set revision_id = excluded.revision_id
where l.revision_id <> excluded.revision_id
"""

_POSITIONS = """
insert into registry.field_position as p (arrival_id, sheet, field_code, source_row, source_column)
select :arrival_id, i.sheet, i.field_code, i.source_row, i.source_column
from unnest(
    cast(:sheet as text[]), cast(:field_code as text[]), cast(:source_row as int[]), cast(:source_column as int[])
) as i (sheet, field_code, source_row, source_column)
on conflict (arrival_id, sheet, field_code) do update
    set source_row = excluded.source_row, source_column = excluded.source_column
    where (p.source_row, p.source_column) is distinct from (excluded.source_row, excluded.source_column)
"""

_IDENTITY = ("form_code", "part", "subject_type", "subject_code", "period_type", "period_start", "period_end")


@dataclass(frozen=True)
class Group:
    """A reading with its placed reports (see :func:`ingestion.placing.place`) and everything found in it."""

    reading: Reading
    reports: pl.DataFrame
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Arrival:
    """The arrival that is being recorded."""

    arrival_id: int
    received_at: datetime


@dataclass
class Item:
    """One report of the file on its way into the registry."""

    group: int
    report_no: int
    form_code: str
    part: str
    subject_type: str
    subject_code: str
    organization_key: int | None
    region_code: str | None
    period_type: str
    period_start: date
    period_end: date
    edition: str
    reporter_key: int | None
    content_hash: str
    record_count: int
    value_count: int
    sheet: str | None
    findings: list[Finding] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    report_id: int = 0
    history: History = field(default_factory=History)
    again: int | None = None
    status: str = ""
    decision: Decision = field(default_factory=Decision)
    revision_no: int = 0
    revision_id: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it the same report as another."""
        return tuple(getattr(self, name) for name in _IDENTITY)

    @property
    def kind(self) -> str:
        """What happened, in one word: new, revised, unchanged, quarantined or outdated."""
        if self.decision.same_as is not None:
            return "unchanged"
        if self.decision.becomes_current:
            return "revised" if self.history.current_id is not None else "new"
        return "quarantined" if self.decision.status == "quarantined" else "outdated"


@dataclass(frozen=True)
class Recorded:
    """What recording a file did: its reports by what happened, and the findings written."""

    items: tuple[Item, ...]
    unplaced: int
    findings: tuple[Judged, ...]
    whole_file: tuple[Finding, ...] = ()

    @property
    def kinds(self) -> Counter[str]:
        """Reports by what happened."""
        counts = Counter(item.kind for item in self.items)
        if self.unplaced:
            counts["unplaced"] = self.unplaced
        return counts


def record(
    connection: Connection,
    arrival: Arrival,
    groups: Sequence[Group],
    lane: Lane,
    *,
    cause: str,
    again: bool = False,
    partial: bool = False,
) -> Recorded:
    """Record everything a file said. ``again``: the file was recorded before and has been read anew, perhaps only
    a part of it (``partial``).

    Locks the reports, judges each against its history, then writes what is new: revisions, their rows,
    findings, positions, the moved current revision and the change for the next release.
    """
    items, whole_file, unplaced = _items(groups)
    _mark_repeated(items)
    if items:
        _lock(connection, arrival, items, again=again)
    for item in items:
        _judge(item, arrival, lane)
    new = [item for item in items if item.decision.same_as is None]
    if new:
        _write_revisions(connection, arrival, new, cause)
        _copy_rows(connection, arrival, groups, new)
    _move(connection, items, cause)
    _link(connection, arrival, items)
    findings = [(one, item) for item in new for one in item.judged]
    apart: list[tuple[Judged, Item | None]] = [(Judged(one), None) for one in whole_file]
    if not again:
        apart += [
            (one, item)
            for item in items
            if item.decision.same_as is not None
            for one in item.judged
            if one.finding.rule_id == "TWO_REPORTERS"
        ]
    _write_findings(connection, arrival, findings)
    write_file_findings(connection, arrival, apart, again=again, partial=partial)
    return Recorded(tuple(items), unplaced, tuple(one for one, _ in (*findings, *apart)), tuple(whole_file))


def write_file_findings(
    connection: Connection,
    arrival: Arrival,
    findings: Iterable[tuple[Judged, Item | None]],
    *,
    again: bool = False,
    partial: bool = False,
) -> None:
    """Write findings that belong to no revision; on a second reading only what differs from the first.

    What a second reading of the whole file no longer meets is resolved.
    """
    wanted = list(findings)
    if again:
        known = {
            tuple(row[1:]): row[0]
            for row in connection.execute(
                text(
                    "select finding_id, rule_id, sheet, cell, value from registry.finding"
                    " where arrival_id = :arrival_id and revision_id is null and report_id is null"
                    " and resolved_at is null"
                ),
                {"arrival_id": arrival.arrival_id},
            )
        }
        found = {(f.rule_id, f.sheet, f.cell, f.value) for f in (one.finding for one, _ in wanted)}
        gone = [finding_id for place, finding_id in known.items() if place not in found]
        if gone and not partial:
            connection.execute(
                text("update registry.finding set resolved_at = now() where finding_id = any(:gone)"),
                {"gone": gone},
            )
        wanted = [
            (one, item)
            for one, item in wanted
            if (one.finding.rule_id, one.finding.sheet, one.finding.cell, one.finding.value) not in known
        ]
    _write_findings(connection, arrival, wanted, of_revision=False)


def _items(groups: Sequence[Group]) -> tuple[list[Item], list[Finding], int]:
    """Reports that could be placed with their findings, findings on the whole file, reports without a unit."""
    items: list[Item] = []
    whole_file: list[Finding] = []
    unplaced = 0
    for number, group in enumerate(groups):
        here: dict[int, Item] = {}
        for row in group.reports.iter_rows(named=True):
            if row["subject_code"] is None:
                unplaced += 1
                continue
            here[row["report_no"]] = Item(
                group=number,
                report_no=row["report_no"],
                form_code=group.reading.form.code,
                part=group.reading.part,
                subject_type=row["subject_type"],
                subject_code=row["subject_code"],
                organization_key=row["organization_key"],
                region_code=row["region_code"],
                period_type=row["period_type"],
                period_start=row["period_start"],
                period_end=row["period_end"],
                edition=group.reading.edition,
                reporter_key=row["reporter_key"],
                content_hash=row["content_hash"],
                record_count=row["record_count"],
                value_count=row["value_count"],
                sheet=row["sheet"],
            )
        for finding in group.findings:
            if finding.report_no in here:
                here[finding.report_no].findings.append(finding)
            elif (
                finding.report_no is not None
                or finding.severity == "soft"
                or finding.rule_id in ROW_FAULTS
                or not here
            ):
                whole_file.append(finding)
            else:
                # A table that cannot be trusted keeps every one of its reports out.
                for item in here.values():
                    item.findings.append(finding)
        items += here.values()
    return items, whole_file, unplaced


def _mark_repeated(items: list[Item]) -> None:
    """A report that stands in two tables of a file, or under two names of its unit."""
    by_identity: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        by_identity.setdefault(item.identity, []).append(item)
    for same in by_identity.values():
        if len(same) == 1:
            continue
        if len({item.content_hash for item in same}) == 1:
            for item in same[1:]:
                items.remove(item)
            continue
        places = "、".join(sorted({item.sheet or "?" for item in same}))
        for item in same:
            item.findings.append(
                Finding(
                    rule_id="REPORT_TWICE_IN_FILE",
                    level="report",
                    severity="hard",
                    report_no=item.report_no,
                    sheet=item.sheet,
                    message_zh=f"{item.subject_code}在{item.period_start}这一期的报表在文件中出现{len(same)}次且内容不同"
                    f"（{places}），请只保留正确的一份",
                    message_en=f"the report of {item.subject_code} for {item.period_start} stands {len(same)} times in"
                    f" the file with different content ({places}); keep the right one",
                )
            )


def _lock(connection: Connection, arrival: Arrival, items: list[Item], *, again: bool) -> None:
    """Make missing report rows, lock all of the file's reports in one order, and read their histories."""
    columns = {name: [getattr(item, name) for item in items] for name in _IDENTITY}
    more = {name: [getattr(item, name) for item in items] for name in ("organization_key", "region_code")}
    connection.execute(text(_INSERT_REPORTS), {**columns, **more})
    current: dict[int, int | None] = {}
    for report_id, current_id, row_no in connection.execute(text(_LOCK_REPORTS), columns).all():
        items[row_no - 1].report_id = report_id
        current[report_id] = current_id
    known: dict[int, list[KnownRevision]] = {}
    for report_id, *values in connection.execute(text(_HISTORY), {"reports": list(current)}).all():
        known.setdefault(report_id, []).append(KnownRevision(*values))
    links: dict[int, int] = {}
    if again:
        links = dict(
            connection.execute(
                text(
                    "select report_id, revision_id from registry.arrival_report where arrival_id = :arrival_id"
                ),
                {"arrival_id": arrival.arrival_id},
            ).all()
        )
    judged_before = [
        one.revision_id
        for report_id, revisions in known.items()
        for one in revisions
        if one.status == "quarantined"
        or (again and one.revision_id in (links.get(report_id), current[report_id]))
    ]
    outcomes = _outcomes(connection, judged_before)
    for item in items:
        revisions = [
            replace(one, outcome=outcomes[one.revision_id]) if one.revision_id in outcomes else one
            for one in known.get(item.report_id, [])
        ]
        item.history = History(tuple(revisions), current[item.report_id])
        item.again = links.get(item.report_id)


def _outcomes(connection: Connection, revisions: list[int]) -> dict[int, Outcome]:
    found: dict[int, set[tuple[str, str, bool, str | None, str | None]]] = {one: set() for one in revisions}
    if revisions:
        for revision_id, *outcome in connection.execute(text(_OUTCOMES), {"revisions": revisions}).all():
            found[revision_id].add((outcome[0], outcome[1], outcome[2], outcome[3], outcome[4]))
    return {revision_id: frozenset(outcome) for revision_id, outcome in found.items()}


def _judge(item: Item, arrival: Arrival, lane: Lane) -> None:
    findings = [*item.findings, *_findings_of_history(item, arrival)]
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


def _findings_of_history(item: Item, arrival: Arrival) -> list[Finding]:
    """What only the report's earlier revisions can tell."""
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


def _write_revisions(connection: Connection, arrival: Arrival, new: list[Item], cause: str) -> None:
    last: dict[int, int] = {}
    for item in new:
        highest = max((one.revision_no for one in item.history.revisions), default=0)
        item.revision_no = last[item.report_id] = last.get(item.report_id, highest) + 1
    ids = {
        (report_id, revision_no): revision_id
        for report_id, revision_no, revision_id in connection.execute(
            text(_INSERT_REVISIONS),
            {
                "arrival_id": arrival.arrival_id,
                "received_at": arrival.received_at,
                "status": [item.decision.status for item in new],
                **{
                    name: [getattr(item, name) for item in new]
                    for name in (
                        "report_id",
                        "revision_no",
                        "edition",
                        "reporter_key",
                        "content_hash",
                        "record_count",
                        "value_count",
                    )
                },
            },
        ).all()
    }
    for item in new:
        item.revision_id = ids[item.report_id, item.revision_no]
    _log_status(connection, [(item.revision_id, item.status) for item in new], cause)
    outdated = [(item.revision_id, "superseded") for item in new if item.decision.status == "superseded"]
    _log_status(connection, outdated, "a later content stands already")


def _copy_rows(connection: Connection, arrival: Arrival, groups: Sequence[Group], new: list[Item]) -> None:
    """COPY the records of new revisions, and say which cells they stood in."""
    positions = []
    for number, group in enumerate(groups):
        ids = [(item.report_no, item.revision_id) for item in new if item.group == number]
        if not ids:
            continue
        reading = group.reading
        revisions = pl.DataFrame(
            ids,
            schema={"report_no": reading.records["report_no"].dtype, "revision_id": pl.Int64},
            orient="row",
        )
        rows = reading.records.join(revisions, on="report_no", how="inner", maintain_order="left")
        copy_frame(
            connection,
            "raw",
            reading.form.code,
            rows.select(
                "revision_id",
                "record_no",
                *[column.code for column in reading.form.columns],
                "null_reasons",
                "source_sheet",
                "source_row",
                "source_column",
            ),
        )
        positions.append(reading.positions.select("sheet", "field_code", "source_row", "source_column"))
    if positions:
        all_positions = pl.concat(positions, how="vertical_relaxed").unique(
            ["sheet", "field_code"], keep="first"
        )
        connection.execute(
            text(_POSITIONS),
            {"arrival_id": arrival.arrival_id, **all_positions.to_dict(as_series=False)},
        )


def _move(connection: Connection, items: list[Item], cause: str) -> None:
    """Supersede what was replaced, move the current revisions, and tell the next release."""
    over = sorted({revision for item in items for revision in item.decision.superseded})
    if over:
        done = connection.scalars(text(_SUPERSEDE), {"revisions": over}).all()
        _log_status(
            connection, [(revision, "superseded") for revision in done], "a later content took its place"
        )
    moved = [item for item in items if item.decision.becomes_current]
    if moved:
        reports, revisions = [item.report_id for item in moved], [item.revision_id for item in moved]
        connection.execute(text(_MOVE_CURRENT), {"report_id": reports, "revision_id": revisions})
        connection.execute(
            text(_LOG_CHANGE),
            {
                "report_id": reports,
                "before": [item.history.current_id for item in moved],
                "after": revisions,
                "cause": cause,
            },
        )


def _link(connection: Connection, arrival: Arrival, items: list[Item]) -> None:
    links = {item.report_id: item.decision.same_as or item.revision_id for item in items}
    if links:
        connection.execute(
            text(_LINK),
            {
                "arrival_id": arrival.arrival_id,
                "report_id": list(links),
                "revision_id": list(links.values()),
            },
        )


def _log_status(connection: Connection, transitions: Sequence[tuple[int, str]], cause: str) -> None:
    if transitions:
        connection.execute(
            text(_LOG_STATUS),
            {
                "revision_id": [revision for revision, _ in transitions],
                "status": [status for _, status in transitions],
                "cause": cause,
            },
        )


_FINDING_SCHEMA = {
    "arrival_id": pl.Int64,
    "revision_id": pl.Int64,
    "report_id": pl.Int64,
    "rule_id": pl.String,
    "level": pl.String,
    "severity": pl.String,
    "waiver_id": pl.Int64,
    "sheet": pl.String,
    "cell": pl.String,
    "field_code": pl.String,
    "breakdown": pl.String,
    "value": pl.String,
    "message_zh": pl.String,
    "message_en": pl.String,
}


def _write_findings(
    connection: Connection,
    arrival: Arrival,
    findings: Sequence[tuple[Judged, Item | None]],
    *,
    of_revision: bool = True,
) -> None:
    rows = [
        (
            arrival.arrival_id,
            item.revision_id if item is not None and of_revision else None,
            item.report_id if item is not None else None,
            one.finding.rule_id,
            one.finding.level,
            one.finding.severity,
            one.waiver_id,
            one.finding.sheet,
            one.finding.cell,
            one.finding.field_code,
            one.finding.breakdown,
            one.finding.value,
            one.finding.message_zh,
            one.finding.message_en,
        )
        for one, item in findings
    ]
    copy_frame(connection, "registry", "finding", pl.DataFrame(rows, schema=_FINDING_SCHEMA, orient="row"))
