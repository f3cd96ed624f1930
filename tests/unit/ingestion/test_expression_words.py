"""The functions of rules: dates, conditions, counts, other reports, the directory; blank is unknown."""

import datetime as dt

import polars as pl
import pytest

from ingestion.errors import ExpressionError
from ingestion.expressions import compile_expression

TYPES = {
    "onset": "date",
    "seen": "datetime",
    "code": "code",
    "name": "text",
    "a": "int",
    "b": "int",
    "yes": "flag",
    "op_code_1": "code",
    "op_code_2": "code",
    "op_date_1": "date",
    "op_date_2": "date",
    "cost_bed": "dec",
    "cost_drug": "dec",
}
SCHEMA: dict[str, pl.DataType] = {
    "onset": pl.Date(),
    "seen": pl.Datetime("us"),
    "code": pl.String(),
    "name": pl.String(),
    "a": pl.Int64(),
    "b": pl.Int64(),
    "yes": pl.Boolean(),
    "op_code_1": pl.String(),
    "op_code_2": pl.String(),
    "op_date_1": pl.Date(),
    "op_date_2": pl.Date(),
    "cost_bed": pl.Float64(),
    "cost_drug": pl.Float64(),
    "same.other.beds": pl.Float64(),
    "active.D600": pl.Int64(),
    "active.D300": pl.Int64(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "report_no": pl.Int64(),
    "report.group": pl.String(),
}
DAY = dt.date(2015, 10, 1)
NOON = dt.datetime.fromisoformat("2015-10-01T12:00:00")


def _verdict(source: str, value: str | None = None, **values: object) -> object:
    frame = pl.DataFrame({name: [values.get(name.replace(".", "_"))] for name in SCHEMA}, schema=SCHEMA)
    return frame.select(compile_expression(source, TYPES, value=value).polars).item()


@pytest.mark.parametrize(
    ("source", "values", "verdict"),
    [
        ("onset <= seen", {"onset": DAY, "seen": NOON}, True),
        ("seen <= onset", {"onset": DAY, "seen": NOON}, False),
        ("onset <= seen", {"onset": DAY}, None),
        ("onset == '2015-10-01'", {"onset": DAY}, True),
        ("'2015-01-01' <= onset < '2015-10-01'", {"onset": DAY}, False),
        (
            "period_start() <= onset <= period_end()",
            {"onset": DAY, "period_start": DAY, "period_end": DAY},
            True,
        ),
        ("days_between(onset, seen) == 0", {"onset": DAY, "seen": NOON}, True),
        ("days_between(onset, '2015-10-31') == 30", {"onset": DAY}, True),
        ("hours_between(onset, seen) <= 11.5", {"onset": DAY, "seen": NOON}, False),
        ("hours_between(onset, seen) <= 12", {"onset": DAY, "seen": NOON}, True),
        ("hours_between(onset, seen) <= 12", {"seen": NOON}, None),
        ("implies(a > 0, b > 0)", {"a": 0}, True),
        ("implies(a > 0, b > 0)", {"a": 1, "b": 0}, False),
        ("implies(a > 0, b > 0)", {"a": 1}, None),
        ("implies(a > 0, b > 0)", {"b": 1}, None),
        ("one_of(code, '2', '3')", {"code": "3"}, True),
        ("one_of(code, '2', '3')", {"code": "1"}, False),
        ("one_of(code, '2', '3')", {}, None),
        ("starts_with(code, 'S', 'T')", {"code": "T98"}, True),
        ("starts_with(code, 'S', 'T')", {"code": "A00"}, False),
        ("starts_with(code, 'S', 'T')", {}, None),
        ("is_given(a, code)", {"a": 0, "code": "x"}, True),
        ("is_given(a, code)", {"a": 0}, False),
        ("implies(one_of(code, '2'), is_given(name))", {"code": "2"}, False),
        ("yes", {"yes": False}, False),
        ("implies(yes, a > 0)", {"yes": True, "a": 0}, False),
        ("yes == True", {"yes": True}, True),
        ("a == same_period('other.beds')", {"a": 3, "same_other_beds": 3.0}, True),
        ("a == same_period('other.beds')", {"a": 3}, None),
        ("a == active_units('D600', 'D300')", {"a": 3, "active_D600": 2, "active_D300": 1}, True),
        ("a == active_units('D600')", {"a": 3, "active_D600": 2}, False),
        ("a >= total_of('cost')", {"a": 3, "cost_bed": 1.5, "cost_drug": 1.5}, True),
        ("a >= total_of('cost')", {"a": 3, "cost_bed": 4.0}, False),
        ("a >= total_of('cost')", {"a": 3}, None),
    ],
)
def test_words(source: str, values: dict[str, object], verdict: object) -> None:
    assert _verdict(source, **values) is verdict


def test_a_neighbour_of_a_repeated_field_has_its_number() -> None:
    source = "implies(is_given(value), is_given(op_date_n))"
    assert _verdict(source, "op_code_2", op_code_2="x", op_date_1=DAY) is False
    assert _verdict(source, "op_code_1", op_code_2="x", op_date_1=DAY) is True


def test_counts_and_shares_are_of_one_report() -> None:
    frame = pl.DataFrame(
        {
            "report_no": [1, 1, 1, 2],
            "report.group": ["x", "x", "x", "x"],
            "a": [1, 0, None, 1],
        }
    )

    def values(source: str) -> list[object]:
        return frame.select(compile_expression(source, TYPES).polars.alias("v"))["v"].to_list()

    assert values("count_records()") == [3, 3, 3, 1]
    assert values("count_where(a > 0)") == [1, 1, 1, 1]
    assert values("share(a > 0)") == [0.5, 0.5, 0.5, 1.0]
    assert values("count_reports()") == [2, 2, 2, 2]


def test_what_a_rule_asks_of_others_is_known_before_it_runs() -> None:
    expression = compile_expression(
        "a == same_period('other.beds') and b == active_units('D600', 'D300') and code_valid(code, onset)",
        TYPES,
    )
    assert expression.same_period == ["other.beds"]
    assert expression.active_units == ["D600", "D300"]
    assert expression.code_valid == [("code", "onset")]


@pytest.mark.parametrize(
    "source",
    [
        "onset <= a",
        "onset <= 'today'",
        "code < 'x'",
        "a == 'x'",
        "yes < True",
        "yes == a",
        "days_between(a, b)",
        "days_between(onset)",
        "one_of(a, 'x')",
        "one_of(code)",
        "one_of(code, 1)",
        "starts_with(onset, '2')",
        "is_given()",
        "implies(yes)",
        "code_valid(code, a)",
        "same_period('beds')",
        "active_units()",
        "active_units(code)",
        "total_of('absent')",
        "op_date_n > onset",
        "count_records(a)",
        "share()",
    ],
)
def test_what_makes_no_sense_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(source, TYPES)
