"""Errors of entry put into clean reports on purpose, and the truth about them: what was changed, from what to what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from samples.generator.draws import Generator, stream
from samples.generator.reports import KEY, Reports
from samples.labels import columns, form

KINDS = (
    "unit_slip_1000",
    "unit_slip_10000",
    "transposition",
    "swapped_columns",
    "duplicated_month",
    "stale_copy",
    "missing_unit",
    "sign_error",
    "shifted_column",
)
"""What goes wrong, each as often as the others where the form allows it."""

Report = tuple[str, date, date]


@dataclass(frozen=True, slots=True)
class Error:
    """One changed cell of a report, or a whole report (``field`` empty) that is missing or is another's copy."""

    form: str
    subject: str
    start: date
    end: date
    kind: str
    record: str = ""
    """Codes of the breakdown, separated by | (empty where the form has none)."""
    field: str = ""
    before: float | None = None
    after: float | None = None

    @property
    def report(self) -> Report:
        """The report that it struck."""
        return (self.subject, self.start, self.end)


class _Table:
    """The numbers of a form as a matrix, with the rows of each report."""

    def __init__(self, reports: Reports) -> None:
        self.form = reports.form
        self.frame = reports.frame.sort(KEY, maintain_order=True)
        self.fields = reports.measures
        self.numbers: NDArray[np.float64] = np.array(
            self.frame.select(pl.col(self.fields).cast(pl.Float64).fill_null(np.nan)).to_numpy(), copy=True
        )
        self.clean = self.numbers.copy()
        lengths = self.frame.group_by(KEY, maintain_order=True).agg(rows=pl.len())
        ends = lengths["rows"].to_numpy().cumsum()
        self.keys: list[Report] = lengths.select(KEY).rows()
        self.rows = [slice(int(end - n), int(end)) for end, n in zip(ends, lengths["rows"], strict=True)]
        self.position = {key: number for number, key in enumerate(self.keys)}
        names = reports.breakdowns
        self.records: list[str] = (
            self.frame.select(pl.concat_str(names, separator="|")).to_series().to_list()
            if names
            else [""] * len(self.frame)
        )
        known = columns(self.form)
        self.money = [i for i, name in enumerate(self.fields) if known[name].source_unit in ("千元", "万元")]
        self.gone: set[int] = set()

    def earlier(self, number: int, *, years: int) -> int | None:
        """The same subject's report one period or one year before, if its records are the same."""
        subject, start, end = self.keys[number]
        if years:
            found = self.position.get((subject, start.replace(year=start.year - 1), _year_back(end)))
        else:
            found = number - 1 if number and self.keys[number - 1][0] == subject else None
        if found is None or found in self.gone:
            return None
        return found if self._records_of(found) == self._records_of(number) else None

    def damaged(self) -> Reports:
        """The reports as they are now."""
        known = columns(self.form)
        kept = np.ones(len(self.frame), dtype=bool)
        for number in self.gone:
            kept[self.rows[number]] = False
        changed = [
            pl.Series(name, self.numbers[:, i])
            .fill_nan(None)
            .cast(pl.Int64 if known[name].type == "int" else pl.Float64)
            for i, name in enumerate(self.fields)
        ]
        return Reports(self.form, self.frame.with_columns(changed).filter(pl.Series(kept)))

    def _records_of(self, number: int) -> list[str]:
        return self.records[self.rows[number]]


def damage(reports: Sequence[Reports], seed: int, share: float) -> tuple[list[Reports], list[Error]]:
    """The reports with errors in a ``share`` of them, one error a report, and the truth.

    Reports of the same seed and share get the same errors. The kind that struck least often so far comes first; where
    it cannot strike the next one does.
    """
    if not share:
        return list(reports), []
    found: list[Error] = []
    damaged = []
    struck_by = dict.fromkeys(KINDS, 0)
    for one in reports:
        rng = stream(seed, f"errors {one.form}")
        table = _Table(one)
        struck = rng.permutation(len(table.keys))[: round(share * len(table.keys))]
        for number in struck:
            for kind in sorted(KINDS, key=struck_by.__getitem__):
                errors = _STRIKES[kind](table, int(number), rng, kind)
                if errors:
                    found += errors
                    struck_by[kind] += 1
                    break
        damaged.append(table.damaged())
    return damaged, found


