"""Cells to typed values: numbers as clerks type them, codes by label, flags, dates; blank is null.

Everything works on whole columns: what casts at once is done, and only the rest is looked at closely. A cell
that is read with something left out (a footnote mark, a time of day) says so in ``notes``; a cell that cannot
be read stands in ``faults``. Nothing is changed without either.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from ingestion.form import CodeList, FormField
from ingestion.numbers import Read, normal_text, read_number
from ingestion.periods import read_datetime, read_day
from ingestion.readers.table import number_text

__all__ = [
    "ERROR_MARKS",
    "LARGEST",
    "NULL_MARKS",
    "Typed",
    "as_text",
    "normal_text",
    "plain_text",
    "to_numbers",
    "to_type",
    "type_columns",
]

# How "no value" is written. A zero is a value.
NULL_MARKS = (
    "",
    "-",
    "--",
    "—",
    "——",
    "–",
    "―",
    "─",
    "/",
    "\\",
    ".",
    "无",
    "...",
    "......",
    "…",
    "……",
    "／",
    "－",
)
ERROR_MARKS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")
# Beyond this a float no longer holds every whole number.
LARGEST = 1e15
# What a formula may leave behind the point of a whole number.
_NOISE = 1e-9
# Up to so many cells are looked at one by one: whole columns are too much machinery for them.
_FEW = 64
# What counts as blank around a text.
_BLANK = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

_TRUE = {"是", "有", "y", "yes", "true", "1", "√", "✓", "✔", "☑", "真", "对"}
_FALSE = {"否", "n", "no", "false", "0", "×", "✗", "✘", "x", "☐", "假", "没有", "无", "错"}


@dataclass(frozen=True)
class Typed:
    """A typed column, the text of cells that could not be typed, and what was left out of others.

    ``notes`` is None when nothing was; else it holds, for each such cell, the kind of what was left out:
    ``footnote`` or ``time``; or ``per mille``, for a percentage that was read in the field's ‰.
    """

    values: pl.Series
    faults: pl.Series
    notes: pl.Series | None = None

    @property
    def faulty(self) -> bool:
        """Whether any cell could not be typed."""
        return self.faults.null_count() < len(self.faults)


def as_text(column: pl.Series) -> pl.Series:
    """A column as text, trimmed, with every way of writing nothing as null."""
    text = _stripped(column)
    if len(text) <= _FEW:
        kept = [None if each is None or each in NULL_MARKS else each for each in text.to_list()]
        return pl.Series(column.name, kept, dtype=pl.String)
    return text.set(text.is_in(NULL_MARKS), None)


def _stripped(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String and len(column) <= _FEW:
        stripped = [each if each is None else each.strip(_BLANK) for each in column.to_list()]
        return pl.Series(column.name, stripped, dtype=pl.String)
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
    return text.str.strip_chars()


def to_type(column: pl.Series, field: FormField, codes: CodeList | None) -> Typed:
    """Type a column as its field says."""
    if field.type in ("int", "dec"):
        return _in_unit(to_numbers(column, whole=field.type == "int"), field, column)
    reader, dtype = _READERS.get(field.type, (_text, pl.String()))
    # 无 may be an answer to a flag or a coded question; to all others it is nothing.
    asks = field.type == "flag" or (field.type == "code" and codes is not None)
    if field.type == "code":
        reader = codes.code_of if codes else _code
    return _mapped(_stripped(column) if asks else as_text(column), reader, dtype)


def _flag(text: str) -> bool | None:
    word = normal_text(text).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def plain_text(text: str, kind: str) -> str | None:
    """A text or an unlisted code as it is kept."""
    return _code(text) if kind == "code" else _text(text)


def _code(text: str) -> str | None:
    return normal_text(text).replace(" ", "") or None


def _text(text: str) -> str | None:
    return text.replace("\u00a0", " ").strip() or None


_READERS: dict[str, tuple[Callable[[str], object], pl.DataType]] = {
    "flag": (_flag, pl.Boolean()),
    "date": (read_day, pl.Date()),
    "datetime": (read_datetime, pl.Datetime("us")),
}


def type_columns(columns: Sequence[tuple[pl.Series, FormField]], lists: dict[str, CodeList]) -> list[Typed]:
    """Type columns of equal length; those of one kind of number go together, which spares small files."""
    typed: dict[int, Typed] = {}
    said = {field.code: column for column, field in columns}
    groups: dict[tuple[bool, str], list[int]] = {}
    for place, (column, field) in enumerate(columns):
        if column.null_count() == len(column) and field.dtype != pl.String:
            typed[place] = Typed(_nulls(column, field.dtype), _nulls(column, pl.String()))
        elif field.type in ("int", "dec"):
            groups.setdefault((column.dtype == pl.Float64, field.type), []).append(place)
        else:
            typed[place] = to_type(column, field, lists.get(field.code_list or ""))
    for (floats, kind), places in groups.items():
        dtype = pl.Float64() if floats else pl.String()
        height = len(columns[places[0]][0])
        stack = pl.concat([columns[place][0].cast(dtype).alias("") for place in places])
        whole = to_numbers(stack, whole=kind == "int")
        for number, place in enumerate(places):
            start = number * height
            notes = None if whole.notes is None else whole.notes.slice(start, height)
            part = Typed(whole.values.slice(start, height), whole.faults.slice(start, height), notes)
            column, field = columns[place]
            units = said.get(field.unit_field or "")
            typed[place] = (
                _in_unit(part, field, column) if units is None else _in_own_units(part, field, column, units)
            )
    return [typed[place] for place in range(len(columns))]


def _in_own_units(typed: Typed, field: FormField, column: pl.Series, units: pl.Series) -> Typed:
    """Each record in the unit that it says itself."""
    if typed.notes is None:
        return typed
    read = _in_unit(typed, field, column)
    said = [normal_text(unit or "") for unit in units.cast(pl.String)]
    for unit in sorted({"%", "‰"} & set(said)):
        here = pl.Series([one == unit for one in said], dtype=pl.Boolean)
        own = _in_unit(typed, field.model_copy(update={"unit": unit}), column)
        nothing = _nulls(column, pl.String())
        notes = [nothing if one.notes is None else one.notes for one in (own, read)]
        read = Typed(
            own.values.zip_with(here, read.values),
            own.faults.zip_with(here, read.faults),
            notes[0].zip_with(here, notes[1]),
        )
    return read


def _nulls(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    nothing = _nothing if len(column) <= _FEW else _nothing.__wrapped__
    return nothing(dtype, len(column)).alias(column.name)


@lru_cache(maxsize=64)
def _nothing(dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series("", [None], dtype=dtype).new_from_index(0, height)


def to_numbers(column: pl.Series, *, whole: bool) -> Typed:
    """Numbers; ``whole`` refuses fractions. ``notes`` may also be ``%`` and ``‰``, for the field to judge."""
    faults = pl.Series(column.name, [None], dtype=pl.String).new_from_index(0, len(column))
    notes: pl.Series | None = None
    dtype = pl.Int64() if whole else pl.Float64()
    if column.null_count() == len(column):
        return Typed(column.cast(dtype), faults)
    if column.dtype.is_numeric():
        values = column.cast(pl.Float64)
        if not math.isfinite(values.sum()):
            values, faults = _refuse(values, faults, column, values.is_nan())
    else:
        values, faults, notes = _numbers_of_text(column, faults)
    shown = column
    largest = max((abs(end) for end in (values.min(), values.max()) if isinstance(end, float)), default=0.0)
    if not largest < LARGEST:
        values, faults = _refuse(values, faults, shown, ~(values.abs() < LARGEST))
    if not whole:
        # Binary noise of spreadsheets (0.30000000000000004) is no content.
        return Typed(values.round_sig_figs(15), faults, notes)
    nearest = values.round(0)
    if not nearest.equals(values):
        fraction = (values - nearest).abs() > _NOISE * (1 + values.abs())
        nearest, faults = _refuse(nearest, faults, shown, fraction)
    return Typed(nearest.cast(pl.Int64), faults, notes)


def _refuse(
    values: pl.Series, faults: pl.Series, shown: pl.Series, wrong: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Values without those that are wrong, whose text becomes a fault."""
    wrong = wrong.fill_null(value=False)
    if not wrong.any():
        return values, faults
    return values.set(wrong, None), faults.zip_with(~wrong, as_text(shown))


