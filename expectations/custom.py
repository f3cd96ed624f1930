"""Our own Great Expectations classes. Importing this module imports Great Expectations (seconds).

Each counts failing rows inside the database and returns the count: no row ever leaves it. Where the answer
is an aggregate of the table, it is a partial metric, which Great Expectations joins with all the others of the
table into one scan.
"""

# Great Expectations calls a metric's function on its class, and the SQL is that of our own catalogue.
# ruff: noqa: N805, S608

import os
from collections.abc import Callable
from typing import Any, ClassVar

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider


class RowsWhere(TableMetricProvider):  # type: ignore[misc]
    """Number of rows that meet a condition, as one aggregate of the table's scan."""

    metric_name = "table.rows_where"
    value_keys = ("condition",)

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, metric_domain_kwargs: dict[str, Any], metric_value_kwargs: dict[str, Any], **_: Any
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        condition = sa.literal_column(f"({metric_value_kwargs['condition']}\n)")
        return sa.func.count().filter(condition), metric_domain_kwargs, {}


class RowsOfQuery(TableMetricProvider):  # type: ignore[misc]
    """Number of rows that a query returns."""

    metric_name = "table.rows_of_query"
    value_keys = ("query",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: SqlAlchemyExecutionEngine, metric_value_kwargs: dict[str, Any], **_: Any
    ) -> int:
        return _count(execution_engine, metric_value_kwargs["query"])


class KeysRepeated(TableMetricProvider):  # type: ignore[misc]
    """Number of keys that stand in more than one row."""

    metric_name = "table.keys_repeated"
    value_keys = ("columns",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> int:
        records = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        table = records.subquery() if isinstance(records, sa.Select) else records
        columns = [sa.literal_column(name) for name in metric_value_kwargs["columns"]]
        repeated = sa.select(sa.literal(1)).select_from(table).group_by(*columns).having(sa.func.count() > 1)
        return int(
            execution_engine.execute_query(
                sa.select(sa.func.count()).select_from(repeated.subquery())
            ).scalar()
        )


class _ExpectNothing(BatchExpectation):  # type: ignore[misc]
    """Base of expectations whose one metric counts what must not be there."""

    _observed: ClassVar[str] = ""

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        count = metrics[self.metric_dependencies[0]]
        # A count that is no number is no answer, and no answer must not pass.
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"{self.metric_dependencies[0]} gave {type(count).__name__}, not a count")
        return {"success": count == 0, "result": {"observed_value": count}}


class ExpectNoRowsWhere(_ExpectNothing):
    """No row of the table meets a condition; answered in the table's one scan.

    Args:
        condition: SQL condition on one row that is true for a failing row.
    """

    condition: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.rows_where",)
    success_keys: ClassVar[tuple[str, ...]] = ("condition",)
    args_keys: ClassVar[tuple[str, ...]] = ("condition",)


class ExpectNoRowsFromQuery(_ExpectNothing):
    """A query, usually over several tables, returns no row.

    Args:
        query: SELECT that returns the failing rows.
    """

    query: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.rows_of_query",)
    success_keys: ClassVar[tuple[str, ...]] = ("query",)
    args_keys: ClassVar[tuple[str, ...]] = ("query",)


class ExpectKeyToBeUnique(_ExpectNothing):
    """No two rows share a key; nulls count as equal. One hash aggregate instead of a self-join.

    Args:
        columns: columns of the key.
    """

    columns: list[str]
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.keys_repeated",)
    success_keys: ClassVar[tuple[str, ...]] = ("columns",)
    args_keys: ClassVar[tuple[str, ...]] = ("columns",)


class ExpectRowsWhen(_ExpectNothing):
    """A table has rows whenever a condition on the database holds.

    Args:
        table: table of the candidate, looked at as a whole.
        condition: SQL condition; when it is true the table must not be empty.
    """

    table: str
    condition: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.missing_although",)
    success_keys: ClassVar[tuple[str, ...]] = ("table", "condition")
    args_keys: ClassVar[tuple[str, ...]] = ("table", "condition")


class MissingAlthough(TableMetricProvider):  # type: ignore[misc]
    """One when a condition holds and the table is empty, else zero."""

    metric_name = "table.missing_although"
    value_keys = ("table", "condition")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: SqlAlchemyExecutionEngine, metric_value_kwargs: dict[str, Any], **_: Any
    ) -> int:
        empty = f"not exists (select from candidate.{metric_value_kwargs['table']})"
        return _count(execution_engine, f"select 1 where ({metric_value_kwargs['condition']}\n) and {empty}")


