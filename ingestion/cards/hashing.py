"""Keyed hashes over whole columns: HMAC-SHA256 of persons, and the content of cards added up in any order."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from polars_hash import CryptographicHashingNameSpace as Keyed
from polars_hash import NonCryptographicHashingNameSpace as Seeded

DIGITS = 32
"""Hexadecimal digits of a person's hash."""

_HALVES = ("first", "second")


class Hasher:
    """HMAC-SHA256 under one secret, and fingerprints of whole cards that nobody can work out without it.

    The secret is used as its hexadecimal text, for whole columns are hashed by a library that takes no other.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key.hex()
        self._known: dict[str, _Secret] = {}

    def of(self, text: str) -> str:
        """Hash of one text, 32 hexadecimal digits."""
        return hmac.new(self._key.encode(), text.encode(), "sha256").hexdigest()[:DIGITS]

    def hashed(self, texts: pl.Expr) -> pl.Expr:
        """Hashes of texts, 32 hexadecimal digits each; null stays null."""
        return Keyed(texts).hmac_sha256(key=self._key).str.head(DIGITS)

    def hashed_where(self, texts: pl.Series, chosen: pl.Series) -> pl.Series:
        """The column with the hashes of the chosen texts in their place."""
        hashes = texts.filter(chosen).to_frame("text").select(self.hashed(pl.col("text"))).to_series()
        return texts.clone().scatter(chosen.arg_true(), hashes)

    def fingerprints(self, cells: Mapping[str, pl.Series], height: int) -> pl.DataFrame:
        """Two numbers of 64 bits for what each card says, ``first`` and ``second``; ``cells``: its fields by name.

        Each field becomes a number under a secret of its own (XXH3 of a text), a blank one none; a card is their
        sum, stirred. They are only ever added up or compared within a file (:class:`ContentSum`); what is kept is a
        hash of sums of both, so that without the secrets nobody can try out what a card says.
        """
        totals = {half: np.zeros(height, dtype=np.uint64) for half in _HALVES}
        filled = [column.alias(name) for name, column in cells.items() if column.null_count() < height]
        for column in pl.DataFrame(filled).select(map(self._number, filled)):
            secret = self._secrets(column.name)
            numbers = (column.fill_null(0) if column.null_count() else column).to_numpy()
            if column.dtype != pl.UInt64:
                numbers = _stirred(numbers.view(np.uint64) * secret.factor + secret.seed)
            if column.null_count():
                numbers = numbers * column.is_not_null().to_numpy()
            for half, factor in zip(_HALVES, secret.halves, strict=True):
                totals[half] += numbers * factor
        return pl.DataFrame({half: _stirred(total) for half, total in totals.items()})

    def _number(self, column: pl.Series) -> pl.Expr:
        """The cells of a column as numbers: whole ones with a sign, and unsigned ones of texts."""
        cell = pl.col(column.name)
        if column.dtype.is_temporal():
            return cell.to_physical().cast(pl.Int64)
        if column.dtype.is_integer() or column.dtype == pl.Boolean:
            return cell.cast(pl.Int64)
        texts = cell if column.dtype == pl.String else cell.cast(pl.String)
        return Seeded(texts).xxh3_64(seed=int(self._secrets(column.name).seed))

    def _secrets(self, name: str) -> "_Secret":
        if name not in self._known:
            digest = hmac.digest(self._key.encode(), f"content of cards: {name}".encode(), "sha256")
            seed, factor, *halves = np.frombuffer(digest, dtype=">u8").astype(np.uint64)
            # Multiplying by an odd number loses nothing of 64 bits that overflow.
            self._known[name] = _Secret(seed, factor | _ONE, (halves[0] | _ONE, halves[1] | _ONE))
        return self._known[name]


@dataclass(frozen=True)
class _Secret:
    """What a field's cells are made numbers with: for texts and whole numbers, and in each half of a fingerprint."""

    seed: np.uint64
    factor: np.uint64
    halves: tuple[np.uint64, np.uint64]


_ONE = np.uint64(1)


def _stirred(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Each bit of a number has its part in every bit of the result: the finaliser of MurmurHash3."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        numbers = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(33))


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
            for name in _HALVES
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
