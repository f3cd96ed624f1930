"""Splitting totals into integers that add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.apportion import apportion, jitter

weights = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=40).filter(lambda w: sum(w) > 0)


@given(st.integers(0, 10**9), weights)
def test_parts_add_up_and_stay_within_one_of_their_share(total: int, parts: list[float]) -> None:
    result = apportion(total, parts)
    assert sum(result) == total
    assert all(value >= 0 for value in result)
    whole = sum(parts)
    assert all(abs(v - total * w / whole) <= 1 + 1e-6 * total for v, w in zip(result, parts, strict=True))


def test_equal_remainders_go_to_the_first() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]


def test_nothing_to_split_over_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot split"):
        apportion(1, [0, 0])


@given(st.text(), st.floats(0, 1))
def test_jitter_depends_on_its_key_alone_and_keeps_its_spread(key: str, spread: float) -> None:
    assert jitter(key, spread=spread) == jitter(key, spread=spread)
    assert abs(jitter(key, spread=spread) - 1) <= spread + 1e-12