class RowsLooked(TableMetricProvider):  # type: ignore[misc]
    """Number of rows of the batch, as one aggregate of the table's scan."""

    metric_name = "table.rows_looked"
    value_keys = ()

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, metric_domain_kwargs: dict[str, Any], **_: Any
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        return sa.func.count(), metric_domain_kwargs, {}


class ExpectRowsToBeCounted(BatchExpectation):  # type: ignore[misc]
    """Tells how many rows the other expectations of the batch looked at: their denominator. Always holds.

    Results are asked for as booleans, because anything more would carry values; so the number goes through ``tell``.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.rows_looked",)
    tell: ClassVar[Callable[[int], None]] = staticmethod(lambda rows: None)

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        rows = int(metrics["table.rows_looked"])
        type(self).tell(rows)
        return {"success": True, "result": {"observed_value": rows}}


def _count(execution_engine: SqlAlchemyExecutionEngine, query: str) -> int:
    return int(
        execution_engine.execute_query(sa.text(f"select count(*) from ({query}\n) as failing")).scalar()
    )


class FindingsByCheck(TableMetricProvider):  # type: ignore[misc]
    """Findings above their check's threshold that no waiver covers, by check: one scan for all checks of a probe."""

    metric_name = "table.findings_by_check"
    value_keys = ()

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, execution_engine: SqlAlchemyExecutionEngine, metric_domain_kwargs: dict[str, Any], **_: Any
    ) -> dict[str, int]:
        records = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        table = records.subquery() if isinstance(records, sa.Select) else records
        failing = sa.func.count().filter(sa.literal_column("score > threshold and waiver is null"))
        check = sa.literal_column("check_id")
        rows = execution_engine.execute_query(sa.select(check, failing).select_from(table).group_by(check))
        return {str(name): int(count) for name, count in rows.fetchall()}


class ExpectNoFindings(BatchExpectation):  # type: ignore[misc]
    """A probe's scan left no finding of this check above its threshold, other than waived ones.

    Args:
        check_id: the check whose findings are counted.
    """

    check_id: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.findings_by_check",)
    success_keys: ClassVar[tuple[str, ...]] = ("check_id",)
    args_keys: ClassVar[tuple[str, ...]] = ("check_id",)

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        count = metrics["table.findings_by_check"].get(self.check_id, 0)
        return {"success": count == 0, "result": {"observed_value": count}}


class ExpectParentBetweenParts(ExpectNoFindings):
    """The rate of a whole lies between the lowest and the highest rate of its parts, whatever their weights."""


class ExpectSumOfParts(ExpectNoFindings):
    """A total is the sum of its parts. A finding guesses the cause: wrong sign, missing part, transposition, unit."""


class ExpectWholeNumerator(ExpectNoFindings):
    """Some whole number of events gives the rate at its denominator, to the digits printed."""


class ExpectOneDenominator(ExpectNoFindings):
    """Rates over one population, with their counts, leave one population possible: the intervals intersect."""


class ExpectSourcesToAgree(ExpectNoFindings):
    """Two sources, or two places of one document, give one value for one thing."""


class ExpectShareAtPrintedPrecision(ExpectNoFindings):
    """A share recomputed from its counts is the printed one, to the last digit."""


class ExpectBreakdownToBeComplete(ExpectNoFindings):
    """Every breakdown of a total covers the whole of it; unknown is a category."""


class ExpectUnitAndScope(ExpectNoFindings):
    """A figure has a unit, a region and a period: without them it can feed no fact."""


class ExpectAttainableTarget(ExpectNoFindings):
    """A target can be reached with these units, asks for more than the baseline, and has a direction."""


class ExpectNumeratorWithinDenominator(ExpectNoFindings):
    """Those counted above the line are among those below it, unless the indicator declares otherwise."""


class ExpectDeclaredCheckToPass(BatchExpectation):  # type: ignore[misc]
    """A declared check as it stands in ``audit.check_result``: what Data Docs show of it.

    Never validated: Data Docs are built from stored results, on any machine and at any time.
    """

    check_id: str
    args_keys: ClassVar[tuple[str, ...]] = ("check_id",)

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        raise TypeError("shows stored results only")
