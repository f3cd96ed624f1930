"""The gate: runs every declared check over the candidate and gives the verdict that publishing requires.

It fails closed. A candidate passes only when every declared critical check has an outcome, and that outcome is
a pass over a table that was not empty when it must not be. A check that breaks, a check without a result and an
audit that dies leave the candidate unpublished.
"""

# Queries put into SQL are those of the catalogue, never a value.
# ruff: noqa: S608

from time import perf_counter

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from expectations import dbt_tests, ground
from expectations.catalogue import Catalogue, Check, Task
from expectations.declared import declared as all_declared
from expectations.generated import reconciliation
from expectations.results import CheckResult, Outcome, Status, Verdict, record, store, withdraw_verdict
from expectations.scope import EVERYTHING, Look, rebuilt
from warehouse.database import Role, make_engine, url
from warehouse.release import Candidate, holding
from warehouse.settings import Settings

__all__ = ["CheckResult", "Verdict", "audit", "record"]

log = structlog.get_logger()

EXAMPLES = 3


def audit(settings: Settings, candidate: Candidate, *, catalogue: Catalogue | None = None) -> Verdict:
    """Run every declared check over the candidate, store the results, and set the release's verdict."""
    auditor = make_engine(settings, Role.AUDITOR)
    try:
        with holding(auditor, candidate):
            withdraw_verdict(auditor, candidate)
            declared = catalogue.with_suite(reconciliation(auditor)) if catalogue else all_declared(auditor)
            basis = ground.basis(auditor, declared)
            everything = ground.must_look_at_everything(auditor, candidate, basis)
            results, seconds = _run(
                settings, auditor, declared, EVERYTHING if everything else rebuilt(auditor)
            )
            with auditor.connect() as connection:
                results += dbt_tests.results(connection, candidate)
            facts = {"ground": basis, "everything": everything, "seconds": seconds}
            verdict = store(auditor, candidate, results, facts)
    finally:
        auditor.dispose()
    log.info(
        "candidate audited",
        release=candidate.release_id,
        verdict="passed" if verdict.passed else "failed",
        **verdict.counts,
    )
    for result in verdict.failed:
        log.warning("check not passed", check=result.check_id, status=result.status, rows=result.failing_rows)
    return verdict


def _run(
    settings: Settings, auditor: Engine, catalogue: Catalogue, look: Look
) -> tuple[list[CheckResult], dict[str, float]]:
    begun = perf_counter()
    # Imported here: Great Expectations takes seconds, and a DAG file that imports the gate must not.
    from expectations import validation  # noqa: PLC0415

    running = validation.Auditor(url(settings, Role.AUDITOR))
    seconds = {"start": round(perf_counter() - begun, 2)}
    results: list[CheckResult] = []
    try:
        for suite in catalogue.suites:
            begun = perf_counter()
            task = suite.task(look)
            results += judge(auditor, task, running.run(task))
            seconds[suite.table] = round(perf_counter() - begun, 2)
    finally:
        running.close()
    return results, seconds


def judge(auditor: Engine, task: Task, outcomes: dict[str, Outcome]) -> list[CheckResult]:
    """One result for every declared check of a suite, whatever came back."""
    on_rows = outcomes.get(f"{task.suite.table}.rows")
    empty = on_rows is not None and on_rows.error is None and not on_rows.success
    return [_judge(auditor, task, check, outcomes.get(check.id), empty=empty) for check in task.checks]


def _judge(auditor: Engine, task: Task, check: Check, outcome: Outcome | None, *, empty: bool) -> CheckResult:
    status: Status
    failing_rows: int | None = None
    failing_query: str | None = check.look or check.expectation.failing_rows(task.rows)
    if outcome is None:
        status, observed = "missing", "no result came back"
    elif outcome.error is not None:
        status, observed = "error", outcome.error
    elif not outcome.success:
        status = "failed"
        failing_rows, observed = _evidence(auditor, task, check, check.expectation.failing_rows(task.rows))
        failing_rows = outcome.observed if failing_rows is None else failing_rows
    elif empty and check.expectation.type != "ExpectRowsWhen":
        status, observed = "missing", "the table is empty, so nothing was looked at"
    else:
        status, observed, failing_rows, failing_query = "passed", None, 0, None
    return CheckResult(
        check_id=check.id,
        suite=task.suite.table,
        table_name=task.suite.table,
        severity=check.severity,
        status=status,
        message_zh=check.message_zh,
        message_en=check.message_en,
        observed=observed,
        expected=check.expectation.expected(),
        failing_rows=failing_rows,
        failing_query=failing_query,
    )


def _evidence(auditor: Engine, task: Task, check: Check, query: str) -> tuple[int | None, str]:
    """Number of failing rows and the keys of the first ones, kept because a rejected candidate's rows go."""
    columns = "*" if check.expectation.shows_own_columns else ", ".join(task.suite.key)
    try:
        with auditor.connect() as connection:
            count = connection.scalar(text(f"select count(*) from ({query}) as failing"))
            rows = connection.execute(
                text(f"select {columns} from ({query}) as failing limit {EXAMPLES}")
            ).mappings()
            examples = ["; ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    except SQLAlchemyError as error:
        return None, f"failed; the failing rows could not be read: {type(error).__name__}"
    return count, " | ".join(examples)
