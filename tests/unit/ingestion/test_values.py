"""Cells become values however a clerk types them, and nothing else does."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.form import FormField
from ingestion.periods import find_period, read_period
from ingestion.values import NULL_MARKS, to_numbers, to_type

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


@pytest.mark.parametrize("mark", NULL_MARKS)
def test_marks_for_nothing_are_null_and_never_zero(mark: str) -> None:
    assert _int("0", mark) == ([0, None], [None, None])


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
