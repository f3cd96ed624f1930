"""Runs suites with Great Expectations over the candidate schema. Importing this module is slow (seconds).

The context lives in memory: the connection string, which holds a password, is never written anywhere. The
connection is read-only, whatever a check may say.
"""

from typing import Any

import structlog
from sqlalchemy import URL

# First: it turns the analytics off before Great Expectations is imported.
from expectations import custom
from expectations.catalogue import Check, Suite
from expectations.results import Outcome

import great_expectations as gx  # isort: skip

log = structlog.get_logger()

SCHEMA = "candidate"
# Tables are found by the search path: naming the schema of each asset is deprecated.
_SESSION = f"-c default_transaction_read_only=on -c search_path={SCHEMA}"


def run(url: URL, suite: Suite) -> dict[str, Outcome]:
    """Run one suite; returns outcomes by check id. A check without an outcome gave no answer.

    Nothing raised inside Great Expectations comes out of here: it becomes the outcome ``error`` of the checks
    that it hit.
    """
    expectations: dict[str, Any] = {}
    outcomes: dict[str, Outcome] = {}
    for check in suite.declared:
        try:
            expectations[check.id] = expectation_of(check)
        except Exception as error:
            outcomes[check.id] = _broken(check.id, error)
    try:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_postgres(
            SCHEMA,
            connection_string=url.render_as_string(hide_password=False),
            create_temp_table=False,
            kwargs={"connect_args": {"options": _SESSION, "application_name": "warehouse-gate"}},
        )
        try:
            asset = source.add_table_asset(suite.table, table_name=suite.table)
            batch = asset.add_batch_definition_whole_table("whole").get_batch()
            results = batch.validate(
                gx.ExpectationSuite(suite.table, expectations=list(expectations.values())),
                result_format={"result_format": "BOOLEAN_ONLY"},
            ).results
        finally:
            source.get_execution_engine().close()
    except Exception as error:
        return outcomes | {check_id: _broken(check_id, error) for check_id in expectations}
    for result in results:
        check_id = (result.expectation_config.meta or {}).get("check_id")
        if check_id in expectations:
            outcomes[check_id] = _outcome(check_id, result)
    return outcomes


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
