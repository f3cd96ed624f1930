"""What files said, into the registry and the raw tables: set by set, inside the caller's transaction.

Several files are recorded at once as long as no two of them are about the same report.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ingestion import premature
from ingestion.finding_rows import write_file_findings, write_findings
from ingestion.findings import Finding
from ingestion.histories import Plan, judge_items, lock, look
from ingestion.items import Arrival, Filing, Group, Item, items_of, mark_repeated
from ingestion.judging import Judged
from ingestion.obligations import tell_wholes
from ingestion.placing import Lane
from ingestion.record_rows import copy_rows

__all__ = ["Arrival", "Filing", "Group", "Item", "Recorded", "record", "record_all", "write_file_findings"]

# Cards lie in their raw table already, under an id that was drawn beforehand.
_INSERT_REVISIONS = """
insert into registry.revision (
    revision_id, report_id, revision_no, arrival_id, edition, reporter_key, content_hash, status,
    record_count, value_count, nonzero_count, received_at
)
overriding system value
select coalesce(nullif(i.revision_id, 0), nextval('registry.revision_revision_id_seq')), i.report_id, i.revision_no,
    i.arrival_id, i.edition, i.reporter_key, i.content_hash, i.status, i.record_count, i.value_count, i.nonzero_count,
    i.received_at
from unnest(
    cast(:report_id as bigint[]), cast(:revision_no as int[]), cast(:edition as text[]),
    cast(:reporter_key as int[]), cast(:content_hash as text[]), cast(:status as text[]),
    cast(:record_count as int[]), cast(:value_count as int[]), cast(:nonzero_count as int[]),
    cast(:arrival_id as bigint[]), cast(:received_at as timestamptz[]), cast(:revision_id as bigint[])
) with ordinality as i (
    report_id, revision_no, edition, reporter_key, content_hash, status, record_count, value_count, nonzero_count,
    arrival_id, received_at, revision_id, row_no
)
order by i.row_no
returning report_id, revision_no, revision_id
"""

_LOG_STATUS = """
insert into registry.revision_status (revision_id, status, cause)
select i.revision_id, i.status, i.cause
from unnest(cast(:revision_id as bigint[]), cast(:status as text[]), cast(:cause as text[]))
    as i (revision_id, status, cause)
"""

# A revision was received when its file was, however much later somebody read it.
_LOG_RECEIVED = """
insert into registry.revision_status (revision_id, status, at, cause)
select i.revision_id, 'received', i.received_at, i.cause
from unnest(cast(:revision_id as bigint[]), cast(:received_at as timestamptz[]), cast(:cause as text[]))
    as i (revision_id, received_at, cause)
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
select i.report_id, i.from_revision_id, i.to_revision_id, i.cause
from unnest(
    cast(:report_id as bigint[]), cast(:before as bigint[]), cast(:after as bigint[]), cast(:cause as text[])
) with ordinality as i (report_id, from_revision_id, to_revision_id, cause, row_no)
order by i.row_no
"""

# What does not come to count was submitted all the same. A report that is neither accepted nor due is shown nowhere.
_LOG_SUBMITTED = """
insert into registry.change (report_id, from_revision_id, to_revision_id, cause)
select r.report_id, r.current_revision_id, r.current_revision_id, i.cause
from unnest(cast(:report_id as bigint[]), cast(:cause as text[])) as i (report_id, cause)
inner join registry.report as r on i.report_id = r.report_id
where r.current_revision_id is not null
    or exists (select from registry.obligation as o where o.report_id = r.report_id)
order by r.report_id
"""

_LINK = """
insert into registry.arrival_report as l (arrival_id, report_id, revision_id)
select i.arrival_id, i.report_id, i.revision_id
from unnest(cast(:arrival_id as bigint[]), cast(:report_id as bigint[]), cast(:revision_id as bigint[]))
    as i (arrival_id, report_id, revision_id)
