"""One JSON object a line, read as a stream: never more than a block of lines is held.

Blocks whose lines all have the same keys in the same order, with plain texts and numbers, are read as columns; any
other line by line. Both say the same of every line.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import polars as pl

from ingestion.errors import UnreadableFile
from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text, clean, frame_of
from ingestion.readers.documents import no_encoding
from ingestion.readers.grid import Area
from ingestion.readers.json_values import decode, flat
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import unreadable
from ingestion.readers.table import HEAD_ROWS, Remembered, Table

_CHECKED = 10_000
_HEAD, _BLOCK, _LONGEST_LINE = 1 << 20, 1 << 21, 16 << 20
_FEW = 64
"""Lines up to which a block is read line by line."""
_MOST_KEYS = 200

# Texts without escapes, and numbers that are written as they are shown: neither 1.50 nor 1e5 nor 0.00001.
_PLAIN = (
    r'(?:"[^"\\\x00-\x1f]*"|null|0|-?[1-9][0-9]{0,14}|-?[1-9][0-9]{0,7}\.[0-9]{0,5}[1-9]'
    r"|-?0\.(?:[1-9]|0[1-9]|00[1-9]|000[1-9])(?:[0-9]{0,4}[1-9])?)"
)

_Line = tuple[int, str]


class Lines:
    """One object a line, read as a stream: never more than a batch of lines is held."""

    def __init__(self, blob: Blob, limits: Limits) -> None:
        self._blob = blob
        self._limits = limits
        self._encoding = "utf-8"
        self._keys: list[str] = []
        self._plain: list[tuple[str, ...] | None] = []

    def begin_with_objects(self) -> bool:
        """Whether each of the first two lines is an object of its own."""
        head = self._blob.head(_HEAD).removeprefix(codecs.BOM_UTF8).split(b"\n")
        first = [line for line in head[:20] if line.strip()][:2]
        try:
            objects = [isinstance(decode(line.decode(errors="replace")), dict) for line in first]
        except (ValueError, RecursionError):
            return False
        return len(objects) == 2 and all(objects)

    def table(self) -> Table:
        """The table: a row of keys, then a row a line; the lines are gone through once for the keys."""
        try:
            self._collect_keys()
        except UnicodeError:
            self._encoding = "gb18030"
            try:
                self._collect_keys()
            except UnicodeError as error:
                raise no_encoding(self._blob.name) from error
        top: list[list[str | None]] = [list(self._keys)]
        for row in islice(self._rows(), 1, HEAD_ROWS):
            top.append([cell_text(value) for value in row])
        return Table("", top, Remembered(self._whole), stream=self._stream)

    def _collect_keys(self) -> None:
        keys: dict[str, None] = {}
        self._plain = []
        for block in self._blocks():
            plain = self._plain_keys(block)
            self._plain.append(plain)
            for record in [dict.fromkeys(plain)] if plain else (self._record(*line) for line in block):
                if not keys.keys() >= record.keys():
                    keys.update(dict.fromkeys(record))
                    Area(self._blob.name, self._limits).check(1, len(keys))
        self._keys = list(keys)

    def _plain_keys(self, block: Sequence[_Line]) -> tuple[str, ...] | None:
        """The keys of every line of a block that is written plainly throughout; else None."""
        if len(block) <= _FEW:
            return None
        keys = tuple(self._record(*block[0]))
        if not 0 < len(keys) <= _MOST_KEYS:
            return None
        lines = pl.Series("", [line for _, line in block])
        return keys if lines.str.contains(_like(keys)).all() else None

    def _whole(self, first: int) -> pl.DataFrame:
        area = Area(self._blob.name, self._limits)
        rows: list[list[object]] = []
        for row in self._rows():
            rows.append(row)
            if len(rows) % _CHECKED == 0:
                area.check(len(rows), len(self._keys))
        area.check(len(rows), len(self._keys))
        return frame_of(rows, first)

    def _stream(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        held: list[pl.DataFrame] = []
        height, skip = 0, first
        for frame in self._frames():
            rows = frame.slice(skip)
            skip -= min(skip, frame.height)
            held.append(rows)
            height += rows.height
            if height >= size:
                whole = pl.concat(held)
                full = height - height % size
                yield from whole.head(full).iter_slices(size)
                held, height = [whole.slice(full)], height - full
        if height or not self._keys:
            yield pl.concat(held)

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The row of keys and the lines block by block, all as text."""
        width = len(self._keys)
        yield _as_text([self._keys], width)
        for number, block in enumerate(self._blocks()):
            plain = self._plain[number] if number < len(self._plain) else None
            yield self._columns(block, plain) if plain else _as_text(list(self._cells(block)), width)

    def _columns(self, block: Sequence[_Line], keys: Sequence[str]) -> pl.DataFrame:
        """The columns of a plain block: what stands in its cells is what is written there."""
        text = "\n".join(line for _, line in block).encode()
        frame = pl.read_ndjson(io.BytesIO(text), schema=dict.fromkeys(keys, pl.String))
        blank = pl.Series("", [None], dtype=pl.String).new_from_index(0, frame.height)
        columns = [frame[key].replace("", None) if key in keys else blank for key in self._keys]
        return pl.DataFrame([column.alias(f"c{index}") for index, column in enumerate(columns)])

    def _rows(self) -> Iterator[list[object]]:
        yield list(self._keys)
        for block in self._blocks():
            yield from self._cells(block)

    def _cells(self, block: Sequence[_Line]) -> Iterator[list[object]]:
        for line in block:
            record = self._record(*line)
            yield [flat(record.get(key)) for key in self._keys]

    def _blocks(self) -> Iterator[list[_Line]]:
        """Lines that are not blank with their numbers, some megabytes at a time."""
        with self._blob.open() as binary, io.TextIOWrapper(binary, self._encoding, newline="\n") as stream:
            number, rest, more = 0, "", True
            while more:
                piece = stream.read(_BLOCK)
                more = bool(piece)
                lines = (rest + piece).split("\n")
                rest = lines.pop() if more else ""
                block = [(number + place, line) for place, line in enumerate(lines, start=1) if line.strip()]
                number += len(lines)
                if len(rest) > _LONGEST_LINE:
                    raise _bad_line(self._blob.name, number + 1)
                if block:
                    yield block

    def _record(self, number: int, line: str) -> dict[str, object]:
        try:
            record = decode(line.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise _bad_line(self._blob.name, number) from error
        if not isinstance(record, dict):
            raise _bad_line(self._blob.name, number)
        return record


@lru_cache(maxsize=16)
def _like(keys: Sequence[str]) -> str:
    """Pattern of a line with these keys in this order and plain values."""
    pairs = [re.escape(json.dumps(key, ensure_ascii=False)) + r"[ \t]*:[ \t]*" + _PLAIN for key in keys]
    return r"^[ \t]*\{[ \t]*" + r"[ \t]*,[ \t]*".join(pairs) + r"[ \t]*\}[ \t\r]*$"


def _as_text(rows: Sequence[Sequence[object]], width: int) -> pl.DataFrame:
    """Rows as columns of text, whatever stands in them, so that all batches are alike."""
    columns = list(zip(*rows, strict=True)) or [()] * width
    return pl.DataFrame(
        [
            clean(pl.Series(f"c{index}", [cell_text(value) for value in column], dtype=pl.String))
            for index, column in enumerate(columns)
        ]
    )


def _bad_line(name: str, number: int) -> UnreadableFile:
    return unreadable(
        name,
        f"第{number}行不是一个完整的 JSON 对象",
        f"holds no whole JSON object in line {number}",
        "请核对该行后重新导出",
        "Mend that line and export it again",
    )
