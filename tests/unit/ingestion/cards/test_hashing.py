"""Keyed hashes are HMAC-SHA256; the content of a batch is the same in any order and any cut."""

import datetime as dt
import hmac
import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingestion.cards.hashing import ContentSum, Hasher

numbers = st.integers(-(2**40), 2**40)
cards = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=20),
            "count": st.none() | numbers,
            "flag": st.none() | st.booleans(),
        }
    ),
    min_size=1,
    max_size=30,
)
texts = st.lists(st.text(max_size=40), min_size=1, max_size=30)


@given(st.binary(min_size=1, max_size=100), texts)
def test_the_hash_is_the_standard_one(key, words):
    column = pl.DataFrame({"text": pl.Series([*words, None], dtype=pl.String)})
    hashes = column.select(Hasher(key).hashed(pl.col("text"))).to_series().to_list()
    secret = key.hex().encode()
    assert hashes == [*(hmac.new(secret, word.encode(), "sha256").hexdigest()[:32] for word in words), None]
    assert Hasher(key).of(words[0]) == hashes[0]


def fingerprints(hasher: Hasher, said: list[dict[str, object]]) -> pl.DataFrame:
    frame = pl.DataFrame(said, schema={"text": pl.String, "count": pl.Int64, "flag": pl.Boolean})
    return hasher.fingerprints({column.name: column for column in frame}, frame.height)


def content(said: list[dict[str, object]]) -> str:
    total = ContentSum()
    total.add(fingerprints(Hasher(b"key"), said))
    return total.hexdigest()


@given(cards, st.integers(0, 30), st.randoms())
def test_content_is_the_same_in_any_order_and_cut(said, cut, shuffle: random.Random):
    hasher, pieces = Hasher(b"key"), ContentSum()
    shuffled = list(said)
    shuffle.shuffle(shuffled)
    for part in (shuffled[:cut], shuffled[cut:]):
        pieces.add(fingerprints(hasher, part))
    assert pieces.hexdigest() == content(said)


@given(cards, cards)
def test_one_card_more_or_another_card_is_another_content(said, others):
    other = others[0]
    assert content(said) != content([*said, other])
    if other != said[0]:
        assert content(said) != content([other, *said[1:]])


def test_cards_that_swap_a_field_are_other_cards():
    one, two = {"text": "a", "count": 1}, {"text": "b", "count": 2}
    assert content([one, two]) != content([one | {"count": 2}, two | {"count": 1}])


def test_fields_that_swap_their_values_make_another_card():
    hasher = Hasher(b"key")
    one, two = pl.Series(["2015"]), pl.Series(["1"])
    assert hasher.fingerprints({"a": one, "b": two}, 1).row(0) != hasher.fingerprints(
        {"a": two, "b": one}, 1
    ).row(0)


def test_columns_without_a_value_and_their_order_say_nothing():
    hasher = Hasher(b"key")
    given_, blank = pl.Series([7, None]), pl.Series([None, None], dtype=pl.String)
    words = pl.Series(["a", "b"])
    whole = hasher.fingerprints({"n": given_, "w": words, "x": blank}, 2)
    assert whole.equals(hasher.fingerprints({"w": words, "n": given_}, 2))
    assert whole.row(1) == hasher.fingerprints({"w": words[1:]}, 1).row(0)


def test_a_day_and_its_number_are_the_same_under_one_name():
    hasher = Hasher(b"key")
    days = pl.Series([dt.date(2015, 1, 5), dt.date(1935, 1, 1)])
    assert hasher.fingerprints({"d": days}, 2).equals(hasher.fingerprints({"d": days.to_physical()}, 2))


def test_what_cards_say_has_always_the_same_numbers():
    said = [{"text": "男", "count": 3, "flag": True}, {"text": "女", "count": None, "flag": False}]
    assert content(said) == "4e7c1090452fdf215d61db7a71f2f029f6d1160612efae6f42baa0032e1dfb7e"


def test_who_has_not_the_key_cannot_tell_what_a_card_says():
    card = [{"text": "1", "count": 2, "flag": True}]
    one, two = (fingerprints(Hasher(key), card).row(0) for key in (b"one", b"two"))
    assert not set(one) & set(two)
