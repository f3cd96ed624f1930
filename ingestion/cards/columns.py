"""Columns of cards typed at the speed of whole columns; what is written in no plain way is read as anywhere else.

Equal to :func:`ingestion.values.to_type` cell by cell: the quick ways only take what that would read the same.
"""

import polars as pl

from ingestion.form import CodeList, FormField
from ingestion.values import Typed, to_type

# Text that stands for itself: printable ASCII that begins with a letter or digit and has no space at its end, or
# several Chinese characters (one alone may mean that there is nothing).
_PLAIN_TEXT = r"^(?:[0-9A-Za-z](?:[ -~]*[!-~])?|[\u4e00-\u9fff]{2,})$"
_PLAIN_CODE = r"^[0-9A-Za-z][!-~]*$"
# Where at most one cell in so many differs, each different text is read once.
_REPEATED = 4
_MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


def type_column(cells: pl.Series, field: FormField, codes: CodeList | None) -> Typed:
    """Type a column as its field says."""
    if cells.dtype != pl.String or field.type in ("int", "dec"):
        return to_type(cells, field, codes)
    if cells.null_count() == len(cells):
        return Typed(_empty(cells.name, field.dtype, len(cells)), _empty(cells.name, pl.String(), len(cells)))
    if field.type in ("flag", "date", "datetime") or codes is not None:
        different = cells.unique()
        if len(different) * _REPEATED <= len(cells):
            return _by_text(cells, different, _one_by_one(different, field, codes))
    return _one_by_one(cells, field, codes)


def _one_by_one(cells: pl.Series, field: FormField, codes: CodeList | None) -> Typed:
    quick = _quick(cells, field, codes)
    if quick is None:
        return to_type(cells, field, codes)
    open_ = cells.is_not_null() & quick.is_null()
    faults = _empty(cells.name, pl.String(), len(cells))
    if not open_.any():
        return Typed(quick, faults)
    rest = to_type(cells.filter(open_), field, codes)
    places = open_.arg_true()
    values = quick.scatter(places, rest.values)
    return Typed(values, faults.scatter(places, rest.faults) if rest.faulty else faults)


def _quick(cells: pl.Series, field: FormField, codes: CodeList | None) -> pl.Series | None:
    """Values of the cells that are written plainly, null for all others; None where there is no quick way."""
    if codes is not None or field.type == "flag":
        return None
    if field.type == "date":
        days = cells.str.to_date("%Y-%m-%d", strict=False)
        # Anything but four, two and two digits is for the careful reader.
        plain = (cells.str.len_bytes() == 10) & days.is_between(pl.date(1900, 1, 1), pl.date(2099, 12, 31))
        return _kept(days, plain)
    if field.type == "datetime":
        first = cells.str.to_datetime(_MOMENTS[1], strict=False, time_unit="us")
        second = cells.str.to_datetime(_MOMENTS[0], strict=False, time_unit="us")
        lengths = cells.str.len_bytes()
        moments = first.zip_with((lengths == 16).fill_null(value=False), second)
        plain = lengths.is_in([16, 19]) & moments.is_between(pl.datetime(1900, 1, 1), pl.datetime(2100, 1, 1))
        return _kept(moments, plain)
    return _kept(cells, cells.str.contains(_PLAIN_CODE if field.type == "code" else _PLAIN_TEXT))


def _kept(values: pl.Series, where: pl.Series) -> pl.Series:
    return values.set(~where.fill_null(value=False), None)


def _by_text(cells: pl.Series, different: pl.Series, typed: Typed) -> Typed:
    """A column by the readings of its different texts."""
    known = different.is_not_null()
    old = different.filter(known)
    dtype = typed.values.dtype
    values = cells.replace_strict(old, typed.values.filter(known), default=None, return_dtype=dtype)
    if not typed.faulty:
        return Typed(values, _empty(cells.name, pl.String(), len(cells)))
    faults = cells.replace_strict(old, typed.faults.filter(known), default=None, return_dtype=pl.String)
    return Typed(values, faults)


def _empty(name: str, dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, height)
