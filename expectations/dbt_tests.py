"""Outcomes of dbt's own data tests, as results of the gate (suite ``dbt``).

The build runs the tests over the candidate and keeps their outcomes with the release; here they are judged. A
candidate whose tests did not run has not been built to the end, so the gate does not pass it.
"""

from typing import Any

from sqlalchemy import Connection, text

from expectations.results import CheckResult, Status
from warehouse.release import Candidate

SUITE = "dbt"
_STATUS: dict[str, Status] = {"pass": "passed", "fail": "failed", "warn": "failed"}


def results(connection: Connection, candidate: Candidate) -> list[CheckResult]:
    """One result for each test that ran, and one that says whether they ran."""
    tests: list[dict[str, Any]] | None = connection.scalar(
        text("select summary -> 'dbt_tests' from warehouse.release where release_id = :id"),
        {"id": candidate.release_id},
    )
    return [_ran(tests), *(_result(test) for test in tests or [])]


def _ran(tests: list[dict[str, Any]] | None) -> CheckResult:
    return CheckResult(
        check_id=f"{SUITE}.tests_ran",
        suite=SUITE,
        table_name=None,
        severity="critical",
        status="passed" if tests else "missing",
        message_zh="dbt 的数据测试没有运行，候选版本没有构建完整",
        message_en="dbt's data tests have not run, so the candidate is not built to the end",
        observed=f"{len(tests or [])} tests",
        expected="every data test of the project has an outcome",
    )


def _result(test: dict[str, Any]) -> CheckResult:
    status = _STATUS.get(test["status"], "error")
    return CheckResult(
        check_id=f"{SUITE}.{test['name']}",
        suite=SUITE,
        table_name=test["model"] or None,
        severity="warning" if test["severity"] == "warn" else "critical",
        status=status,
        message_zh=f"dbt 数据测试 {test['name']} 未通过",
        message_en=f"dbt data test {test['name']} did not pass",
        observed=None if status == "passed" else test["message"],
        expected="the test's query returns no row",
        failing_rows=test["failures"],
        failing_query=" ".join(test["query"].split()) if test.get("query") else None,
    )
