"""Parquet files as tables of text and numbers; the names of the columns are their first row."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.errors import UnreadableFile
from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text, clean
from ingestion.readers.compiled import guarded
from ingestion.readers.grid import Area
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import too_large
from ingestion.readers.table import HEAD_ROWS, Remembered, Table

_KIND = ("Parquet 文件", "a Parquet file")
# Rows that are unpacked at once: few enough that long texts which repeat stay within memory.
_PIECE = 8_192


def read_parquet(blob: Blob, limits: Limits) -> list[Table]:
    """The one table of a Parquet file.

    Raises :class:`UnreadableFile` for a damaged file, :class:`FileTooLarge` beyond the limits.
    """
    return [_Rows(blob, limits).table()]


class _Rows:
    """Rows of the file, unpacked piece by piece."""

    def __init__(self, blob: Blob, limits: Limits) -> None:
        self._blob = blob
        self._limits = limits

    def table(self) -> Table:
        """The table with its head."""
        names = self._names()
        Area(self._blob.name, self._limits).check(1, len(names))
        top: list[list[object]] = [list(names)]
        for piece in self._pieces(HEAD_ROWS):
            top += [list(row) for row in piece.head(HEAD_ROWS - len(top)).rows()]
            if len(top) >= HEAD_ROWS:
                break
        return Table("", top, Remembered(self._whole), stream=self._stream)

    def _whole(self, first: int) -> pl.DataFrame:
        height = self._opened().metadata.num_rows + 1
        Area(self._blob.name, self._limits).check(height, len(self._names()))
        frames = list(self._pieces(_PIECE))
        if first >= 1:
            return (pl.concat(frames) if frames else self._header()).slice(first - 1 if frames else 1)
        return pl.concat([self._header(), *map(_as_text, frames)])

    def _stream(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        skip = first - 1
        if first == 0:
            yield self._header()
        for piece in self._pieces(min(size, _PIECE)):
            if skip >= piece.height:
                skip -= piece.height
                continue
            yield piece.slice(max(skip, 0))
            skip = 0

    def _header(self) -> pl.DataFrame:
        return pl.DataFrame(
            {f"c{index}": pl.Series([name], dtype=pl.String) for index, name in enumerate(self._names())}
        )

    def _names(self) -> list[str]:
        return list(self._opened().schema_arrow.names)

    def _opened(self) -> Any:
        return guarded(self._blob.name, _KIND, self._open, pa.ArrowException)

    def _open(self) -> Any:
        source = pa.BufferReader(self._blob.data) if self._blob.data is not None else str(self._blob.path)
        return pq.ParquetFile(source, page_checksum_verification=True)

    def _pieces(self, size: int) -> Iterator[pl.DataFrame]:
        file = self._opened()
        batches = file.iter_batches(batch_size=size, use_threads=False)
        read = partial(self._piece, batches)
        while (
            piece := guarded(self._blob.name, _KIND, read, pa.ArrowException, pl.exceptions.PolarsError)
        ) is not None:
            yield piece

    def _piece(self, batches: Iterator[Any]) -> pl.DataFrame | None:
        batch = next(batches, None)
        if batch is None:
            return None
        if batch.nbytes > self._limits.unpacked_bytes:
            raise _unpacks(self._blob.name)
        # A damaged file may hold texts that are none, which whoever takes them over would not look at again.
        batch.validate(full=True)
        return pl.DataFrame(
            [_column(batch.column(index)).alias(f"c{index}") for index in range(batch.num_columns)]
        )


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        [pl.Series(column.name, list(map(cell_text, column)), dtype=pl.String) for column in frame]
    )


def _unpacks(name: str) -> UnreadableFile:
    return too_large(
        name,
        "展开后过大",
        "unpacks to too much",
        "请拆成几个文件后报送",
        "Split it into several files",
    )


def _column(array: Any) -> pl.Series:
    """A column as numbers or text, the same way in every piece of the file."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind.bit_width <= 32):
        return pl.Series(pl.from_arrow(array)).cast(pl.Float64)
    if pa.types.is_timestamp(kind):
        return _moments(array)
    if pa.types.is_boolean(kind):
        return pl.Series(pl.from_arrow(array)).cast(pl.String).str.to_uppercase()
    write = next((write for told, write in _WRITERS if told(kind)), None)
    if write is None:
        return clean(pl.Series(pl.from_arrow(array)).cast(pl.String))
    values = [None if value is None else write(value) for value in array.to_pylist()]
    return clean(pl.Series(values, dtype=pl.String))


def _moments(array: Any) -> pl.Series:
    """Moments as the clock shows them where they were written; a day alone when all its hours are zero."""
    series = pl.Series(pl.from_arrow(array))
    text = series.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.strip_suffix(".000000")
    return text.str.strip_suffix(" 00:00:00")


def _plain(number: str) -> str:
    """A decimal without the zeros that only fill its places."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _nested(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _bytes(value: bytes) -> str:
    return value.decode(errors="replace")


# How values are written that are neither numbers, flags nor plain text.
_WRITERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], str]], ...] = (
    (pa.types.is_nested, _nested),
    (pa.types.is_binary, _bytes),
    (pa.types.is_large_binary, _bytes),
    (pa.types.is_fixed_size_binary, _bytes),
    (pa.types.is_decimal, lambda value: _plain(format(value, "f"))),
)
