"""What a file said, into the registry and the raw tables: set by set, inside the caller's transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from sqlalchemy import Connection, text

from ingestion.finding_rows import write_file_findings, write_findings
from ingestion.findings import Finding
from ingestion.histories import judge_item, lock
from ingestion.items import Arrival, Group, Item, items_of, mark_repeated
from ingestion.judging import Judged
from ingestion.load import copy_frame
from ingestion.placing import Lane

__all__ = ["Arrival", "Group", "Item", "Recorded", "record", "write_file_findings"]

_INSERT_REVISIONS = """
insert into registry.revision (
    report_id, revision_no, arrival_id, edition, reporter_key, content_hash, status,
    record_count, value_count, nonzero_count, received_at
)
select i.report_id, i.revision_no, :arrival_id, i.edition, i.reporter_key, i.content_hash, i.status,
    i.record_count, i.value_count, i.nonzero_count, :received_at
from unnest(
    cast(:report_id as bigint[]), cast(:revision_no as int[]), cast(:edition as text[]),
    cast(:reporter_key as int[]), cast(:content_hash as text[]), cast(:status as text[]),
    cast(:record_count as int[]), cast(:value_count as int[]), cast(:nonzero_count as int[])
) with ordinality as i (
    report_id, revision_no, edition, reporter_key, content_hash, status, record_count, value_count, nonzero_count,
    row_no
)
order by i.row_no
returning report_id, revision_no, revision_id
"""

_LOG_STATUS = """
insert into registry.revision_status (revision_id, status, cause)
select i.revision_id, i.status, :cause
from unnest(cast(:revision_id as bigint[]), cast(:status as text[])) as i (revision_id, status)
"""

# A revision was received when its file was, however much later somebody read it.
_LOG_RECEIVED = """
insert into registry.revision_status (revision_id, status, at, cause)
select i.revision_id, 'received', :received_at, :cause
from unnest(cast(:revision_id as bigint[])) as i (revision_id)
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
    items, whole_file, unplaced = items_of(groups)
    mark_repeated(items)
    if items:
        lock(connection, arrival, items, again=again)
    for item in items:
        judge_item(item, arrival, lane)
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
    write_findings(connection, arrival, findings)
    write_file_findings(connection, arrival, apart, again=again, partial=partial)
    return Recorded(tuple(items), unplaced, tuple(one for one, _ in (*findings, *apart)), tuple(whole_file))


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
            "received_at": arrival.received_at,
            "cause": cause,
        },
    )
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
