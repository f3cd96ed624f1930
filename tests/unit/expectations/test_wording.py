"""What reporting units read of a finding."""

from datetime import date

import pytest

from expectations.series.causes import cause_of
from expectations.wording import in_chinese, period

NAMES = {"expenditure_drug": "药品支出"}


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (None, None),
        ("two digits swapped", "疑为相邻两位数字颠倒"),
        ("out of step with expenditure_drug", "与“药品支出”不同步"),
        ("out of step with given_basic HepB|1|0", "与“given_basic”HepB|1|0不同步"),
        ("in each other's place with expenditure_drug", "疑与“药品支出”填反"),
        ("the numbers are those of 12 periods before", "与 12 期前的数据相同"),
        ("what nobody translated", "what nobody translated"),
    ],
)
def test_causes_are_told_in_chinese_with_printed_names(cause: str | None, told: str | None):
    assert in_chinese(cause, NAMES) == told


@pytest.mark.parametrize("times", [1000, 10_000, 100, 10, 0.001, 0.0001, 0.1, -1, 0])
def test_every_cause_that_two_numbers_have_is_translated(times: float):
    cause = cause_of(times * 123_456, 123_456)
    assert cause is not None
    assert in_chinese(cause, {}) != cause


@pytest.mark.parametrize(
    ("kind", "start", "end", "told"),
    [
        ("month", date(2025, 3, 1), date(2025, 3, 31), "2025-03"),
        ("quarter", date(2025, 7, 1), date(2025, 9, 30), "2025年第3季度"),
        ("cumulative_quarter", date(2025, 1, 1), date(2025, 9, 30), "2025年1–9月"),
        ("cumulative_quarter", date(2025, 1, 1), None, "2025年累计"),
        ("mch_year", date(2024, 10, 1), date(2025, 9, 30), "2025妇幼年度"),
        ("year", date(2025, 1, 1), date(2025, 12, 31), "2025年"),
        ("year", None, None, ""),
    ],
)
def test_periods_are_told_as_people_write_them(kind: str, start: date | None, end: date | None, told: str):
    assert period({"period_type": kind, "period_start": start, "period_end": end}) == told
