"""Stored results asked again: other thresholds, two releases beside each other. Nothing is scanned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, text

from expectations import findings
from expectations.errors import CatalogueError
from expectations.judging import weighed
from expectations.results import CheckResult, last_verdict

_COMPARED = """
with kept as (
    select finding.release_id, finding.check_id, finding.key
    from audit.finding as finding
    where finding.release_id in (:a, :b) and finding.score > finding.threshold and finding.waiver is null
        and finding.attempt > 0
),
counted as (
    select
        check_id,
        count(*) filter (where in_b and not in_a) as came,
        count(*) filter (where in_a and not in_b) as went,
        count(*) filter (where in_a and in_b) as stayed
    from (
        select check_id, key, bool_or(release_id = :a) as in_a, bool_or(release_id = :b) as in_b
        from kept group by check_id, key
    ) as pair
    group by check_id
),
result as (
    select distinct on (release_id, check_id) release_id, check_id, severity, status, failing_rows
    from audit.check_result where release_id in (:a, :b)
    order by release_id, check_id, attempt desc
)
select
    coalesce(before.check_id, after.check_id) as check_id,
    coalesce(after.severity, before.severity) as severity,
    before.status as status_a,
    after.status as status_b,
    before.failing_rows as rows_a,
    after.failing_rows as rows_b,
    coalesce(counted.came, 0) as came,
    coalesce(counted.went, 0) as went,
    coalesce(counted.stayed, 0) as stayed
from (select * from result where release_id = :a) as before
full join (select * from result where release_id = :b) as after on before.check_id = after.check_id
left join counted on counted.check_id = coalesce(before.check_id, after.check_id)
where before.status is distinct from after.status or before.failing_rows is distinct from after.failing_rows
    or counted.came > 0 or counted.went > 0
order by 1
"""


@dataclass(frozen=True)
class Judged:
    """A check under another threshold."""

    check_id: str
    severity: str
    measure: str
    threshold_before: float
    threshold: float
    status_before: str
    status: str
    failing_rows: int | None
    waived_rows: int
    denominator: int | None
    observed: str | None


def judge(auditor: Engine, thresholds: Mapping[str, float], release_id: int | None = None) -> list[Judged]:
    """What a release's checks would say with these thresholds, from what was kept when it was audited.

    A check of measure score can be judged by any threshold from the lowest score that its probe keeps upwards. Raises
    :class:`CatalogueError` for a check that the release has no result of.
    """
    verdict = last_verdict(auditor, release_id)
    by_check = {result.check_id: result for result in verdict.results} if verdict else {}
    unknown = sorted(set(thresholds) - set(by_check))
    if verdict is None or unknown:
        raise CatalogueError(
            f"No stored result of {', '.join(unknown) or 'any check'}.",
            mend="See the ids: warehouse checks list",
        )
    with auditor.connect() as connection:
        tallies = findings.tally(connection, verdict.release_id, verdict.attempt, thresholds)
    judged = []
    for check_id, threshold in thresholds.items():
        before = by_check[check_id]
        after = weighed(_asked_again(before, threshold), tallies.get(check_id, findings.Tally()))
        judged.append(
            Judged(
                check_id,
                before.severity,
                before.measure,
                float(before.threshold),
                threshold,
                before.status,
                after.status,
                after.failing_rows,
                after.waived_rows,
                after.denominator,
                after.observed,
            )
        )
    return judged


def compare(auditor: Engine, a: int, b: int) -> list[dict[str, Any]]:
    """Checks that say something else at release B than at A, and how many failures came, went and stayed."""
    with auditor.connect() as connection:
        return [dict(row) for row in connection.execute(text(_COMPARED), {"a": a, "b": b}).mappings()]


def _asked_again(result: CheckResult, threshold: float) -> CheckResult:
    return replace(result, threshold=threshold)
