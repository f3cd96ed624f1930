"""Keyed hashes over whole columns: HMAC-SHA256 of persons, and the content of cards added up in any order."""

import hashlib
import hmac

import polars as pl
from polars_hash import CryptographicHashingNameSpace as Keyed
from polars_hash import NonCryptographicHashingNameSpace as Seeded

DIGITS = 32
"""Hexadecimal digits of a person's hash."""


class Hasher:
    """HMAC-SHA256 under one secret, and fingerprints of whole cards that nobody can work out without it.

    The secret is used as its hexadecimal text, for whole columns are hashed by a library that takes no other.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key.hex()
        seeds = hmac.digest(self._key.encode(), b"content of cards", "sha256")
        self._seeds = [int.from_bytes(seeds[place : place + 8]) for place in (0, 8)]

    def of(self, text: str) -> str:
        """Hash of one text, 32 hexadecimal digits."""
        return hmac.new(self._key.encode(), text.encode(), "sha256").hexdigest()[:DIGITS]

    def hashed(self, texts: pl.Expr) -> pl.Expr:
        """Hashes of texts, 32 hexadecimal digits each; null stays null."""
        return Keyed(texts).hmac_sha256(key=self._key).str.head(DIGITS)

    def fingerprints(self, texts: pl.Series) -> pl.DataFrame:
        """Two numbers for each text, ``first`` and ``second``: 128 bits of XXH3 under secret seeds.

        They are only ever added up or compared within a file (:class:`ContentSum`); what is kept is a hash of sums of
        both, so that without the 128 bits of the seeds nobody can try out what a card says.
        """
        text = texts.to_frame("text")
        first, second = (Seeded(pl.col("text")).xxh3_64(seed=seed) for seed in self._seeds)
        return text.select(first.alias("first"), second.alias("second"))


class ContentSum:
    """Sum of the fingerprints of cards: the same whatever their order and however they are cut into batches."""

    def __init__(self) -> None:
        self._sums = [0, 0]
        self._count = 0

    def add(self, fingerprints: pl.DataFrame) -> None:
        """Add the fingerprints of some cards."""
        self._count += len(fingerprints)
        # Halves are added apart: a sum of whole numbers would overflow.
        sums = fingerprints.select(
            half
            for name in ("first", "second")
            for half in (
                (pl.col(name) & 0xFFFFFFFF).sum().alias(f"{name} low"),
                (pl.col(name) // 2**32).sum().alias(f"{name} high"),
            )
        ).row(0)
        for place in (0, 1):
            low, high = sums[2 * place : 2 * place + 2]
            self._sums[place] = (self._sums[place] + low + (high << 32)) % 2**64

    def hexdigest(self) -> str:
        """The content as 64 hexadecimal digits."""
        text = ":".join([str(self._count), *(f"{one:016x}" for one in self._sums)])
        return hashlib.sha256(text.encode()).hexdigest()
