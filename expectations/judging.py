"""From outcomes to results: what each check found, how much it looked at, and whether that is too much."""

# Queries put into SQL are those of the catalogue, never a value.
# ruff: noqa: S608

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from expectations import findings
from expectations.catalogue import Check, Task
from expectations.probes import Probe
from expectations.results import CheckResult, Outcome, Status
from warehouse.release import Candidate

EXAMPLES = 3
NOTHING_CHANGED = "上次发布以来没有变化 nothing of it changed since the release before"
LOOKED = "rows_looked_at"
"""Key of the outcome that says how many rows the checks of a suite looked at."""


class Judge:
    """Makes one result for every declared check, whatever came back, and keeps what failed."""

    def __init__(self, auditor: Engine, candidate: Candidate, *, whole: bool = True) -> None:
        """``whole``: everything was looked at, not only what changed."""
        self._auditor, self._candidate, self._whole = auditor, candidate, whole

    def suite(self, task: Task, outcomes: Mapping[str, Outcome]) -> list[CheckResult]:
        """Results of a suite; keys of failing rows are kept as findings."""
        on_rows = outcomes.get(f"{task.suite.table}.rows")
        empty = on_rows is not None and on_rows.error is None and not on_rows.success
        looked = outcomes.get(LOOKED)
        rows = looked.observed if looked is not None and looked.error is None else None
        return [
            self._of_suite(task, check, outcomes.get(check.id), rows, empty=empty) for check in task.checks
        ]

    def probe(
        self, task: Task, probe: Probe, outcomes: Mapping[str, Outcome], looked: Mapping[str, int]
    ) -> list[CheckResult]:
        """Results of a probe, whose findings are kept already."""
        return [self._of_probe(task, probe, check, outcomes.get(check.id), looked) for check in task.checks]

    def weighed(self, results: Iterable[CheckResult]) -> list[CheckResult]:
        """The results with waivers and thresholds laid over them, and how much of what failed is new."""
        with self._auditor.connect() as connection:
            tallies = findings.tally(connection, self._candidate.release_id, self._candidate.attempt)
        return [weighed(result, tallies.get(result.check_id, findings.Tally())) for result in results]

    def _of_suite(
        self, task: Task, check: Check, outcome: Outcome | None, rows: int | None, *, empty: bool
    ) -> CheckResult:
        result = replace(_result(task, check, outcome), denominator=rows)
        if outcome is None or outcome.error is not None:
            return result
        if not outcome.success:
            count, observed = self._evidence(task, check)
            return replace(
                result, failing_rows=outcome.observed if count is None else count, observed=observed
            )
        if check.expectation.type == "ExpectRowsWhen":
            return result
        if empty:
            return replace(
                result,
                status="missing",
                observed="the table is empty, so nothing was looked at",
                failing_query=check.look or check.expectation.failing_rows(task.rows),
                failing_rows=None,
            )
        if rows == 0 and task.whole and check.expectation.looks_at_rows:
            return replace(
                result,
                status="not_applicable",
                observed="the table is empty, and nothing it is made of was reported",
            )
        return result

    def _of_probe(
        self, task: Task, probe: Probe, check: Check, outcome: Outcome | None, looked: Mapping[str, int]
    ) -> CheckResult:
        rows = looked.get(check.id)
        result = replace(_result(task, check, outcome), denominator=rows, table_name=None)
        if outcome is None or outcome.error is not None:
            return result
        if rows is None:
            return replace(result, status="missing", observed="the probe does not say what it looked at")
        if outcome.success and rows == 0:
            reason = probe.declared.when_empty if self._whole else NOTHING_CHANGED
            return replace(result, status="not_applicable", observed=reason)
        # The findings themselves say how many: they are counted for all checks at once.
        return replace(result, failing_rows=0)

    def _evidence(self, task: Task, check: Check) -> tuple[int | None, str]:
        """Number of failing rows and the keys of the first ones, kept because a rejected candidate's rows go."""
        query = check.expectation.failing_rows(task.rows)
        columns = "*" if check.expectation.shows_own_columns else ", ".join(task.suite.key)
        try:
            with self._auditor.connect() as connection:
                count = connection.scalar(text(f"select count(*) from ({query}) as failing"))
                rows: list[dict[str, Any]] = [
                    dict(row)
                    for row in connection.execute(
                        text(f"select {columns} from ({query}) as failing limit {findings.KEPT_ROWS}")
                    ).mappings()
                ]
        except SQLAlchemyError as error:
            return None, f"failed; the failing rows could not be read: {type(error).__name__}"
        with self._auditor.begin() as connection:
            findings.keep(connection, self._candidate, check.id, task.suite.key, rows)
        examples = ["; ".join(f"{name}={value}" for name, value in row.items()) for row in rows[:EXAMPLES]]
        return count, " | ".join(examples)


def weighed(result: CheckResult, tally: findings.Tally) -> CheckResult:
    """A result with its findings: what is waived does not fail it, nor what stays within its threshold."""
    if result.status not in ("passed", "failed"):
        return result
    if result.measure == "score":
        failing, open_rows = tally.failing, tally.open
    else:
        failing = result.failing_rows or 0
        open_rows = failing - tally.waived
    status: Status = "failed" if _too_much(result, open_rows) else "passed"
    if result.status == "failed" and result.failing_rows is None:
        # It failed, and nothing says how often: no threshold and no waiver can lift that.
        return result
    return replace(
        result,
        status=status,
        failing_rows=failing,
        waived_rows=tally.waived,
        new_rows=tally.new,
        observed=(tally.examples or result.observed) if result.measure == "score" else result.observed,
        failing_query=result.failing_query if failing else None,
    )


def _too_much(result: CheckResult, rows: int) -> bool:
    if result.measure == "share":
        return rows > 0 and rows / (result.denominator or rows) > result.threshold
    return rows > (0 if result.measure == "score" else result.threshold)


def _result(task: Task, check: Check, outcome: Outcome | None) -> CheckResult:
    failing_query: str | None = check.look or check.expectation.failing_rows(task.rows)
    if outcome is None:
        status, observed, rows = "missing", "no result came back", None
    elif outcome.error is not None:
        status, observed, rows = "error", outcome.error, None
    elif not outcome.success:
        status, observed, rows = "failed", None, None
    else:
        status, observed, rows = "passed", None, 0
    return CheckResult(
        check_id=check.id,
        suite=task.suite.table,
        table_name=task.suite.table,
        severity=check.severity,
        status=status,  # type: ignore[arg-type]
        message_zh=check.message_zh,
        message_en=check.message_en,
        observed=observed,
        expected=check.expectation.expected(),
        failing_rows=rows,
        failing_query=failing_query,
        dimension=check.dimension,
        owner=check.owner,
        question=check.question,
        scope=check.scope or f"table {task.suite.table}",
        measure=check.measure,
        threshold=check.threshold,
        policy=check.policy,
    )
