"""JSON and NDJSON as tables.

Understood are an array of objects, an array of arrays, ``{columns, rows}``, an object with one array (what stands
beside it becomes title lines), a single object, any of these in an envelope (``{code, data: {rows}}``), and one
object a line.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text, table_of
from ingestion.readers.documents import text_of
from ingestion.readers.grid import Area
from ingestion.readers.json_lines import Lines
from ingestion.readers.json_values import decode, flat
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import damaged, unreadable
from ingestion.readers.table import Table

_KIND = ("JSON 文件", "a JSON file")
_ADVICE = (
    "请改为每行一条记录的 NDJSON，或拆成几个文件后报送",
    "Write one record a line (NDJSON) or split it",
)
# Objects inside one another that are looked into.
_ENVELOPES = 5
_COLUMNS, _ROWS = ("columns", "header", "headers", "fields"), ("rows", "data", "values", "records")


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
        document = decode(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise damaged(blob.name, *_KIND, f"line {line}" if line else "its structure") from error
    rows = _rows(document, blob.name)
    width = max(map(len, rows), default=0)
    Area(blob.name, limits).take(len(rows), width)
    return [table_of("", [[*row, *[None] * (width - len(row))] for row in rows])] if width else []


def _rows(document: object, name: str) -> list[list[object]]:
    """Title lines, a row of keys and the records, or the rows as they stand."""
    if isinstance(document, dict):
        return _of_object(document)
    if isinstance(document, list) and all(isinstance(item, dict) for item in document):
        return _of_objects(document)
    if isinstance(document, list) and all(isinstance(item, list) for item in document):
        return [[flat(value) for value in row] for row in document]
    raise unreadable(
        name,
        "的 JSON 既不是对象的数组，也不是行的数组",
        "is JSON, but neither an array of objects nor an array of rows",
        "请写成对象的数组，每个对象一条记录",
        "Write an array with one object a record",
    )


def _of_object(document: Mapping[str, Any]) -> list[list[object]]:
    """The table in an object, or in the one object inside it, below lines that say what stands around it."""
    levels: list[Mapping[str, Any]] = [document]
    while len(levels) <= _ENVELOPES:
        found = _columns_and_rows(levels[-1]) or _one_array(levels[-1])
        if found is not None:
            return [*_around(levels[:-1]), *found]
        inside = [value for value in levels[-1].values() if isinstance(value, dict) and value]
        if len(inside) != 1:
            break
        levels.append(inside[0])
    # Without an array there is one record: the object that says most.
    said = [len(_titles(level)) for level in levels]
    fullest = said.index(max(said))
    return [*_around(levels[:fullest]), *_of_objects([levels[fullest]])]


def _around(levels: Sequence[Mapping[str, Any]]) -> list[list[object]]:
    return [line for level in levels for line in _titles(level)]


def _of_objects(records: Sequence[Mapping[str, object]]) -> list[list[object]]:
    keys = list(dict.fromkeys(key for record in records for key in record))
    return [[flat(key) for key in keys], *([flat(record.get(key)) for key in keys] for record in records)]


def _columns_and_rows(document: Mapping[str, Any]) -> list[list[object]] | None:
    names = next((document[key] for key in _COLUMNS if isinstance(document.get(key), list)), None)
    rows = next((document[key] for key in _ROWS if isinstance(document.get(key), list)), None)
    if names is None or rows is None or not all(isinstance(row, list) for row in rows):
        return None
    # Some writers describe each column by an object that holds its name.
    labels = [name.get("name", name.get("label")) if isinstance(name, dict) else name for name in names]
    return [
        *_titles(document),
        [flat(label) for label in labels],
        *([flat(v) for v in row] for row in rows),
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
        return [*_titles(document), *([flat(value) for value in row] for row in array)]
    return None


def _titles(document: Mapping[str, Any]) -> list[list[object]]:
    return [
        [f"{flat(key)}：{cell_text(value)}"]
        for key, value in document.items()
        if isinstance(value, str | int | float) and value != ""
    ]
