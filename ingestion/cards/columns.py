"""Columns of cards typed at the speed of whole columns; what is written in no plain way is read as anywhere else.

Equal to :func:`ingestion.values.to_type` cell by cell: the quick ways only take what that would read the same.
"""

from collections.abc import Sequence

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
        nothing = pl.Series("", [None], dtype=pl.String).new_from_index(0, cells.height)
        typed = {}
        for column in cells:
            field = self._fields[column.name]
            if field.code not in quick.columns:
                typed[field.code] = to_type(column, field, self._list(field))
            elif quick[field.code].null_count() == column.null_count():
                typed[field.code] = Typed(quick[field.code], nothing)
            else:
                typed[field.code] = self._careful(column, field, quick[field.code], nothing)
        return typed

    def _list(self, field: FormField) -> CodeList | None:
        return self._lists.get(field.code_list or "")

    def _quick(self, column: pl.Series, field: FormField) -> pl.Expr | None:
        """Values of the cells that are written plainly, null for all others; None where there is no quick way."""
        if column.dtype != pl.String or field.type in ("int", "dec"):
            return None
        cell = pl.col(column.name)
        if field.type == "flag" or field.code_list:
            known = self._known.get(field.code, {})
            return cell.replace_strict(
                pl.Series(list(known), dtype=pl.String),
                pl.Series(list(known.values()), dtype=field.dtype),
                default=None,
                return_dtype=field.dtype,
            )
        if field.type == "date":
            # Remembering texts already read costs more than reading plain ones again.
            day = cell.str.to_date("%Y-%m-%d", strict=False, cache=False)
            # Anything but four, two and two digits is for the careful reader.
            plain = (cell.str.len_bytes() == 10) & day.is_between(pl.date(1900, 1, 1), pl.date(2099, 12, 31))
            return pl.when(plain).then(day)
        if field.type == "datetime":
            length = cell.str.len_bytes()
            # A format is only tried where a cell may have it: failing costs several times as much as reading.
            sizes = [size for size in _MOMENTS if size in set(column.str.len_bytes().unique())]
            if not sizes:
                return None
            moment = pl.coalesce(
                pl.when(length == size).then(
                    cell.str.to_datetime(_MOMENTS[size], strict=False, time_unit="us", cache=False)
                )
                for size in sizes
            )
            plain = moment.is_between(pl.datetime(1900, 1, 1), pl.datetime(2100, 1, 1), closed="left")
            return pl.when(plain).then(moment)
        return pl.when(cell.str.contains(_PLAIN_CODE if field.type == "code" else _PLAIN_TEXT)).then(cell)

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
