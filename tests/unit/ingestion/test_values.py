"""Cells become values however a clerk types them, and nothing else does."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.form import FormField
from ingestion.periods import find_period, read_period
from ingestion.values import NULL_MARKS, to_numbers, to_type, type_columns

WIDE = str.maketrans("0123456789.-,", "０１２３４５６７８９．－，")


def _int(*texts: str | None) -> tuple[list[int | None], list[str | None]]:
    typed = to_numbers(pl.Series(texts, dtype=pl.String), whole=True)
    return typed.values.to_list(), typed.faults.to_list()


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1), st.sampled_from(range(6)))
def test_whole_numbers_read_back_however_written(numbers: list[int], style: int) -> None:
    styles: list[Callable[[int], str]] = [
        str,
        lambda n: f"{n:,}",
        lambda n: f"  {n}\u00a0",
        lambda n: f"{n:,}".translate(WIDE),
        lambda n: f"{n}.0",
        lambda n: f"{n:,}".replace(",", " "),
    ]
    assert _int(*map(styles[style], numbers)) == (numbers, [None] * len(numbers))


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1))
def test_decimals_read_back_from_text_and_from_cells(numbers: list[object]) -> None:
    expected = [float(str(number)) for number in numbers]
    texts = pl.Series([str(number) for number in numbers])
    assert to_numbers(texts, whole=False).values.to_list() == expected
    assert to_numbers(pl.Series(expected), whole=False).values.to_list() == expected


@pytest.mark.parametrize("mark", [*NULL_MARKS, "．"])
def test_marks_for_nothing_are_null_and_never_zero(mark: str) -> None:
    assert _int("0", mark) == ([0, None], [None, None])


def test_a_lone_point_as_statistics_programs_write_it_is_nothing() -> None:
    assert _int("0", ".") == ([0, None], [None, None])


@pytest.mark.parametrize(
    "text",
    ["12人", "约300", "1.5", "1,23", "#REF!", "nan", "inf", "1_000", "1e400", "9" * 20, "二十", "0x10"],
)
def test_what_is_no_whole_number_is_null_with_its_text(text: str) -> None:
    assert _int("7", text) == ([7, None], [None, text])


@given(st.lists(st.one_of(st.none(), st.text(max_size=12))))
def test_no_text_crashes_the_reader_of_numbers(texts: list[str | None]) -> None:
    typed = to_numbers(pl.Series(texts, dtype=pl.String), whole=False)
    assert len(typed.values) == len(typed.faults) == len(texts)


@pytest.mark.parametrize(("text", "number"), [("(-1)", -1), ("（-2）", -2), ("（－1）", -1), ("( −2 )", -2)])
def test_special_values_may_stand_in_brackets(text: str, number: int) -> None:
    assert _int(text) == ([number], [None])


@pytest.mark.parametrize(
    "text", ["(1,200)", "(12)", "（5）", "(-3)", "(-12)", "(1)", "-(1)", "(-1", "((-1))"]
)
def test_other_numbers_in_brackets_are_none(text: str) -> None:
    assert _int("7", text) == ([7, None], [None, text])


def test_flags_and_dates() -> None:
    flag = FormField(code="f", labels=("是否",), type="flag", role="attribute")
    typed = to_type(pl.Series(["是", "否", "1", "０", "√", None, "也许"]), flag, None)
    assert typed.values.to_list() == [True, False, True, False, True, None, None]
    assert typed.faults.to_list()[-1] == "也许"
    day = FormField(code="d", labels=("日期",), type="date", role="attribute")
    typed = to_type(pl.Series(["2015-03-01", "2015年3月1日", "42064", "20150301"]), day, None)
    assert typed.values.unique().to_list() == [dt.date(2015, 3, 1)]


@given(st.integers(1990, 2090), st.integers(1, 12))
def test_months_read_back_however_written(year: int, month: int) -> None:
    first = dt.date(year, month, 1)
    serial = (first - dt.date(1899, 12, 30)).days
    texts = [
        f"{year}年{month}月",
        f"{year}.{month:02}",
        f"{year}{month:02}",
        f"{year}-{month:02}",
        str(first),
    ]
    texts += [f"{year}/{month}", f"{year}年{month:02}月份", str(serial), f"{year}年{month}月".translate(WIDE)]
    for text in texts:
        span = read_period(text, "month")
        assert span is not None, text
        assert span.start == first


def test_a_month_that_may_be_two_is_none() -> None:
    assert read_period("2015.1", "month") is None
    assert read_period("2015.10", "month") is not None


@pytest.mark.parametrize(
    "text", ["2015年1-12月", "2015年1月至6月", "2015年1—9月汇总", "2015年12月-2016年1月"]
)
def test_several_months_are_no_month(text: str) -> None:
    assert read_period(text, "month") is None
    assert find_period([text], "month") is None


@pytest.mark.parametrize("text", ["导出时间：2015-04-10 08:00", "月报_20150410.csv", "2015年4月10日制"])
def test_the_day_something_was_written_is_no_period(text: str) -> None:
    assert find_period([text], "month") is None
    assert find_period([f"{text} 2015年3月"], "month") == read_period("2015-03", "month")


@pytest.mark.parametrize(
    ("text", "period_type", "start", "end"),
    [
        *(
            (text, "cumulative_quarter", dt.date(2015, 1, 1), dt.date(2015, 6, 30))
            for text in (
                "截至2015年6月",
                "截止2015年6月底",
                "截至2015年6月30日",
                "截至2015-06-30",
                "2015年二季度累计",
                "2015年上半年累计",
                "2015年1-6月累计",
                "2015年6月累计",
                "2015年一至二季度",
                "2015年第一至第二季度",
                "2015年度一到二季度",
            )
        ),
        *(
            (text, "mch_year", dt.date(2014, 10, 1), dt.date(2015, 9, 30))
            for text in (
                "2014.10-2015.9",
                "2014-10至2015-09",
                "201410-201509",
                "2015妇幼年度",
                "2015年度（妇幼）",
                "妇幼2015年度",
                "2014年10月—2015年9月（妇幼年度）",
            )
        ),
        ("截至2015年6月", "quarter", dt.date(2015, 4, 1), dt.date(2015, 6, 30)),
        ("截至2015年6月底", "month", dt.date(2015, 6, 1), dt.date(2015, 6, 30)),
        ("截至2015年底", "year", dt.date(2015, 1, 1), dt.date(2015, 12, 31)),
        ("截至2015年12月31日", "year", dt.date(2015, 1, 1), dt.date(2015, 12, 31)),
    ],
)
def test_periods_up_to_a_day_and_of_mothers_and_children(
    text: str, period_type: str, start: dt.date, end: dt.date
) -> None:
    for span in (read_period(text, period_type), find_period([f"某表 {text} 某地"], period_type)):  # type: ignore[arg-type]
        assert span is not None
        assert (span.start, span.end) == (start, end)


@pytest.mark.parametrize(
    ("text", "period_type"),
    [
        ("截至2015年5月", "cumulative_quarter"),
        ("截至2015年6月15日", "cumulative_quarter"),
        ("2015年二至三季度", "cumulative_quarter"),
        ("2015年累计", "cumulative_quarter"),
        ("2015年一至二季度", "quarter"),
        ("2015年6月累计", "month"),
        ("2014.10-2015.9", "month"),
        ("2014.10-2015.6", "mch_year"),
        ("2015年度（妇幼）", "year"),
        ("截至2015年6月", "year"),
        ("截至2015年底", "mch_year"),
    ],
)
def test_periods_of_another_type_are_none(text: str, period_type: str) -> None:
    assert read_period(text, period_type) is None  # type: ignore[arg-type]


def test_a_quarter_up_to_which_it_accumulates_may_take_its_year_from_elsewhere() -> None:
    expected = read_period("2015年1-6月", "cumulative_quarter")
    for text in ("一至二季度", "二季度累计", "1-6月累计", "截至6月底"):
        assert read_period(text, "cumulative_quarter", 2015) == expected


def test_a_stock_at_the_end_of_a_month_is_of_that_month() -> None:
    assert find_period(["截至2015年3月31日"], "month") == read_period("2015-03", "month")


@pytest.mark.parametrize(
    ("text", "period_type", "year", "start", "end"),
    [
        ("二〇一五年三月", "month", None, dt.date(2015, 3, 1), dt.date(2015, 3, 31)),
        ("二○一五年十二月", "month", None, dt.date(2015, 12, 1), dt.date(2015, 12, 31)),
        ("2015-03-01 00:00:00", "month", None, dt.date(2015, 3, 1), dt.date(2015, 3, 31)),
        ("三月", "month", 2015, dt.date(2015, 3, 1), dt.date(2015, 3, 31)),
        ("January", "month", 2019, dt.date(2019, 1, 1), dt.date(2019, 1, 31)),
        ("一季度", "quarter", 2015, dt.date(2015, 1, 1), dt.date(2015, 3, 31)),
        ("2015年4-6月", "quarter", None, dt.date(2015, 4, 1), dt.date(2015, 6, 30)),
        ("2015Q3", "quarter", None, dt.date(2015, 7, 1), dt.date(2015, 9, 30)),
        ("2015年1-3月", "cumulative_quarter", None, dt.date(2015, 1, 1), dt.date(2015, 3, 31)),
        ("2015年上半年", "cumulative_quarter", None, dt.date(2015, 1, 1), dt.date(2015, 6, 30)),
        ("2015年前三季度", "cumulative_quarter", None, dt.date(2015, 1, 1), dt.date(2015, 9, 30)),
        ("2015年1-12月", "year", None, dt.date(2015, 1, 1), dt.date(2015, 12, 31)),
        ("2014-2015", "mch_year", None, dt.date(2014, 10, 1), dt.date(2015, 9, 30)),
    ],
)
def test_periods_in_cells(
    text: str, period_type: str, year: int | None, start: dt.date, end: dt.date
) -> None:
    span = read_period(text, period_type, year)  # type: ignore[arg-type]
    assert span is not None
    assert (span.start, span.end) == (start, end)


@pytest.mark.parametrize(
    ("text", "period_type"),
    [
        ("2015-1x", "month"),
        ("2015-13", "month"),
        ("3月", "month"),
        ("2015年3月补报", "month"),
        ("2015年1-6月", "quarter"),
        ("2015年1-3季度", "quarter"),
        ("2015年前三季度", "quarter"),
        ("2015-03", "year"),
        ("2015-03-17", "quarter"),
        ("2014-2016", "mch_year"),
    ],
)
def test_what_is_no_period_of_the_kind_is_none(text: str, period_type: str) -> None:
    assert read_period(text, period_type) is None  # type: ignore[arg-type]


def test_moments_and_what_is_left_out_of_them() -> None:
    moment = FormField(code="m", labels=("时间",), type="datetime", role="attribute")
    typed = to_type(
        pl.Series(["2015-03-01 08:05", "2015年3月1日8时5分", "42064.5", "2015-03-01"]), moment, None
    )
    eight = dt.datetime(2015, 3, 1, 8, 5)  # noqa: DTZ001 - forms say local time
    noon = eight.replace(hour=12, minute=0)
    assert typed.values.to_list() == [eight, eight, noon, eight.replace(hour=0, minute=0)]
    assert typed.notes is None
    day = FormField(code="d", labels=("日期",), type="date", role="attribute")
    typed = to_type(pl.Series(["2015-03-01 08:05", "2015-03-01 00:00:00", "2015-03-01 起"]), day, None)
    assert typed.values.to_list() == [dt.date(2015, 3, 1), dt.date(2015, 3, 1), None]
    assert typed.notes is not None
    assert typed.notes.to_list() == ["time", None, None]
    assert typed.faults.to_list() == [None, None, "2015-03-01 起"]


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("12*", 12, "footnote"),
        ("12①", 12, "footnote"),
        ("12注1", 12, "footnote"),
        ("12（注）", 12, "footnote"),
        ("1，234[2]", 1234, "footnote"),
        ("1200¹", 1200, "footnote"),
        ("1,200 ¹", 1200, "footnote"),
        ("12²⁾", 12, "footnote"),
        ("12⁽¹²⁾", 12, "footnote"),
        ("12²", None, None),
        ("10⁶", None, None),
        ("12²¹", None, None),
        ("¹", None, None),
        ("①", None, None),
        ("12(3)", None, None),
    ],
)
def test_a_footnote_mark_never_becomes_part_of_its_number(
    text: str, value: float | None, note: str | None
) -> None:
    typed = to_numbers(pl.Series([text, "1"]), whole=False)
    assert typed.values[0] == value
    assert (typed.faults[0] is None) == (value is not None)
    assert (typed.notes[0] if typed.notes is not None else None) == note


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("95.5%", "%", 95.5),
        ("９５％", "%", 95),
        ("5‰", "‰", 5),
        ("5%", "‰", 50),
        ("95.5%", "‰", 955),
        ("5%", "人", None),
        ("5‰", "%", None),
    ],
)
def test_a_per_cent_sign_is_read_where_the_form_asks_for_it(
    text: str, unit: str, value: float | None
) -> None:
    rate = FormField(code="r", labels=("率",), type="dec", nature="flow", unit=unit)
    typed = to_type(pl.Series([text, "1"]), rate, None)
    assert typed.values[0] == value
    assert typed.faults[0] == (None if value is not None else text)
    converted = unit == "‰" and text.endswith("%")
    assert (typed.notes is not None and typed.notes.to_list() == ["per mille", None]) == converted


def test_nothing_may_be_an_answer_to_a_flag() -> None:
    flag = FormField(code="f", labels=("有无",), type="flag", role="attribute")
    typed = to_type(pl.Series(["有", "无", "-", None]), flag, None)
    assert typed.values.to_list() == [True, False, None, None]
    assert typed.faults.null_count() == 4


_texts = st.lists(
    st.one_of(
        st.none(),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
        st.sampled_from(["1", "2.5", "-", "无", "12*", "5%", "#REF!", "1,234", "1e400", "nan"]),
    ),
    min_size=3,
    max_size=3,
)


@given(
    st.lists(
        st.tuples(_texts, st.sampled_from(["int", "dec", "text", "flag", "date"])), min_size=1, max_size=6
    )
)
def test_columns_typed_together_are_those_typed_alone(columns: list[tuple[list[str | None], str]]) -> None:
    items = [
        (
            pl.Series(f"c{number}", texts, dtype=pl.String),
            FormField.model_validate(
                {"code": f"c{number}", "labels": ["x"], "type": kind, "unit": "%"}
                | ({"nature": "flow"} if kind in ("int", "dec") else {"role": "attribute"})
            ),
        )
        for number, (texts, kind) in enumerate(columns)
    ]
    for (column, field), together in zip(items, type_columns(items, {}), strict=True):
        alone = to_type(column, field, None)
        assert together.values.to_list() == alone.values.to_list()
        assert together.faults.to_list() == alone.faults.to_list()
        assert together.values.dtype == alone.values.dtype


def test_days_of_one_month_are_that_month() -> None:
    assert find_period(["2015年1月1日-1月31日"], "month") == read_period("2015-01", "month")


@pytest.mark.parametrize(
    ("texts", "period_type", "start"),
    [
        (["医疗服务月报表", "有效期至：2017年1月", "统计年月：2015年3月"], "month", dt.date(2015, 3, 1)),
        (["hosp_201503_龙湖.xlsx"], "month", dt.date(2015, 3, 1)),
        (["国统制〔2012〕184号", "2015年度"], "mch_year", dt.date(2014, 10, 1)),
        (["2014年10月1日—2015年9月30日"], "mch_year", dt.date(2014, 10, 1)),
        (["填报日期：2016年1月10日", "2015年"], "year", dt.date(2015, 1, 1)),
        (["2015年第三季度"], "quarter", dt.date(2015, 7, 1)),
        (["2015年1-3季度"], "cumulative_quarter", dt.date(2015, 1, 1)),
    ],
)
def test_periods_in_titles(texts: list[str], period_type: str, start: dt.date) -> None:
    span = find_period(texts, period_type)  # type: ignore[arg-type]
    assert span is not None
    assert span.start == start
