"""Rows of a large sheet as typed columns, read in several pieces side by side.

The compiled reader gives a sheet's columns far faster than its cells, and lets other threads work meanwhile. Each piece
is a workbook of its own, whose rows stand where they stood.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import fastexcel
import polars as pl

_SHEET_DATA = b"<sheetData>"
_END = b"</sheetData></worksheet>"
_ROW_END = b"</row>"
# What may follow the last row that holds a cell: rows of formats only.
_TAIL = re.compile(rb"\s*(?:<row [^<>]*/>\s*)*</sheetData>")
_PIECE = 4 << 20
_CORES = os.cpu_count() or 1

Columns = dict[int, pl.Series]


def divided(parts: Sequence[bytes], strings: int) -> list[bytes] | None:
    """A sheet's XML as sheets of a part of its rows each; None where it cannot be cut safely.

    ``parts``: the XML, cut where rows end; ``strings``: size of the texts that sheets share, which each piece reads.
    """
    size = sum(map(len, parts))
    count = min(size // max(_PIECE, 4 * strings), _CORES)
    if count < 2 or any(b"!" in part and b"<!" in part for part in parts):
        return None
    begin = parts[0].find(_SHEET_DATA) + len(_SHEET_DATA)
    end = parts[-1].rfind(_ROW_END) + len(_ROW_END) if _ROW_END in parts[-1] else 0
    if begin < len(_SHEET_DATA) or not _TAIL.match(parts[-1], end):
        return None
    # A second list of rows would be read, although the first one's end ends the sheet.
    if sum(part.count(b"sheetData") for part in parts) != 2:
        return None
    rows = [parts[0][begin:], *parts[1:-1], parts[-1][:end]]
    pieces: list[list[bytes]] = [[]]
    length = 0
    for part in rows:
        if length > size * len(pieces) / count:
            pieces.append([])
        pieces[-1].append(part)
        length += len(part)
    return [b"".join((parts[0][:begin], *piece, _END)) for piece in pieces]


def read_columns(books: Sequence[Callable[[], bytes | str]], sheet: str, first: int) -> Columns | None:
    """Columns by their place, all rows from ``first`` on, of a sheet that several workbooks hold a part of each;
    each is made where it is read.

    None where cells of a column are of several kinds, or rows are not in their order.
    """
    with ThreadPoolExecutor(_CORES) as pool:
        read = list(pool.map(partial(_typed, sheet=sheet, first=first), books))
    height = 0
    pieces: dict[int, list[pl.Series]] = defaultdict(list)
    for columns in read:
        if columns is None:
            return None
        for place, column in columns.items():
            # The rows of the pieces before are blank here.
            if len(column) < height or column.head(height).null_count() < height:
                return None
            known = sum(map(len, pieces[place]))
            pieces[place] += [_blank(column.dtype, height - known), column.slice(height)]
        height = max((len(column) for column in columns.values()), default=height)
    joined = {place: _joined(found, height) for place, found in sorted(pieces.items())}
    whole = {place: column for place, column in joined.items() if column is not None}
    return whole if len(whole) == len(joined) else None


def _joined(pieces: Sequence[pl.Series], height: int) -> pl.Series | None:
    """A column of pieces of one kind, blank down to the sheet's height; None where they are of several."""
    filled = [piece for piece in pieces if piece.null_count() < len(piece)]
    dtype = next((piece.dtype for piece in filled), pieces[0].dtype)
    if all(piece.dtype.is_numeric() for piece in filled):
        dtype = pl.Float64()
    elif all(piece.dtype in (pl.Date, pl.Datetime) for piece in filled):
        dtype = next((piece.dtype for piece in filled if piece.dtype != pl.Date), dtype)
    elif any(piece.dtype != dtype for piece in filled):
        return None
    whole = [
        piece.cast(dtype) if piece.null_count() < len(piece) else _blank(dtype, len(piece))
        for piece in pieces
    ]
    return pl.concat([*whole, _blank(dtype, height - sum(map(len, pieces)))])


def _blank(dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series("", [None], dtype=dtype).new_from_index(0, height)


def _typed(book: Callable[[], bytes | str], *, sheet: str, first: int) -> Columns | None:
    try:
        found = fastexcel.read_excel(book()).load_sheet(
            sheet, header_row=None, skip_rows=first, schema_sample_rows=None
        )
        frame = found.to_polars()
    except (fastexcel.UnsupportedColumnTypeCombinationError, fastexcel.InvalidParametersError):
        return None
    return {info.absolute_index: frame[info.name] for info in found.selected_columns}
