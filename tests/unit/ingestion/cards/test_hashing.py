"""Keyed hashes are HMAC-SHA256; the content of a batch is the same in any order and any cut."""

import hmac
import random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.cards.hashing import ContentSum, Hasher

texts = st.lists(st.text(max_size=40), min_size=1, max_size=30)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=100), texts)
def test_the_hash_is_the_standard_one(key, words):
    column = pl.DataFrame({"text": pl.Series([*words, None], dtype=pl.String)})
    hashes = column.select(Hasher(key).hashed(pl.col("text"))).to_series().to_list()
    secret = key.hex().encode()
    assert hashes == [*(hmac.new(secret, word.encode(), "sha256").hexdigest()[:32] for word in words), None]
    assert Hasher(key).of(words[0]) == hashes[0]


@settings(deadline=None)
@given(texts, st.integers(0, 30), st.randoms())
def test_content_is_the_same_in_any_order_and_cut(words, cut, shuffle: random.Random):
    hasher = Hasher(b"key")
    whole, pieces = ContentSum(), ContentSum()
    whole.add(hasher.fingerprints(pl.Series(words, dtype=pl.String)))
    shuffled = list(words)
    shuffle.shuffle(shuffled)
    for part in (shuffled[:cut], shuffled[cut:]):
        pieces.add(hasher.fingerprints(pl.Series(part, dtype=pl.String)))
    assert whole.hexdigest() == pieces.hexdigest()


@settings(deadline=None)
@given(texts, st.text(max_size=40))
def test_one_card_more_or_another_card_is_another_content(words, other):
    hasher = Hasher(b"key")

    def content(cards):
        total = ContentSum()
        total.add(hasher.fingerprints(pl.Series(cards, dtype=pl.String)))
        return total.hexdigest()

    assert content(words) != content([*words, other])
    if other != words[0]:
        assert content(words) != content([other, *words[1:]])


def test_who_has_not_the_key_cannot_tell_what_a_card_says():
    card = pl.Series(["sex=1"])
    one, two = (Hasher(key).fingerprints(card).row(0) for key in (b"one", b"two"))
    assert not set(one) & set(two)
