"""A key that stands in a file again is found however far below, and no other is."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.cards import keys as module
from ingestion.cards.keys import KeysMet

# Few keys, so that many are met again, and few different contents.
cards = st.lists(
    st.tuples(st.none() | st.integers(0, 12).map(lambda n: n * (2**60 + 12345)), st.integers(0, 2)),
    max_size=40,
)


def expected(batches: list[list[tuple[int | None, int]]]) -> list[tuple[bool, bool]]:
    first: dict[int, int] = {}
    found = []
    for key, content in (card for batch in batches for card in batch):
        again = key is not None and key in first
        found.append((again, key is not None and first.get(key) == content))
        if key is not None:
            first.setdefault(key, content)
    return found


def met(batches: list[list[tuple[int | None, int]]]) -> list[tuple[bool, bool]]:
    known = KeysMet()
    found: list[tuple[bool, bool]] = []
    for batch in batches:
        keys = pl.Series([key for key, _ in batch], dtype=pl.UInt64)
        contents = pl.Series([content for _, content in batch], dtype=pl.UInt64)
        again, same = known.met_before(keys, contents)
        found += zip(again, same, strict=True)
    return found


@given(st.lists(cards, max_size=4))
def test_a_key_is_met_again_wherever_it_stood(batches):
    assert met(batches) == expected(batches)


@pytest.mark.parametrize("words", [21, 3])
def test_many_keys_are_told_apart_even_where_the_filter_is_full(monkeypatch, words):
    monkeypatch.setattr(module, "_WORDS", words)
    numbers = pl.Series(range(20_000), dtype=pl.UInt64).hash(seed=1)
    known = KeysMet()
    for part in numbers.to_frame("n").iter_slices(5_000):
        assert not known.met_before(part["n"], part["n"])[0].any()
    again, same = known.met_before(numbers.reverse(), numbers.reverse())
    assert again.all()
    assert same.all()
