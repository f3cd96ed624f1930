"""Cells of any source as text and numbers, and rows of them as a table."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import polars as pl

from ingestion.readers.number_formats import day_of_serial
from ingestion.readers.table import HEAD_ROWS, Merge, Remembered, Table, number_text

EXACT = 10**15
"""Whole numbers from here on are kept as text: a float no longer holds each of them."""
# Days of our time have five digits; what has fewer or more is a year or a month.
_LEAST_SERIAL = 10_000


def table_of(
    sheet: str,
    rows: Sequence[Sequence[object]],
    merges: Iterable[Merge] = (),
    *,
    file_name: str | None = None,
) -> Table:
    """A table of rows of equal length; blanks are None or empty text."""
    top = [[cell_text(value) for value in row] for row in rows[:HEAD_ROWS]]
    merges, width = list(merges), len(rows[0]) if rows else 0
    return Table(
        sheet,
        top,
        Remembered(partial(frame_of, rows)),
        merges_within(merges, len(top), width),
        file_name=file_name,
        down=merges_down(merges, len(rows), width),
    )


def merges_down(merges: Iterable[Merge], height: int, width: int) -> tuple[Merge, ...]:
    """The merged ranges of several rows."""
    return merges_within((one for one in merges if one[1][0] > one[0][0]), height, width)


def merges_within(merges: Iterable[Merge], height: int, width: int) -> tuple[Merge, ...]:
    """The merged ranges of the first rows, clipped to them, and no more of them than fit side by side."""
    kept: list[Merge] = []
    room = height * width
    for (top, left), (bottom, right) in merges:
        if top >= height or left >= width or bottom < top or right < left:
            continue
        end = min(bottom, height - 1), min(right, width - 1)
        room -= (end[0] - top + 1) * (end[1] - left + 1)
        if room < 0:
            break
        kept.append(((top, left), end))
    return tuple(kept)


def frame_of(rows: Sequence[Sequence[object]], first: int) -> pl.DataFrame:
    """The rows from one on, column by column."""
    width = len(rows[0]) if rows else 0
    columns = zip(*rows[first:], strict=True) if len(rows) > first else ((),) * width
    return pl.DataFrame([column_of(f"c{index}", values) for index, values in enumerate(columns)])


def column_of(name: str, values: Sequence[object]) -> pl.Series:
    """A column as numbers when it holds nothing else, or as text."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        return _texts(name, [value or None for value in values])
    if kinds <= {float, int, str, type(None)}:
        blanks = [None if value == "" else value for value in values] if str in kinds else values
        exact = int not in kinds or all(type(value) is not int or abs(value) < EXACT for value in blanks)
        if exact and (str not in kinds or str not in set(map(type, blanks))):
            return pl.Series(name, blanks, dtype=pl.Float64)
    return _texts(name, [cell_text(value) for value in values])


def _texts(name: str, values: list[Any]) -> pl.Series:
    """A column of text; the NUL character, which no database takes, becomes the mark of what is unreadable."""
    if any("\0" in value for value in values if value):
        values = [value and value.replace("\0", "\ufffd") for value in values]
    return pl.Series(name, values, dtype=pl.String)


def cell_text(value: object) -> str | None:
    """A value as a clerk would write it; None for a blank."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) and abs(value) >= EXACT else number_text(float(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if value is None else str(value)


def days_since_1904(column: pl.Series) -> pl.Series:
    """A column of days with those that are mere numbers, counted from 1904, as days."""
    if column.dtype.is_numeric():
        serials = (column >= _LEAST_SERIAL) & (column < 10 * _LEAST_SERIAL)
        texts = pl.Series(column.name, [cell_text(value) for value in column], dtype=pl.String)
    else:
        texts = column
        serials = texts.str.contains(r"^\s*\d{5}(?:\.\d*)?\s*$")
    if not serials.any():
        return column
    days = {
        text: cell_text(day_of_serial(float(text), since_1904=True))
        for text in texts.filter(serials.fill_null(value=False)).unique()
    }
    return texts.replace(days)


def clean(column: pl.Series) -> pl.Series:
    """Text that a database takes: the NUL character, which it refuses, becomes the mark of what is unreadable."""
    if column.str.contains("\0", literal=True).any():
        return column.str.replace_all("\0", "\ufffd", literal=True)
    return column