def _slip_1000(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    """Yuan filled in for thousand yuan; in a form without money a count in single units for thousands."""
    rows = table.rows[number]
    if table.money:
        cells = [(rows.start, i) for i in table.money if table.numbers[rows.start, i] > 0]
        return [_set(table, number, cell, table.numbers[cell] * 1000, kind) for cell in cells]
    return _one(table, number, rng, kind, least=10, change=lambda value: value * 1000)


def _slip_10000(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    return _one(table, number, rng, kind, least=10, change=lambda value: value * 10_000)


def _transposition(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    def swapped(value: float) -> float | None:
        digits = list(str(int(value)))
        places = [i for i in range(len(digits) - 1) if digits[i] != digits[i + 1] and (i or digits[1] != "0")]
        if not places:
            return None
        at = places[int(rng.integers(len(places)))]
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
        return int("".join(digits)) + round(value - int(value), 4)

    return _one(table, number, rng, kind, least=100, change=swapped)


def _sign(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    return _one(table, number, rng, kind, least=1, change=lambda value: -value)


def _swapped_columns(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    """Two neighbouring columns in each other's place, in all records of the report."""
    rows = table.rows[number]
    block = table.numbers[rows]
    fits = [
        i
        for i in range(len(table.fields) - 1)
        if np.isfinite(block[:, i : i + 2]).all() and (np.abs(block[:, i] - block[:, i + 1]) >= 10).any()
    ]
    if not fits:
        return []
    left = fits[int(rng.integers(len(fits)))]
    changes = [
        ((row, column), table.numbers[row, left + 1 if column == left else left])
        for row in range(rows.start, rows.stop)
        for column in (left, left + 1)
        if table.numbers[row, left] != table.numbers[row, left + 1]
    ]
    return [_set(table, number, cell, float(value), kind) for cell, value in changes]


def _shifted(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    """From some column on, the numbers of one record stand one column too far to the right."""
    rows = table.rows[number]
    row = int(rng.integers(rows.start, rows.stop))
    filled = np.flatnonzero(np.isfinite(table.numbers[row]))
    if len(filled) < 4:
        return []
    first = int(rng.integers(0, len(filled) - 3))
    columns_ = filled[first:]
    values = [np.nan, *table.numbers[row, columns_[:-1]].tolist()]
    known = columns(table.form)
    if any(
        known[table.fields[i]].type == "int" and not np.isnan(value) and value != int(value)
        for i, value in zip(columns_, values, strict=True)
    ):
        # Decimals would stand in columns of whole numbers; a shift among columns of one kind is the harder case.
        return []
    cells = [((row, int(i)), value) for i, value in zip(columns_, values, strict=True)]
    return [
        _set(table, number, cell, value, kind)
        for cell, value in cells
        if table.numbers[cell] != value
    ]  # fmt: skip


def _copied(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    """Last month's numbers, or those of the same period of last year, under this period."""
    del rng
    if kind == "duplicated_month" and form(table.form).period.type in (
        "year",
        "mch_year",
        "cumulative_quarter",
    ):
        return []
    source = table.earlier(number, years=1 if kind == "stale_copy" else 0)
    if source is None:
        return []
    copied = table.clean[table.rows[source]]
    if np.array_equal(copied, table.numbers[table.rows[number]], equal_nan=True):
        return []
    table.numbers[table.rows[number]] = copied
    return [_error(table, number, kind)]


def _missing(table: _Table, number: int, rng: Generator, kind: str) -> list[Error]:
    del rng
    table.gone.add(number)
    return [_error(table, number, kind)]


_STRIKES: dict[str, Callable[[_Table, int, Generator, str], list[Error]]] = {
    "unit_slip_1000": _slip_1000,
    "unit_slip_10000": _slip_10000,
    "transposition": _transposition,
    "swapped_columns": _swapped_columns,
    "duplicated_month": _copied,
    "stale_copy": _copied,
    "missing_unit": _missing,
    "sign_error": _sign,
    "shifted_column": _shifted,
}


def _one(
    table: _Table,
    number: int,
    rng: Generator,
    kind: str,
    *,
    least: float,
    change: Callable[[float], float | None],
) -> list[Error]:
    """One cell of at least so much, changed; nothing when no cell can be."""
    rows = table.rows[number]
    block = table.numbers[rows]
    places = np.argwhere(np.nan_to_num(block) >= least)
    for place in rng.permutation(len(places))[:8]:
        cell = (rows.start + int(places[place][0]), int(places[place][1]))
        value = change(float(table.numbers[cell]))
        if value is not None:
            return [_set(table, number, cell, value, kind)]
    return []


def _set(table: _Table, number: int, cell: tuple[int, int], value: float, kind: str) -> Error:
    row, column = cell
    before = float(table.numbers[cell])
    table.numbers[cell] = value
    return _error(
        table,
        number,
        kind,
        record=table.records[row],
        field=table.fields[column],
        before=None if np.isnan(before) else before,
        after=None if np.isnan(value) else float(value),
    )


def _error(
    table: _Table,
    number: int,
    kind: str,
    *,
    record: str = "",
    field: str = "",
    before: float | None = None,
    after: float | None = None,
) -> Error:
    subject, start, end = table.keys[number]
    return Error(table.form, subject, start, end, kind, record, field, before, after)


def _year_back(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
