"""Spans of days, cut into years or months, so that a long reload goes in chunks that can be published one by one."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal


def split(first: date, last: date, by: Literal["year", "month"]) -> Iterator[tuple[date, date]]:
    """Cut the days from ``first`` to ``last``, both inclusive, at the ends of calendar years or months."""
    while first <= last:
        if by == "year" or first.month == 12:
            following = date(first.year + 1, 1, 1)
        else:
            following = date(first.year, first.month + 1, 1)
        yield first, min(following - timedelta(days=1), last)
        first = following
