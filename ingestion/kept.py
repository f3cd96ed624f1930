"""Which kept files and reports a re-reading is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, text

from ingestion.items import Group

# Files that carried a report of the scope; besides them files that nobody could read or place then, which may
# hold anything: their reports are filtered once they can be read.
_ARRIVALS = """
select a.arrival_id, a.received_at, a.registered_at, a.source_code, a.file_name, a.status, f.stored_path
from registry.arrival as a
inner join registry.file as f on f.file_id = a.file_id
where (
    exists (
        select from registry.arrival_report as l
        inner join registry.report as r on r.report_id = l.report_id
        where l.arrival_id = a.arrival_id
            and (cast(:from_ as date) is null or r.period_end >= :from_)
            and (cast(:to as date) is null or r.period_start <= :to)
            and (cast(:forms as text[]) is null or r.form_code = any(:forms))
            and (cast(:units as text[]) is null or r.subject_code = any(:units))
            and (
                not :waiting_only
                or exists (
                    select from registry.revision as v where v.revision_id = l.revision_id and v.status = 'quarantined'
                )
                -- Cards that were set aside wait in a batch that counts.
                or exists (
                    select from registry.finding as c
                    where c.revision_id = l.revision_id and r.current_revision_id = l.revision_id
                        and c.record_no is not null and c.severity = 'hard' and c.waiver_id is null
                )
            )
    )
    or a.status in ('unreadable', 'unrecognised')
    or (a.status in ('taken_in', 'duplicate') and exists (
        select from registry.finding as q
        where q.arrival_id = a.arrival_id and q.severity = 'hard' and q.revision_id is null and q.report_id is null
            and q.resolved_at is null
    ) and (cast(:forms as text[]) is null or a.form_code is null or a.form_code = any(:forms)))
    -- What failed by our fault is tried again by the nights while it lies in its inbox, and here when it does no more.
    or (not :waiting_only and a.status = 'failed' and not exists (
        select from registry.arrival as later
        where later.file_id = a.file_id and later.source_code = a.source_code and later.arrival_id > a.arrival_id
    ))
)
and (cast(:files as text[]) is null or exists (
    select from unnest(cast(:files as text[])) as named
    where named in (a.file_name, a.arrival_id::text) or right(a.file_name, length(named) + 1) = '/' || named
        or (length(named) >= 8 and starts_with(f.sha256, named))
))
order by a.received_at, a.arrival_id
"""

_NOT_FOUND = """
select r.report_id, r.form_code, r.part, r.subject_code, r.period_start, r.period_end, v.status as before,
    v.revision_no as revision_before
from registry.arrival_report as l
inner join registry.report as r on r.report_id = l.report_id and r.current_revision_id = l.revision_id
inner join registry.revision as v on v.revision_id = l.revision_id
where l.arrival_id = :arrival and not (r.report_id = any(:found))
    and (cast(:from_ as date) is null or r.period_end >= :from_)
    and (cast(:to as date) is null or r.period_start <= :to)
    and (cast(:forms as text[]) is null or r.form_code = any(:forms))
    and (cast(:units as text[]) is null or r.subject_code = any(:units))
order by r.report_id
"""

_TOUCH = """
insert into registry.change (report_id, from_revision_id, to_revision_id, cause)
select r.report_id, r.current_revision_id, r.current_revision_id, :cause
from registry.report as r
where (r.current_revision_id is not null or exists (
        select from registry.obligation as o where o.report_id = r.report_id
    ))
    and (cast(:from_ as date) is null or r.period_end >= :from_)
    and (cast(:to as date) is null or r.period_start <= :to)
    and (cast(:forms as text[]) is null or r.form_code = any(:forms))
    and (cast(:units as text[]) is null or r.subject_code = any(:units))
    and not (r.report_id = any(:logged))
order by r.report_id
"""

UNREAD = ("unreadable", "unrecognised", "failed")
"""Statuses of arrivals of which nothing was read."""


@dataclass(frozen=True)
class Scope:
    """Which reports are read again; None means all.

    ``files``: names of files with or without their folder, numbers of arrivals, or the first eight or more digits of
    a SHA-256.
    """

    from_: date | None = None
    to: date | None = None
    forms: tuple[str, ...] | None = None
    units: tuple[str, ...] | None = None
    files: tuple[str, ...] | None = None

    def parameters(self) -> dict[str, object]:
        """For the statements of this module."""
        return {
            "from_": self.from_,
            "to": self.to,
            "forms": list(self.forms) if self.forms is not None else None,
            "units": list(self.units) if self.units is not None else None,
            "files": list(self.files) if self.files is not None else None,
        }

    def within(self, group: Group) -> Group:
        """The part of a group that lies in the scope."""
        keep = pl.lit(value=True)
        if self.from_ is not None:
            keep &= pl.col("period_end") >= self.from_
        if self.to is not None:
            keep &= pl.col("period_start") <= self.to
        if self.forms is not None and group.reading.form.code not in self.forms:
            keep = pl.lit(value=False)
        if self.units is not None:
            keep &= pl.col("subject_code").is_in(list(self.units))
        reports = group.reports.filter(keep)
        if len(reports) == len(group.reports):
            return group
        kept = set(reports["report_no"])
        findings = [one for one in group.findings if one.report_no is None or one.report_no in kept]
        return replace(group, reports=reports, findings=findings)


def kept_files(connection: Connection, scope: Scope, *, waiting_only: bool = False) -> Sequence[Row[Any]]:
    """Arrivals that may hold reports of the scope, the oldest first: number, time, source, name, status, stored path.

    ``waiting_only``: only those with reports in quarantine, with cards set aside, without a unit, or unread.
    """
    values = {**scope.parameters(), "waiting_only": waiting_only}
    return connection.execute(text(_ARRIVALS), values).all()


def no_longer_given(
    connection: Connection, scope: Scope, arrival_id: int, found: Sequence[int]
) -> list[dict[str, Any]]:
    """Reports that count by what an arrival said once, other than those that were found in it now."""
    values = {**scope.parameters(), "arrival": arrival_id, "found": list(found)}
    return [dict(row) for row in connection.execute(text(_NOT_FOUND), values).mappings()]


def touch(connection: Connection, scope: Scope, cause: str, logged: Sequence[int]) -> int:
    """Log every report of the scope for the next release, but those ``logged`` already; returns how many."""
    values = {**scope.parameters(), "cause": cause, "logged": list(logged)}
    return connection.execute(text(_TOUCH), values).rowcount
