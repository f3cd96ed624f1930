"""What a run did, as the database tells it afterwards: for the screen, for ``--json``, for a notification."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from warehouse.database import Role, engine

_HEADLINE = """
select distinct on (region_code, ordinal) indicator_code, label_zh, slice, unit, region_code, period_start, period_end,
    numerator, denominator, value, status
from published.mart_headline order by region_code, ordinal, period_start desc
"""

_RUN = """
select r.run_id, r.kind, r.status, r.outcome, r.release_id, l.base_release, r.started_at,
    extract(epoch from coalesce(r.finished_at, clock_timestamp()) - r.started_at)::float as seconds
from warehouse.run r left join warehouse.release l using (release_id) where r.run_id = :run_id
"""

_STAGES = """
select distinct on (started_at, stage, lane) stage, lane, attempt, status, detail ->> 'error' as error,
    extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float as seconds
from warehouse.stage where run_id = :run_id order by started_at, stage, lane
"""

_PLAN = """
select chunk.key as chunk, chunk.value as changes
from warehouse.stage
cross join lateral jsonb_each(detail -> 'plan') as chunk
where run_id = :run_id and stage = 'plan'
    and not exists (select from warehouse.stage done where done.run_id = :run_id and done.stage = 'rederive')
    and attempt = (select max(attempt) from warehouse.stage last where last.run_id = :run_id and last.stage = 'plan')
order by chunk.key
"""

_FILES = """
select source_code as source, status, count(*) as files
from registry.arrival where run_id = :run_id group by 1, 2 order by 1, 2
"""

_REPORTS = """
select coalesce(first.status, v.status) as status, count(*) as reports
from registry.revision v
join registry.arrival a using (arrival_id)
left join lateral (
    -- the status that the revision had when it was judged; it may be superseded by now
    select s.status from registry.revision_status s
    where s.revision_id = v.revision_id and s.status <> 'received' order by s.at limit 1
) first on true
where a.run_id = :run_id group by 1 order by 1
"""

_QUARANTINED = """
select a.source_code as source, a.file_name as file, p.form_code as form, p.subject_code as subject,
    p.period_start, f.rule_id as rule, f.cell, f.message_zh as why
from registry.revision v
join registry.arrival a using (arrival_id)
join registry.report p using (report_id)
join lateral (
    select rule_id, cell, message_zh from registry.finding
    where revision_id = v.revision_id and severity = 'hard' and waiver_id is null order by finding_id limit 1
) f on true
where a.run_id = :run_id and v.status = 'quarantined' order by v.revision_id
"""

_REFUSED = """
select a.source_code as source, a.file_name as file, a.status, coalesce(f.message_zh, a.detail) as why
from registry.arrival a
left join lateral (
    select message_zh from registry.finding where arrival_id = a.arrival_id order by finding_id limit 1
) f on true
where a.run_id = :run_id and a.status in ('unreadable', 'unrecognised', 'failed') order by a.arrival_id
"""

FINE = ("passed", "not_applicable")
"""Statuses of checks because of which nothing is to be mended."""

_CHECKS = """
select r.check_id, r.suite, r.severity, r.status, r.failing_rows, r.message_zh, r.message_en, r.failing_query
from audit.check_result r
join warehouse.release l using (release_id)
where l.owner = :run_id and r.attempt = l.attempt order by r.severity, r.check_id
"""


@dataclass(frozen=True)
class Summary:
    """A run, what it took in, what the gate said, and the headline figures BI reads now."""

    run: dict[str, Any]
    current_release: int | None
    stages: list[dict[str, Any]]
    files: list[dict[str, Any]]
    reports: dict[str, int]
    quarantined: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    checks: dict[str, int]
    failed_checks: list[dict[str, Any]]
    headline: list[dict[str, Any]] = field(default_factory=list)
    plan: list[dict[str, Any]] = field(default_factory=list)
    """What a reload would change, chunk by chunk; empty unless the run was a dry run of one."""

    @property
    def succeeded(self) -> bool:
        """Whether every stage of the run did what it should."""
        return self.run.get("status") == "succeeded"

    @property
    def published(self) -> int | None:
        """Release that the run published."""
        return self.run.get("release_id")


def summarise(run_id: str) -> Summary:
    """Read what a run did. Works for a run that failed or is still going on, too."""
    with engine(Role.AUDITOR).connect() as connection:
        checks = _rows(connection, _CHECKS, run_id)
        run = _rows(connection, _RUN, run_id)
        summary = Summary(
            run=run[0] if run else {"run_id": run_id, "status": "failed", "outcome": "the run did not begin"},
            current_release=connection.scalar(
                text("select nullif(current_release, 0) from warehouse.pointer")
            ),
            stages=_rows(connection, _STAGES, run_id),
            files=_rows(connection, _FILES, run_id),
            reports={row["status"]: row["reports"] for row in _rows(connection, _REPORTS, run_id)},
            quarantined=_rows(connection, _QUARANTINED, run_id),
            refused=_rows(connection, _REFUSED, run_id),
            checks={
                "run": sum(check["status"] in ("passed", "failed") for check in checks),
                "passed": sum(check["status"] == "passed" for check in checks),
                "failed": sum(check["status"] not in FINE for check in checks),
            },
            failed_checks=[check for check in checks if check["status"] not in FINE],
            plan=_rows(connection, _PLAN, run_id),
        )
    if summary.current_release:
        summary.headline.extend(headline())
    return summary


def headline() -> list[dict[str, Any]]:
    """The headline indicators in their newest period, as BI reads them; none while there is no such table."""
    try:
        with engine(Role.READER).connect() as connection:
            return [dict(row) for row in connection.execute(text(_HEADLINE)).mappings()]
    except SQLAlchemyError:
        return []


def _rows(connection: Connection, query: str, run_id: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query), {"run_id": run_id}).mappings()]
