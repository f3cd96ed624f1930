"""Cells to typed values: numbers as clerks type them, codes by label, flags, dates; blank is null.

Everything works on whole columns: what casts at once is done, and only the rest is looked at closely.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingestion.form import CodeList, FormField
from ingestion.periods import read_date
from ingestion.readers.table import number_text

# How "no value" is written. A zero is a value.
NULL_MARKS = ("", "-", "--", "—", "——", "–", "―", "─", "/", "\\", "无", "...", "......", "…", "……")
ERROR_MARKS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")
# Beyond this a float no longer holds every whole number.
LARGEST = 1e15
# What a formula may leave behind the point of a whole number.
_NOISE = 1e-9

_THOUSANDS = r"^[+-]?\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?$"
_PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_TRUE = {"是", "有", "y", "yes", "true", "1", "√", "✓", "真"}
_FALSE = {"否", "n", "no", "false", "0", "×", "假", "没有"}


@dataclass(frozen=True)
class Typed:
    """A typed column, and the text of the cells that could not be typed (null where all is well)."""

    values: pl.Series
    faults: pl.Series


def as_text(column: pl.Series) -> pl.Series:
    """A column as text, trimmed, with every way of writing nothing as null."""
    if column.dtype == pl.String:
        text = column
    elif column.dtype.is_numeric():
        whole = column.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64).eq_missing(column.cast(pl.Float64))).all():
            return whole.cast(pl.String)
        text = pl.Series(
            column.name, [None if v is None else number_text(v) for v in column], dtype=pl.String
        )
    else:
        text = column.cast(pl.String)
    text = text.str.strip_chars()
    return text.set(text.is_in(NULL_MARKS), None)


def normal_text(text: str) -> str:
    """Full-width forms, odd spaces and minus signs as their plain ones."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def to_type(column: pl.Series, field: FormField, codes: CodeList | None) -> Typed:
    """Type a column as its field says."""
    if field.type in ("int", "dec"):
        return to_numbers(column, whole=field.type == "int")
    text = as_text(column)
    if field.type == "code" and codes is not None:
        return _mapped(text, codes.code_of, pl.String())
    if field.type == "flag":
        return _mapped(text, _flag, pl.Boolean())
    if field.type == "date":
        return _mapped(text, read_date, pl.Date())
    if field.type == "code":
        return _mapped(text, lambda value: normal_text(value).replace(" ", ""), pl.String())
    return _mapped(text, lambda value: value.replace("\u00a0", " ").strip() or None, pl.String())


def to_numbers(column: pl.Series, *, whole: bool) -> Typed:
    """Numbers; ``whole`` refuses fractions."""
    faults = pl.Series(column.name, [None], dtype=pl.String).new_from_index(0, len(column))
    dtype = pl.Int64() if whole else pl.Float64()
    if column.null_count() == len(column):
        return Typed(column.cast(dtype), faults)
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64)
        values, faults = _refuse(values, faults, column, values.is_nan())
    else:
        values, faults = _numbers_of_text(column, faults)
    shown = column
    largest = max((abs(end) for end in (values.min(), values.max()) if isinstance(end, float)), default=0.0)
    if not largest < LARGEST:
        values, faults = _refuse(values, faults, shown, ~(values.abs() < LARGEST))
    if not whole:
        # Binary noise of spreadsheets (0.30000000000000004) is no content.
        return Typed(values.round_sig_figs(15), faults)
    nearest = values.round(0)
    if not nearest.equals(values):
        fraction = (values - nearest).abs() > _NOISE * (1 + values.abs())
        nearest, faults = _refuse(nearest, faults, shown, fraction)
    return Typed(nearest.cast(pl.Int64), faults)


def _refuse(
    values: pl.Series, faults: pl.Series, shown: pl.Series, wrong: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Values without those that are wrong, whose text becomes a fault."""
    wrong = wrong.fill_null(value=False)
    if not wrong.any():
        return values, faults
    return values.set(wrong, None), faults.zip_with(~wrong, as_text(shown))


def _numbers_of_text(column: pl.Series, faults: pl.Series) -> tuple[pl.Series, pl.Series]:
    text = column.cast(pl.String)
    values = text.cast(pl.Float64, strict=False)
    open_ = text.is_not_null() & (values.is_null() | ~values.is_finite())
    if not open_.any():
        return values, faults
    rest = text.filter(open_)
    plain = rest.str.normalize("NFKC").str.replace_all("−", "-", literal=True).str.strip_chars()
    plain = plain.set(plain.is_in(NULL_MARKS), None)
    grouped = plain.str.contains(_THOUSANDS).fill_null(value=False)
    plain = plain.zip_with(~grouped, plain.str.replace_all("[, ]", ""))
    good = plain.str.contains(_PLAIN).fill_null(value=False)
    parsed = plain.set(~good, None).cast(pl.Float64, strict=False)
    bad = plain.is_not_null() & parsed.is_null()
    places = open_.arg_true()
    values = values.scatter(places, parsed)
    if bad.any():
        faults = faults.scatter(places.filter(bad), rest.filter(bad).str.strip_chars())
    return values, faults


def _mapped(text: pl.Series, read: Callable[[str], object], dtype: pl.DataType) -> Typed:
    """Values looked up once for each different text."""
    different = text.drop_nulls().unique()
    found = {value: read(value) for value in different}
    new = pl.Series(list(found.values()), dtype=dtype)
    values = text.replace_strict(different, new, default=None, return_dtype=dtype)
    unknown = [value for value, result in found.items() if result is None]
    faults = text.set(~text.is_in(unknown).fill_null(value=False), None)
    return Typed(values.alias(text.name), faults)


def _flag(text: str) -> bool | None:
    word = normal_text(text).lower()
    return True if word in _TRUE else False if word in _FALSE else None
