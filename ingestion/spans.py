"""Kinds of periods: their first and last days, and which comes before which."""

import calendar
from datetime import date, timedelta
from typing import Literal

PeriodType = Literal["month", "quarter", "cumulative_quarter", "year", "mch_year", "event"]


def period_bounds(period_type: PeriodType, year: int, number: int = 1) -> tuple[date, date]:
    """First and last day of a period; ``number`` is the month or the quarter."""
    if period_type == "month":
        return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    if period_type in ("quarter", "cumulative_quarter"):
        first = 1 if period_type == "cumulative_quarter" else 3 * number - 2
        return date(year, first, 1), date(year, 3 * number, calendar.monthrange(year, 3 * number)[1])
    if period_type == "mch_year":
        return date(year - 1, 10, 1), date(year, 9, 30)
    return date(year, 1, 1), date(year, 12, 31)


def previous_period_start(period_type: PeriodType, start: date, end: date) -> date:
    """First day of the period before; for cumulative quarters that of the shorter accumulation's year."""
    before = start - timedelta(days=1)
    if period_type == "month":
        return before.replace(day=1)
    if period_type == "quarter":
        return date(before.year, 3 * ((before.month - 1) // 3) + 1, 1)
    if period_type in ("year", "mch_year"):
        return start.replace(year=start.year - 1)
    if period_type == "cumulative_quarter" and end.month > 3:
        return start
    return start.replace(year=start.year - 1) if period_type == "cumulative_quarter" else before


def previous_period(period_type: PeriodType, start: date, end: date) -> tuple[date, date]:
    """First and last day of the period before; of a cumulative quarter the accumulation up to the quarter before."""
    last = start - timedelta(days=1)
    if period_type == "cumulative_quarter" and end.month > 3:
        last = date(end.year, end.month - 2, 1) - timedelta(days=1)
    return previous_period_start(period_type, start, end), last