def _numbers_of_text(column: pl.Series, faults: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series | None]:
    text = column.cast(pl.String)
    values = text.cast(pl.Float64, strict=False)
    open_ = text.is_not_null() & (values.is_null() | ~values.is_finite())
    if not open_.any():
        return values, faults, None
    rest = text.filter(open_)
    read = {each: read_number(each, NULL_MARKS) for each in rest.unique()}
    places = open_.arg_true()
    found = [read[each] for each in rest]
    values = values.scatter(
        places, pl.Series([one.value if one else None for one in found], dtype=pl.Float64)
    )
    if not all(found):
        bad = [place for place, one in zip(places, found, strict=True) if one is None]
        wrong = [each.strip() for each, one in zip(rest, found, strict=True) if one is None]
        faults = faults.scatter(bad, pl.Series(wrong, dtype=pl.String))
    return values, faults, _notes(len(text), places, found)


def _notes(height: int, places: pl.Series, found: Sequence[Read[float | None] | None]) -> pl.Series | None:
    noted = [(place, one.note) for place, one in zip(places, found, strict=True) if one and one.note]
    if not noted:
        return None
    notes = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    return notes.scatter([place for place, _ in noted], pl.Series([note for _, note in noted]))


def _in_unit(typed: Typed, field: FormField, column: pl.Series) -> Typed:
    """A per cent sign is fine where the form asks for per cent or for ‰; elsewhere the cell cannot be trusted."""
    if typed.notes is None:
        return typed
    notes, unit = typed.notes, field.source_unit or field.unit
    values, faults = typed.values, typed.faults
    if unit == "‰" and (percents := (notes == "%").fill_null(value=False)).any():
        values = values.zip_with(~percents, (values * 10).cast(values.dtype))
        notes = notes.set(percents, "per mille")
    wrong = notes.is_in([sign for sign in ("%", "‰") if sign != unit]).fill_null(value=False)
    if wrong.any():
        values, faults = values.set(wrong, None), faults.zip_with(~wrong, as_text(column))
    notes = notes.set(notes.is_in(["%", "‰"]), None)
    return Typed(values, faults, None if notes.null_count() == len(notes) else notes)


