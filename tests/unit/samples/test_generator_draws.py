"""Seasons and draws of the generator: parts that add up, a dip that moves with the lunar year."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.generator import InvalidWorld, Options
from samples.generator.draws import counts, part, split, stream
from samples.generator.seasons import SPRING_FESTIVAL, festival_dip, months


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.lists(st.floats(0.001, 100), min_size=2, max_size=6),
)
def test_a_split_adds_up_and_stays_within_one_of_its_share(totals: list[int], weights: list[float]) -> None:
    shares = np.broadcast_to(weights, (len(totals), len(weights)))
    parts = split(np.array(totals), shares)
    assert parts.sum(axis=1).tolist() == totals
    exact = np.array(totals)[:, None] * np.array(weights) / sum(weights)
    assert (np.abs(parts - exact) < 1 + 1e-6).all()


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_part_is_never_more_than_the_whole(seed: int, share: float) -> None:
    whole = np.arange(0, 2000, 7)
    drawn = part(stream(seed, "test"), whole, share, 0.5)
    assert (drawn >= 0).all()
    assert (drawn <= whole).all()


def test_a_stream_depends_on_its_seed_and_its_purpose() -> None:
    first = stream(1, "beds").random(4).tolist()
    assert stream(1, "beds").random(4).tolist() == first
    assert stream(2, "beds").random(4).tolist() != first
    assert stream(1, "staff").random(4).tolist() != first


def test_counts_scatter_around_their_expectation() -> None:
    drawn = counts(stream(3, "test"), np.full(20_000, 400.0), 0.03)
    assert drawn.mean() == pytest.approx(400, rel=0.005)
    assert 10 < drawn.std() < 20


@pytest.mark.parametrize(("year", "dipping"), [(2012, 1), (2015, 2), (2023, 1), (2024, 2)])
def test_the_month_of_the_festival_dips_most(year: int, dipping: int) -> None:
    dips = festival_dip(months(year, year), 0.4)
    assert int(dips.argmin()) + 1 == dipping
    assert dips[3:].tolist() == [1.0] * 9
    assert all(date(y, 1, 20) < day < date(y, 2, 21) for y, day in SPRING_FESTIVAL.items())


@pytest.mark.parametrize(
    ("units", "years", "errors"), [(3, 1, 0.0), (10, 0, 0.0), (10, 21, 0.0), (10, 1, 0.6)]
)
def test_what_cannot_be_generated_is_refused(units: int, years: int, errors: float) -> None:
    with pytest.raises(InvalidWorld):
        Options(units, years, 1, errors)


def test_more_than_sixteen_years_begin_with_the_monthly_form() -> None:
    assert (Options(10, 3).first_year, Options(10, 3).last_year) == (2023, 2025)
    assert (Options(10, 20).first_year, Options(10, 20).last_year) == (2010, 2029)
