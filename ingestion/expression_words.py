"""The functions that balance rules may call.

Numbers: ``abs(x)``, ``min(…)``, ``max(…)``; ``if_given(field)`` (blank counts as nothing in a sum);
``total_of('prefix')`` (all fields ``prefix_…`` together, blank ones as nothing).
Period: ``days_in_period()``, ``month()``, ``period_start()``, ``period_end()``.
Dates: ``days_between(a, b)`` (b minus a, whole days), ``hours_between(a, b)``.
Conditions: ``is_empty(field, …)`` (all blank), ``is_given(field, …)`` (none blank), ``implies(a, b)``,
``one_of(field, 'x', …)``, ``starts_with(field, 'S', …)``, ``code_valid(field, date_field)`` (the code list
has the code on that date).
Other reports and the directory: ``previous(field)`` (the period before; of a card what its newest version received
earlier says), ``yearly_sum('form.field')`` (the twelve months), ``same_period('form.field')`` (the same subject's
report of another form for the same period),
``active_units('D600', …)`` (open units of these classes that the reporter or the region has).
Counts: ``sum_over(field, 'member', …)`` (over the members of the report's breakdown), ``count_records()``,
``count_where(condition)``, ``share(condition)`` (of the records where it is known), ``count_reports()`` (of the
same reporter and period in the file); cards that were set aside do not count in these. ``times_in_file(field)``
(records that are read together and say the same there; blank is unknown).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    from ingestion.expressions import Compiler

_Arguments = list[ast.expr]

Kind = Literal["number", "text", "date", "flag", "any"]

KINDS: dict[str, Kind] = {
    "period_start": "date",
    "period_end": "date",
    "is_empty": "flag",
    "is_given": "flag",
    "implies": "flag",
    "one_of": "flag",
    "starts_with": "flag",
    "code_valid": "flag",
}
"""What functions give; those not named give numbers."""

WHOLE = ("days_between",)
"""Functions that give whole numbers."""

KIND_OF_FIRST = ("previous", "min", "max", "if_given")
"""Functions that give what their first operand is."""


def _abs(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (one,) = compiler.exactly(arguments, 1)
    return compiler.visit(one).abs()


def _min(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    return _extreme(compiler, arguments, pl.min_horizontal)


def _max(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    return _extreme(compiler, arguments, pl.max_horizontal)


def _extreme(compiler: Compiler, arguments: _Arguments, function: Callable[..., pl.Expr]) -> pl.Expr:
    if not arguments:
        raise compiler.fail("min and max need operands")
    values = [compiler.visit(argument) for argument in arguments]
    known = pl.all_horizontal([value.is_not_null() for value in values])
    return pl.when(known).then(function(*values))


def _if_given(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (one,) = compiler.exactly(arguments, 1)
    return compiler.visit(one).fill_null(0)


def _total_of(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (prefix,) = compiler.texts(compiler.exactly(arguments, 1), "total_of needs a quoted prefix")
    codes = [
        code
        for code, kind in compiler.types.items()
        if code.startswith(f"{prefix}_") and kind in ("int", "dec")
    ]
    if not codes:
        raise compiler.fail(f"the form has no numbers {prefix}_…")
    given = pl.any_horizontal([pl.col(code).is_not_null() for code in codes])
    total = pl.when(given).then(pl.sum_horizontal(codes))
    for code in codes:
        if code not in compiler.result.summed:
            compiler.result.summed.append(code)
    compiler.result.computed[f"total_of {prefix}"] = total
    return total


# The period and dates


def _days_in_period(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    return pl.col("period.days")


def _month(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    return pl.col("period.month")


def _period_start(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    return pl.col("period_start")


def _period_end(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    return pl.col("period_end")


def _days_between(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    first, last = (compiler.day(one) for one in compiler.exactly(arguments, 2))
    return (last - first).dt.total_days()


def _hours_between(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    first, last = (compiler.moment(one) for one in compiler.exactly(arguments, 2))
    return (last - first).dt.total_seconds() / 3600


# Conditions


def _is_empty(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    if not arguments:
        raise compiler.fail("is_empty needs fields")
    return pl.all_horizontal([compiler.visit(argument).is_null() for argument in arguments])


def _is_given(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    if not arguments:
        raise compiler.fail("is_given needs fields")
    return pl.all_horizontal([compiler.visit(argument).is_not_null() for argument in arguments])


def _implies(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    first, second = (compiler.visit(one) for one in compiler.exactly(arguments, 2))
    # Unknown whether it applies: not applicable, even where the second part is known.
    return pl.when(first.is_not_null()).then(first.not_() | second)


def _one_of(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    value = _text_field(compiler, arguments, "one_of")
    return value.is_in(compiler.texts(arguments[1:], "the values in one_of are quoted"))


def _starts_with(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    value = _text_field(compiler, arguments, "starts_with")
    beginnings = compiler.texts(arguments[1:], "the beginnings in starts_with are quoted")
    return pl.any_horizontal([value.str.starts_with(beginning) for beginning in beginnings])


def _text_field(compiler: Compiler, arguments: _Arguments, word: str) -> pl.Expr:
    if not arguments or compiler.kind(arguments[0]) not in ("text", "any"):
        raise compiler.fail(f"{word} needs a text or code")
    return compiler.visit(arguments[0])


def _code_valid(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    code, day = compiler.exactly(arguments, 2)
    if compiler.kind(day) != "date" or not isinstance(day, ast.Name):
        raise compiler.fail("code_valid needs a code and a date field")
    compiler.visit(code)
    pair = (compiler.field_code(code), compiler.field_code(day))
    if pair not in compiler.result.code_valid:
        compiler.result.code_valid.append(pair)
    return pl.col(f"valid.{pair[0]}.{pair[1]}")


# Other reports and the directory


def _previous(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (one,) = compiler.exactly(arguments, 1)
    code = compiler.field_code(one)
    _remember(compiler.result.previous, code)
    return pl.col(f"previous.{code}")


def _yearly_sum(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    name = ".".join(compiler.elsewhere(arguments, "yearly_sum"))
    _remember(compiler.result.yearly, name)
    return pl.col(f"yearly.{name}")


def _same_period(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    name = ".".join(compiler.elsewhere(arguments, "same_period"))
    _remember(compiler.result.same_period, name)
    return pl.col(f"same.{name}")


def _active_units(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    classes = compiler.texts(arguments, "active_units needs quoted classes")
    for one in classes:
        _remember(compiler.result.active_units, one)
    total = pl.lit(0)
    for one in dict.fromkeys(classes):
        total = total + pl.col(f"active.{one}")
    compiler.result.computed["active_units"] = total
    return total


# Counts


def _sum_over(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    if not arguments:
        raise compiler.fail("sum_over needs a field")
    value = compiler.visit(arguments[0])
    if len(arguments) > 1:
        members = compiler.texts(arguments[1:], "the members in sum_over are quoted codes")
        value = pl.when(pl.col("report.member").is_in(members)).then(value)
    occurrence = ["report_no", "report.occurrence"]
    given = value.count().over(occurrence) > 0
    return pl.when(given).then(value.sum().over(occurrence))


def _count_records(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    count = pl.len().over("report_no").cast(pl.Int64)
    compiler.result.computed["count_records"] = count
    return count


def _count_where(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (condition,) = compiler.exactly(arguments, 1)
    count = compiler.visit(condition).cast(pl.Int64).sum().over("report_no")
    compiler.result.computed["count_where"] = count
    return count


def _share(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (condition,) = compiler.exactly(arguments, 1)
    share = compiler.visit(condition).cast(pl.Float64).mean().over("report_no")
    compiler.result.computed["share"] = share
    return share


def _count_reports(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    compiler.exactly(arguments, 0)
    count = pl.col("report_no").n_unique().over("report.group").cast(pl.Int64)
    compiler.result.computed["count_reports"] = count
    return count


def _times_in_file(compiler: Compiler, arguments: _Arguments) -> pl.Expr:
    (one,) = compiler.exactly(arguments, 1)
    value = compiler.visit(one)
    times = pl.when(value.is_not_null()).then(pl.len().over(compiler.field_code(one)).cast(pl.Int64))
    compiler.result.computed["times_in_file"] = times
    return times


def _remember(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


WORDS: dict[str, Callable[[Compiler, _Arguments], pl.Expr]] = {
    "abs": _abs,
    "min": _min,
    "max": _max,
    "if_given": _if_given,
    "total_of": _total_of,
    "days_in_period": _days_in_period,
    "month": _month,
    "period_start": _period_start,
    "period_end": _period_end,
    "days_between": _days_between,
    "hours_between": _hours_between,
    "is_empty": _is_empty,
    "is_given": _is_given,
    "implies": _implies,
    "one_of": _one_of,
    "starts_with": _starts_with,
    "code_valid": _code_valid,
    "previous": _previous,
    "yearly_sum": _yearly_sum,
    "same_period": _same_period,
    "active_units": _active_units,
    "sum_over": _sum_over,
    "count_records": _count_records,
    "count_where": _count_where,
    "share": _share,
    "count_reports": _count_reports,
    "times_in_file": _times_in_file,
}
