"""JSON and NDJSON as tables.

Understood are an array of objects, an array of arrays, ``{columns, rows}``, an object with one array (what stands
beside it becomes title lines), a single object, and one object a line.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl

from ingestion.errors import UnreadableFile
from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text, clean, frame_of, table_of
from ingestion.readers.documents import no_encoding, text_of
from ingestion.readers.grid import Area
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import damaged, unreadable
from ingestion.readers.table import HEAD_ROWS, Remembered, Table

_KIND = ("JSON 文件", "a JSON file")
_ADVICE = (
    "请改为每行一条记录的 NDJSON，或拆成几个文件后报送",
    "Write one record a line (NDJSON) or split it",
)
_COLUMNS, _ROWS = ("columns", "header", "headers", "fields"), ("rows", "data", "values", "records")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_CHECKED = 10_000
_HEAD, _LONGEST_LINE = 1 << 20, 16 << 20


def read_json(blob: Blob, limits: Limits) -> list[Table]:
    """The one table of a JSON document, or of one object a line.

    Raises :class:`UnreadableFile` for broken JSON or a shape that is no table, :class:`FileTooLarge` beyond the
    limits.
    """
    lines = Lines(blob, limits)
    if lines.begin_with_objects():
        return [lines.table()]
    text = text_of(blob, limits, _ADVICE)
    try:
        document = _decode(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise damaged(blob.name, *_KIND, f"line {line}" if line else "its structure") from error
    rows = _rows(document, blob.name)
    width = max(map(len, rows), default=0)
    Area(blob.name, limits).take(len(rows), width)
    return [table_of("", [[*row, *[None] * (width - len(row))] for row in rows])] if width else []


class Lines:
    """One object a line, read as a stream: never more than a batch of lines is held."""

    def __init__(self, blob: Blob, limits: Limits) -> None:
        self._blob = blob
        self._limits = limits
        self._encoding = "utf-8"
        self._keys: list[str] = []

    def begin_with_objects(self) -> bool:
        """Whether each of the first two lines is an object of its own."""
        head = self._blob.head(_HEAD).removeprefix(codecs.BOM_UTF8).split(b"\n")
        first = [line for line in head[:20] if line.strip()][:2]
        try:
            objects = [isinstance(_decode(line.decode(errors="replace")), dict) for line in first]
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
        for record in self._records():
            if not keys.keys() >= record.keys():
                keys.update(dict.fromkeys(record))
                Area(self._blob.name, self._limits).check(1, len(keys))
        self._keys = list(keys)

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
        rows: list[list[object]] = []
        for number, row in enumerate(self._rows()):
            if number >= first:
                rows.append(row)
            if len(rows) == size:
                yield _as_text(rows, len(self._keys))
                rows = []
        if rows or not self._keys:
            yield _as_text(rows, len(self._keys))

    def _rows(self) -> Iterator[list[object]]:
        yield list(self._keys)
        for record in self._records():
            yield [_flat(record.get(key)) for key in self._keys]

    def _records(self) -> Iterator[dict[str, object]]:
        with self._blob.open() as binary, io.TextIOWrapper(binary, self._encoding, newline="\n") as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE):
                number += 1
                if line.strip():
                    yield self._record(line, number)

    def _record(self, line: str, number: int) -> dict[str, object]:
        try:
            record = _decode(line.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise _bad_line(self._blob.name, number) from error
        if not isinstance(record, dict):
            raise _bad_line(self._blob.name, number)
        return record


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
        f"line {number} is no whole JSON object",
        "请核对该行后重新导出",
        "Mend that line and export it again",
    )


def _decode(text: str) -> Any:
    """A document; raises ValueError. Lone surrogates, which only escapes can write, become a mark."""
    document = json.loads(text, object_pairs_hook=_object, parse_constant=str)
    if not _SURROGATE.search(text):
        return document
    written = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
    return json.loads(written)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two values under one key one would vanish."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _flat(value: object) -> object:
    """A value as it goes into one cell."""
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) if type(value) in (dict, list) else value
    )


def _rows(document: object, name: str) -> list[list[object]]:
    """Title lines, a row of keys and the records, or the rows as they stand."""
    if isinstance(document, dict):
        found = _columns_and_rows(document) or _one_array(document)
        return found if found is not None else _of_objects([document])
    if isinstance(document, list) and all(isinstance(item, dict) for item in document):
        return _of_objects(document)
    if isinstance(document, list) and all(isinstance(item, list) for item in document):
        return [[_flat(value) for value in row] for row in document]
    raise unreadable(
        name,
        "的 JSON 既不是对象的数组，也不是行的数组",
        "is JSON, but neither an array of objects nor an array of rows",
        "请写成对象的数组，每个对象一条记录",
        "Write an array with one object a record",
    )


def _of_objects(records: Sequence[Mapping[str, object]]) -> list[list[object]]:
    keys = list(dict.fromkeys(key for record in records for key in record))
    return [[_flat(key) for key in keys], *([_flat(record.get(key)) for key in keys] for record in records)]


def _columns_and_rows(document: Mapping[str, Any]) -> list[list[object]] | None:
    names = next((document[key] for key in _COLUMNS if isinstance(document.get(key), list)), None)
    rows = next((document[key] for key in _ROWS if isinstance(document.get(key), list)), None)
    if names is None or rows is None or not all(isinstance(row, list) for row in rows):
        return None
    # Some writers describe each column by an object that holds its name.
    labels = [name.get("name", name.get("label")) if isinstance(name, dict) else name for name in names]
    return [
        *_titles(document),
        [_flat(label) for label in labels],
        *([_flat(v) for v in row] for row in rows),
    ]


def _one_array(document: Mapping[str, Any]) -> list[list[object]] | None:
    """The one array of an object, below lines that say what stands beside it."""
    arrays = [value for value in document.values() if isinstance(value, list) and value]
    if len(arrays) != 1:
        return None
    (array,) = arrays
    if all(isinstance(item, dict) for item in array):
        return [*_titles(document), *_of_objects(array)]
    if all(isinstance(item, list) for item in array):
        return [*_titles(document), *([_flat(value) for value in row] for row in array)]
    return None


def _titles(document: Mapping[str, Any]) -> list[list[object]]:
    return [
        [f"{_flat(key)}：{cell_text(value)}"]
        for key, value in document.items()
        if isinstance(value, str | int | float) and value != ""
    ]