on conflict (arrival_id, report_id) do update set revision_id = excluded.revision_id
where l.revision_id <> excluded.revision_id
"""


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
    plan: Plan | None = None,
) -> Recorded:
    """Record everything a file said. ``again``: the file was recorded before and has been read anew, perhaps only
    a part of it (``partial``). With a ``plan`` it is only said what would be done.
    """
    filing = Filing(arrival, groups, cause)
    (recorded,) = record_all(connection, [filing], lane, again=again, partial=partial, plan=plan)
    return recorded


def record_all(
    connection: Connection,
    filings: Sequence[Filing],
    lane: Lane,
    *,
    again: bool = False,
    partial: bool = False,
    plan: Plan | None = None,
) -> list[Recorded]:
    """Record files of which no two are about the same report, each as :func:`record` would alone.

    Locks the reports, judges each against its history, then writes what is new: revisions, their rows,
    findings, positions, the moved current revision and the change for the next release. With a ``plan`` nothing
    is locked or written; what would be done is added to the plan.
    """
    groups: list[Group] = []
    read: list[tuple[list[Item], list[Finding], int]] = []
    filings = [premature.with_findings(filing) for filing in filings]
    for filing in filings:
        items, whole_file, unplaced = items_of(filing, first_group=len(groups))
        mark_repeated(items)
        groups += filing.groups
        read.append((items, whole_file, unplaced))
    every = [item for items, _, _ in read for item in items]
    if every and plan is not None:
        look(connection, every, plan, again=again)
    elif every:
        lock(connection, every, again=again)
    judge_items(connection, every, lane, plan)
    if plan is not None:
        return [
            Recorded(
                tuple(items), unplaced, tuple(one for item in items for one in item.judged), tuple(whole_file)
            )
            for items, whole_file, unplaced in read
        ]
    new = [item for item in every if item.decision.same_as is None]
    if new:
        _write_revisions(connection, new)
        copy_rows(connection, groups, new, again=again)
    _move(connection, every)
    _link(connection, every)
    write_findings(connection, [(item.arrival, one, item) for item in new for one in item.judged])
    recorded = []
    for filing, (items, whole_file, unplaced) in zip(filings, read, strict=True):
        findings = [one for item in items if item.decision.same_as is None for one in item.judged]
        apart: list[tuple[Judged, Item | None]] = [(Judged(one), None) for one in whole_file]
        if not again:
            apart += [
                (one, item)
                for item in items
                if item.decision.same_as is not None
                for one in item.judged
                if one.finding.rule_id == "TWO_REPORTERS"
            ]
        write_file_findings(connection, filing.arrival, apart, again=again, partial=partial)
        recorded.append(
            Recorded(tuple(items), unplaced, (*findings, *(one for one, _ in apart)), tuple(whole_file))
        )
    return recorded


def _write_revisions(connection: Connection, new: list[Item]) -> None:
    last: dict[int, int] = {}
    for item in new:
        highest = max((one.revision_no for one in item.history.revisions), default=0)
        item.revision_no = last[item.report_id] = last.get(item.report_id, highest) + 1
    ids = {
        (report_id, revision_no): revision_id
        for report_id, revision_no, revision_id in connection.execute(
            text(_INSERT_REVISIONS),
            {
                "arrival_id": [item.arrival.arrival_id for item in new],
                "received_at": [item.arrival.received_at for item in new],
                "status": [item.decision.status for item in new],
                **{
                    name: [getattr(item, name) for item in new]
                    for name in (
                        "revision_id",
                        "report_id",
                        "revision_no",
                        "edition",
                        "reporter_key",
                        "content_hash",
                        "record_count",
                        "value_count",
                        "nonzero_count",
                    )
                },
            },
        ).all()
    }
    for item in new:
        item.revision_id = ids[item.report_id, item.revision_no]
    connection.execute(
        text(_LOG_RECEIVED),
        {
            "revision_id": [item.revision_id for item in new],
            "received_at": [item.arrival.received_at for item in new],
            "cause": [item.cause for item in new],
        },
    )
    _log_status(connection, [(item.revision_id, item.status, item.cause) for item in new])
    outdated = [item.revision_id for item in new if item.decision.status == "superseded"]
    _log_status(connection, [(one, "superseded", "a later content stands already") for one in outdated])


def _move(connection: Connection, items: list[Item]) -> None:
    """Supersede what was replaced, move the current revisions, and tell the next release."""
    over = sorted({revision for item in items for revision in item.decision.superseded})
    if over:
        done = connection.scalars(text(_SUPERSEDE), {"revisions": over}).all()
        _log_status(connection, [(one, "superseded", "a later content took its place") for one in done])
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
                "cause": [item.cause for item in moved],
            },
        )
        tell_wholes(connection, [item.report_id for item in moved if item.part], "a part came")
    # A file that is read again is not submitted again.
    held = [
        item
        for item in items
        if item.decision.same_as is None and not item.decision.becomes_current and item.again is None
    ]
    if held:
        connection.execute(
            text(_LOG_SUBMITTED),
            {"report_id": [item.report_id for item in held], "cause": [item.cause for item in held]},
        )


def _link(connection: Connection, items: list[Item]) -> None:
    links = {
        (item.arrival.arrival_id, item.report_id): item.decision.same_as or item.revision_id for item in items
    }
    if links:
        connection.execute(
            text(_LINK),
            {
                "arrival_id": [arrival_id for arrival_id, _ in links],
                "report_id": [report_id for _, report_id in links],
                "revision_id": list(links.values()),
            },
        )


def _log_status(connection: Connection, transitions: Sequence[tuple[int, str, str]]) -> None:
    """Log transitions: revision, status, cause."""
    if transitions:
        connection.execute(
            text(_LOG_STATUS),
            {
                "revision_id": [revision for revision, _, _ in transitions],
                "status": [status for _, status, _ in transitions],
                "cause": [cause for _, _, cause in transitions],
            },
        )
