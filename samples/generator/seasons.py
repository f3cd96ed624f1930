"""Months, and what makes one month unlike another: the season, the Spring Festival, the years' trend."""

from calendar import monthrange
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FESTIVALS = (
    "2009-01-26 2010-02-14 2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 "
    "2016-02-08 2017-01-28 2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 "
    "2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03"
)
SPRING_FESTIVAL = {day.year: day for day in map(date.fromisoformat, _FESTIVALS.split())}
"""First day of the lunar year, by year."""

FIRST_YEAR, LAST_YEAR = 2010, 2029
"""Years that can be generated: the monthly form's first edition begins in 2010."""

BEFORE, AFTER = 3, 11
"""Days before and from the Spring Festival on which people stay away from hospitals if they can."""


def months(first_year: int, last_year: int) -> list[date]:
    """First days of all months from January of the first year to December of the last."""
    return [date(year, month, 1) for year in range(first_year, last_year + 1) for month in range(1, 13)]


def month_end(month: date) -> date:
    """Last day of the month that begins on this day."""
    return month.replace(day=monthrange(month.year, month.month)[1])


def days(axis: list[date]) -> Ints:
    """Days of each month."""
    return np.array([month_end(month).day for month in axis], dtype=np.int64)


def season(axis: list[date], by_month: tuple[float, ...]) -> Floats:
    """A factor for each month from twelve factors, January first."""
    return np.array([by_month[month.month - 1] for month in axis])


def festival_dip(axis: list[date], depth: float) -> Floats:
    """Factor below one for the months that hold days around the Spring Festival.

    On each of these days activity is ``depth`` lower; the month has as much of the dip as it has of the days, so that
    the dip moves between January and February from year to year.
    """
    dips = []
    for month in axis:
        festival = SPRING_FESTIVAL[month.year]
        first, last = festival - timedelta(days=BEFORE), festival + timedelta(days=AFTER)
        inside = (min(last, month_end(month)) - max(first, month)).days + 1
        dips.append(1 - depth * max(0, inside) / month_end(month).day)
    return np.array(dips)


def trend(axis: list[date], yearly: float) -> Floats:
    """Steady growth by ``yearly`` a year, one at the end of the last month."""
    last = axis[-1]
    back = [(last.year - month.year) * 12 + last.month - month.month for month in axis]
    return (1 + yearly) ** (-np.array(back) / 12)
