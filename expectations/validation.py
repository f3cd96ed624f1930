"""Runs suites with Great Expectations over the candidate schema. Importing this module is slow (seconds).

The context lives in memory: the connection string, which holds a password, is never written anywhere. The
connection is read-only, whatever a check may say.
"""

import logging
from typing import Any

import structlog
from sqlalchemy import URL

# First: it turns the analytics off before Great Expectations is imported.
from expectations import custom
from expectations.catalogue import Check, Task
from expectations.judging import LOOKED
from expectations.results import Outcome
from expectations.scope import SCHEMA

import great_expectations as gx  # isort: skip

log = structlog.get_logger()
# It reports what it creates in memory; the gate's own log says what matters.
for _name in ("great_expectations", "great_expectations.data_context.types.base"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# Tables are found by the search path: naming the schema of each asset is deprecated.
# Compiling a query costs more than running it: they are many and short.
_SESSION = f"-c default_transaction_read_only=on -c jit=off -c search_path={SCHEMA}"


class Auditor:
    """One data source over the candidate schema; each suite has an asset of its own in it."""

    def __init__(self, url: URL) -> None:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        self._source = context.data_sources.add_postgres(
            SCHEMA,
            connection_string=url.render_as_string(hide_password=False),
            create_temp_table=False,
            kwargs={"connect_args": {"options": _SESSION, "application_name": "warehouse-gate"}},
        )

    def close(self) -> None:
        """Give the connections back."""
        self._source.get_execution_engine().close()

    def run(self, task: Task) -> dict[str, Outcome]:
        """Run one suite; returns outcomes by check id. A check without an outcome gave no answer.

        Nothing raised inside Great Expectations comes out of here: it becomes the outcome ``error`` of the checks
        that it hit.
        """
        expectations: dict[str, Any] = {}
        outcomes: dict[str, Outcome] = {}
        for check in task.checks:
            try:
                expectations[check.id] = expectation_of(check)
            except Exception as error:
                outcomes[check.id] = _broken(check.id, error)
        looked: list[int] = []
        # One audit at a time runs in a process.
        custom.ExpectRowsToBeCounted.tell = looked.append
        counted = custom.ExpectRowsToBeCounted(meta={"check_id": LOOKED})
        try:
            results = self._validate(task, [*expectations.values(), counted])
        except Exception as error:
            return outcomes | {check_id: _broken(check_id, error) for check_id in expectations}
        for result in results:
            check_id = (result.expectation_config.meta or {}).get("check_id")
            if check_id in expectations:
                outcomes[check_id] = _outcome(check_id, result)
        if looked:
            outcomes[LOOKED] = Outcome(True, looked[-1])
        return outcomes

    def _validate(self, task: Task, expectations: list[Any]) -> list[Any]:
        table = task.suite.table
        asset = (
            self._source.add_table_asset(table, table_name=table)
            if task.whole
            else self._source.add_query_asset(table, query=f"select * from {task.rows}")  # noqa: S608 - our own SQL
        )
        batch = asset.add_batch_definition_whole_table("whole").get_batch()
        results: list[Any] = batch.validate(
            gx.ExpectationSuite(table, expectations=expectations),
            result_format={"result_format": "BOOLEAN_ONLY"},
        ).results
        return results


def expectation_of(check: Check) -> Any:
    """The Great Expectations object of a check."""
    kind = check.expectation
    made_by = getattr(custom, kind.type, None) or getattr(gx.expectations, kind.type)
    return made_by(
        **kind.arguments(),
        severity=check.severity,
        description=f"{check.id}: {check.message_zh} ({check.message_en})",
        meta={"check_id": check.id},
    )


def _outcome(check_id: str, result: Any) -> Outcome:
    messages = _exceptions(result.exception_info)
    if messages is not None:
        return Outcome(False, error=_short(messages))
    observed = (result.result or {}).get("observed_value")
    # ``is True``: anything else than a clear yes is no pass.
    return Outcome(result.success is True, observed if isinstance(observed, int) else None)


def _exceptions(info: Any) -> str | None:
    """Message of what was raised; Great Expectations gives one record, or one for each metric."""
    if not info:
        return None
    records = [info] if "raised_exception" in info else list(info.values())
    raised = [str(record.get("exception_message")) for record in records if record.get("raised_exception")]
    return raised[0] if raised else None


def _broken(check_id: str, error: Exception) -> Outcome:
    log.error("check broke", check=check_id, error=type(error).__name__)
    return Outcome(False, error=_short(f"{type(error).__name__}: {error}"))


def _short(message: str) -> str:
    """First lines of a message without the statement that the driver appends (it is stored beside)."""
    return " ".join(message.split("[SQL:", maxsplit=1)[0].split())[:500]
