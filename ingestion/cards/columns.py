"""Columns of cards typed at the speed of whole columns; what is written in no plain way is read as anywhere else.

Equal to :func:`ingestion.values.to_type` cell by cell: the quick ways only take what that would read the same.
"""

import datetime as dt
from collections.abc import Collection, Sequence

import polars as pl

from ingestion.form import CodeList, FormField
from ingestion.values import Typed, to_type

# Text that stands for itself: printable ASCII that begins with a letter or digit and has no space at its end, or
# several Chinese characters (one alone may mean that there is nothing).
_PLAIN_TEXT = r"^(?:[0-9A-Za-z](?:[ -~]*[!-~])?|[\u4e00-\u9fff]{2,})$"
_PLAIN_CODE = r"^[0-9A-Za-z][!-~]*$"
_MOMENTS = {16: "%Y-%m-%d %H:%M", 19: "%Y-%m-%d %H:%M:%S"}
_MOST_KNOWN = 10_000
"""Different texts of a column whose readings are remembered from batch to batch."""


class ColumnReader:
    """Types the columns of one table, batch after batch."""

    def __init__(self, fields: Sequence[FormField], lists: dict[str, CodeList]) -> None:
        self._fields = {field.code: field for field in fields}
        self._lists = lists
        self._known: dict[str, dict[str, object]] = {}

    def read(self, cells: pl.DataFrame) -> dict[str, Typed]:
        """The columns of a frame, named by the codes of their fields, as their fields say."""
        # All quick ways in one query: each query costs as much as a few thousand cells.
        queries = []
        for column in cells:
            field = self._fields[column.name]
            query = self._quick(column, field)
            if query is not None:
                queries.append(query.alias(field.code))
        quick = cells.select(queries)
        said = _said_of(cells, quick)
        nothing = pl.Series("", [None], dtype=pl.String).new_from_index(0, cells.height)
        typed = {}
        for column in cells:
            field = self._fields[column.name]
            if field.code not in quick.columns:
                typed[field.code] = to_type(column, field, self._list(field))
                continue
            values = quick[field.code]
            if values.dtype == pl.Boolean and field.type != "flag":
                # Which cells stand for themselves; mostly all of a column do.
                values = column if said[field.code] else column.set(~values, None)
            elif values.dtype.is_temporal() and not said[field.code]:
                values = _plain(column, values)
            if values.null_count() == column.null_count():
                typed[field.code] = Typed(values, nothing)
            else:
                typed[field.code] = self._careful(column, field, values, nothing)
        return typed

    def _list(self, field: FormField) -> CodeList | None:
        return self._lists.get(field.code_list or "")

    def _quick(self, column: pl.Series, field: FormField) -> pl.Expr | None:
        """Values of the cells that are written plainly, null for all others; None where there is no quick way.

        For texts: whether a cell stands for itself.
        """
        if column.dtype != pl.String or field.type in ("int", "dec"):
            return None
        cell = pl.col(column.name)
        if field.type == "flag" or field.code_list:
            return self._remembered(cell, field)
        if field.type == "date":
            # Remembering texts already read costs more than reading plain ones again.
            return cell.str.to_date("%Y-%m-%d", strict=False, cache=False)
        if field.type == "datetime":
            lengths = set(column.str.len_bytes().unique())
            return _moment(cell, [size for size in _MOMENTS if size in lengths])
        return cell.str.contains(_PLAIN_CODE if field.type == "code" else _PLAIN_TEXT)

    def _remembered(self, cell: pl.Expr, field: FormField) -> pl.Expr:
        """What texts met before mean; or, where each of them is the code that it means, whether it is one."""
        known = self._known.get(field.code, {})
        if known and all(text == value for text, value in known.items()):
            return cell.is_in(list(known))
        return cell.replace_strict(
            pl.Series(list(known), dtype=pl.String),
            pl.Series(list(known.values()), dtype=field.dtype),
            default=None,
            return_dtype=field.dtype,
        )

    def _careful(self, column: pl.Series, field: FormField, quick: pl.Series, nothing: pl.Series) -> Typed:
        """The column with the cells read closely that have no quick way."""
        open_ = column.is_not_null() & quick.is_null()
        texts = column.filter(open_)
        different = texts.unique()
        read = to_type(different, field, self._list(field))
        if field.type == "flag" or field.code_list:
            known = self._known.setdefault(field.code, {})
            for text, value in zip(different, read.values, strict=True):
                if value is not None and len(known) < _MOST_KNOWN:
                    known[text] = value
        dtype = read.values.dtype
        values = texts.replace_strict(different, read.values, default=None, return_dtype=dtype)
        places = open_.arg_true()
        if not read.faulty:
            return Typed(quick.scatter(places, values), nothing)
        faults = texts.replace_strict(different, read.faults, default=None, return_dtype=pl.String)
        return Typed(quick.scatter(places, values), nothing.clone().scatter(places, faults))


def _moment(cell: pl.Expr, sizes: Collection[int]) -> pl.Expr | None:
    """``sizes``: lengths that some cell has; trying a format in vain costs several times as much as reading."""
    read = [
        pl.when(cell.str.len_bytes() == size).then(
            cell.str.to_datetime(_MOMENTS[size], strict=False, time_unit="us", cache=False)
        )
        for size in sizes
    ]
    return pl.coalesce(read) if read else None


def _said_of(cells: pl.DataFrame, quick: pl.DataFrame) -> dict[str, bool]:
    """Of whole columns, all in one query: whether every text stands for itself, every day is a plain one."""
    asked = []
    for values in quick:
        value = pl.col(values.name)
        if values.dtype == pl.Boolean:
            asked.append(value.all())
        elif values.dtype.is_temporal():
            plain = ~_odd_day(value).any()
            if values.dtype == pl.Date:
                plain = plain & (pl.col(f"{values.name} text").str.len_bytes() == _DAY_SIZE).all()
            asked.append(plain)
    texts = [cells[values.name].alias(f"{values.name} text") for values in quick if values.dtype == pl.Date]
    return pl.DataFrame([*quick, *texts]).select(asked).row(0, named=True) if asked else {}


_DAY_SIZE = len("2015-01-05")


def _odd_day(day: pl.Expr) -> pl.Expr:
    return (day < dt.date(1900, 1, 1)) | (day >= dt.date(2100, 1, 1))


def _plain(column: pl.Series, days: pl.Series) -> pl.Series:
    """Days and moments of this century and the last, and only where a day is written with all its digits."""
    odd = _odd_day(pl.col("day"))
    if days.dtype == pl.Date:
        odd = odd | (pl.col("text").str.len_bytes() != _DAY_SIZE)
    frame = pl.DataFrame([column.alias("text"), days.alias("day")])
    return frame.select(pl.when(~odd).then("day").alias(days.name)).to_series()
