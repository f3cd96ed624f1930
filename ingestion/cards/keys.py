"""Keys of the cards of a file that were met already, in bounded memory however many cards there are."""

import tempfile

import numpy as np
import numpy.typing as npt
import polars as pl

_Numbers = npt.NDArray[np.uint64]

_WORDS = 21
"""The filter has two to the power of this many words of 64 bits: 16 MB."""

_BITS = (0, 6, 12, 18, 24)
"""A key sets five bits of one word: where in the key the number of each begins. Its last bits say which word."""

_CHUNK = 1 << 16
"""Keys that are read back at once."""


class KeysMet:
    """Which keys were met, and what the first card with each of them says.

    A filter says of nearly every new key that it is new. The others are looked up among all keys, which lie in a file
    without a name.
    """

    def __init__(self) -> None:
        self._filter = np.zeros(1 << _WORDS, dtype=np.uint64)
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as this object

    def met_before(self, keys: pl.Series, contents: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Which cards have a key that an earlier card of the file has, and which of them say the same.

        ``keys``: a number for each key, null where a card has none; ``contents``: a number for what the card says.
        """
        again = same = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(keys))
        given = keys.drop_nulls()
        earlier = self._earlier(given.to_numpy())
        repeated = given.n_unique() < len(given)
        if len(given) == len(keys) and not repeated and earlier.is_empty():
            self._add(keys, contents)
            return again, same
        frame = pl.DataFrame([keys.alias("key"), contents.alias("content")])
        if repeated:
            frame = frame.with_row_index("row")
            first = frame.filter(pl.col("key").is_not_null()).unique("key", keep="first", maintain_order=True)
            joined = frame.join(first, on="key", how="left", maintain_order="left", suffix="_first")
            again = (joined["row_first"] < joined["row"]).fill_null(value=False)
            same = again & (joined["content"] == joined["content_first"])
        if not earlier.is_empty():
            joined = frame.join(earlier, on="key", how="left", maintain_order="left")
            found = joined["before"].is_not_null()
            same = same.zip_with(~found, joined["before"] == joined["content"])
            again = again | found
        new = keys.is_not_null() & ~again
        self._add(keys.filter(new), contents.filter(new))
        return again, same.fill_null(value=False)

    def _earlier(self, keys: _Numbers) -> pl.DataFrame:
        """Those of the keys that were met in batches before: ``key``, and what was said ``before``."""
        place, bits = _marks(keys)
        wanted = np.unique(keys[self._filter[place] & bits == bits])
        found: list[_Numbers] = []
        if len(wanted):
            self._file.seek(0)
            while chunk := self._file.read(16 * _CHUNK):
                pairs = np.frombuffer(chunk, dtype=np.uint64).reshape(-1, 2)
                found.append(pairs[np.isin(pairs[:, 0], wanted)])
        pairs = np.concatenate(found) if found else np.empty((0, 2), dtype=np.uint64)
        return pl.DataFrame({"key": pairs[:, 0], "before": pairs[:, 1]}, schema_overrides=_SCHEMA)

    def _add(self, keys: pl.Series, contents: pl.Series) -> None:
        pairs = np.column_stack([keys.to_numpy(), contents.to_numpy()])
        place, bits = _marks(pairs[:, 0])
        while len(place):
            self._filter[place] |= bits
            # Where several keys have one word, only the bits of one were set.
            lost = self._filter[place] & bits != bits
            place, bits = place[lost], bits[lost]
        self._file.seek(0, 2)
        self._file.write(pairs.data)


_SCHEMA = {"key": pl.UInt64, "before": pl.UInt64}


def _marks(keys: _Numbers) -> tuple[npt.NDArray[np.int64], _Numbers]:
    """For each key its word of the filter, and the bits that it sets there."""
    bits = np.zeros(len(keys), dtype=np.uint64)
    for start in _BITS:
        bits |= np.uint64(1) << (keys >> np.uint64(start) & np.uint64(63))
    return (keys >> np.uint64(64 - _WORDS)).astype(np.int64), bits
