"""Keyed hashes over whole columns: HMAC-SHA256 of persons, and the content of cards added up in any order."""

import hashlib

import polars as pl

_BLOCK = 64
_LANES = 4


class Hasher:
    """HMAC-SHA256 under one key, its two halves prepared once: a third of the cost of a fresh HMAC for each text."""

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def of(self, text: str) -> str:
        """Hash of one text, 32 hexadecimal digits."""
        return self._digest(text.encode())[:16].hex()

    def column(self, texts: pl.Series) -> pl.Series:
        """Hashes of a column of text, 32 hexadecimal digits each; null stays null."""
        known = texts.drop_nulls()
        start, finish = self._inner.copy, self._outer.copy
        digests: list[bytes] = []
        keep = digests.append
        # The one loop over persons: every call in it is made for each card.
        for message in known.cast(pl.Binary).to_list():
            inner = start()
            inner.update(message)
            outer = finish()
            outer.update(inner.digest())
            keep(outer.digest())
        hashes = pl.Series(texts.name, digests, dtype=pl.Binary).bin.slice(0, 16).bin.encode("hex")
        if len(known) == len(texts):
            return hashes
        empty = pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, len(texts))
        return empty.scatter(texts.is_not_null().arg_true(), hashes)

    def fingerprints(self, texts: pl.Series) -> pl.Series:
        """Digests of whole cards, 32 bytes each, under the same key: what a card says cannot be guessed from them."""
        start = self._inner.copy
        digests: list[bytes] = []
        keep = digests.append
        for message in texts.cast(pl.Binary).to_list():
            state = start()
            state.update(message)
            keep(state.digest())
        return pl.Series(texts.name, digests, dtype=pl.Binary)

    def _digest(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class ContentSum:
    """Sum of the digests of cards: the same whatever their order and however they are cut into batches."""

    def __init__(self) -> None:
        self._lanes = [0] * _LANES
        self._count = 0

    def add(self, digests: pl.Series) -> None:
        """Add the digests of some cards."""
        self._count += len(digests)
        for lane in range(_LANES):
            words = digests.bin.slice(8 * lane, 8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
            # Halves are added apart: a sum of whole words would overflow.
            low, high = (words & 0xFFFFFFFF).sum(), (words // 2**32).sum()
            self._lanes[lane] = (self._lanes[lane] + int(low) + (int(high) << 32)) % 2**64

    def hexdigest(self) -> str:
        """The content as 64 hexadecimal digits."""
        text = ":".join([str(self._count), *(f"{lane:016x}" for lane in self._lanes)])
        return hashlib.sha256(text.encode()).hexdigest()
