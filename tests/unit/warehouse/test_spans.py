"""Cutting a span of days into chunks."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from warehouse.spans import split

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2060, 12, 31))


def test_years_are_cut_at_their_ends():
    assert list(split(date(2014, 11, 3), date(2016, 2, 1), "year")) == [
        (date(2014, 11, 3), date(2014, 12, 31)),
        (date(2015, 1, 1), date(2015, 12, 31)),
        (date(2016, 1, 1), date(2016, 2, 1)),
    ]


def test_months_are_cut_at_their_ends():
    assert list(split(date(2015, 12, 31), date(2016, 2, 29), "month")) == [
        (date(2015, 12, 31), date(2015, 12, 31)),
        (date(2016, 1, 1), date(2016, 1, 31)),
        (date(2016, 2, 1), date(2016, 2, 29)),
    ]


def test_span_that_ends_before_it_begins_is_empty():
    assert list(split(date(2016, 1, 2), date(2016, 1, 1), "year")) == []


@given(DAYS, st.integers(0, 3000), st.sampled_from(["year", "month"]))
def test_chunks_cover_the_span_without_gap_or_overlap(first, length, by):
    last = first + timedelta(days=length)
    chunks = list(split(first, last, by))
    assert chunks[0][0] == first
    assert chunks[-1][1] == last
    for (_, end), (start, _) in pairwise(chunks):
        assert start == end + timedelta(days=1)
