"""Rows of delimited text that have more fields than their labels: where one began too early, all behind it moved."""

from collections import Counter
from collections.abc import Iterable

import polars as pl

from ingestion.readers import Table
from ingestion.recognised import Recognised

_UPRIGHT = ("transposed", "sheet")


def width_of(table: Table, rows: Iterable[int], head: int | None = None) -> int | None:
    """How many fields rows of a delimited text should have: as most of them, and no fewer than the row of heads.

    None for tables whose cells cannot move.
    """
    counts = Counter(table.widths[row] for row in rows if row < len(table.widths))
    if not counts:
        return None
    usual = max(counts, key=lambda width: (counts[width], width))
    return max(usual, table.widths[head]) if head is not None and head < len(table.widths) else usual


def rows_too_long(table: Table, found: Recognised) -> list[int]:
    """Rows (from 1) with something behind the last field that they should have."""
    if found.width is None:
        return []
    upright = found.layout.kind in _UPRIGHT
    first = 0 if upright else found.header_row + 1
    frame = table.rows_below(first)
    if found.end_row is not None:
        frame = frame.head(max(found.end_row - first, 0))
    longer = beyond(frame, found.width)
    if longer is None:
        return []
    rows = longer.arg_true().to_list()
    if upright:
        # A row of a sheet may have more pairs than most.
        taken: dict[int, int] = {}
        for spot in (*found.fields, *found.units):
            taken[spot.row] = max(taken.get(spot.row, 0), spot.column)
        for pair in found.pairs:
            taken[pair.row] = max(taken.get(pair.row, 0), pair.column, pair.value_column)
        rows = [row for row in rows if row in taken and _last(frame, row) > taken[row]]
    return [first + row + 1 for row in rows]


def beyond(frame: pl.DataFrame, width: int) -> pl.Series | None:
    """Which rows hold something in a column from one on; None where no row can."""
    names = [
        name for name in frame.columns if name[:1] == "c" and name[1:].isdecimal() and int(name[1:]) >= width
    ]
    if not names:
        return None
    filled = frame.select(
        pl.any_horizontal((pl.col(name).str.strip_chars() != "").fill_null(value=False) for name in names)
    ).to_series()
    return filled if filled.any() else None


def _last(frame: pl.DataFrame, row: int) -> int:
    """The last column of a row that holds something."""
    return max((column for column, cell in enumerate(frame.row(row)) if cell), default=-1)


def shifted_texts(row: int) -> tuple[str, str]:
    """What is told of such a row."""
    return (
        f"第{row}行的字段比表头多，其中的数可能错了位；数字中有逗号的请去掉逗号或加上双引号，多余的字段请删去，再重新报送",
        f"row {row} has more fields than its labels, so its numbers may have moved; quote numbers with commas,"
        " or leave out what is too much",
    )