def _mapped(text: pl.Series, read: Callable[[str], object], dtype: pl.DataType) -> Typed:
    """Values looked up once for each different text; a mark for nothing is one unless the field knows it."""
    few = text.to_list() if len(text) <= _FEW else None
    different = [*dict.fromkeys(few)] if few is not None else text.unique().to_list()
    different = [value for value in different if value is not None]
    found = {value: None if value == "" else read(value) for value in different}
    unknown = [
        value for value, result in found.items() if result is None and value not in NULL_MARKS and value != ""
    ]
    results = [one.value if isinstance(one, Read) else one for one in found.values()]
    if few is not None:
        of = dict(zip(found, results, strict=True))
        values = pl.Series(text.name, [None if each is None else of[each] for each in few], dtype=dtype)
    else:
        values = text.replace_strict(
            different, pl.Series(results, dtype=dtype), default=None, return_dtype=dtype
        ).alias(text.name)
    nothing = pl.Series(text.name, [None], dtype=pl.String).new_from_index(0, len(text))
    faults = text.set(~text.is_in(unknown).fill_null(value=False), None) if unknown else nothing
    notes = {value: one.note for value, one in found.items() if isinstance(one, Read) and one.note}
    if not notes:
        return Typed(values, faults)
    return Typed(
        values, faults, text.replace_strict(notes, default=None, return_dtype=pl.String).alias(text.name)
    )
