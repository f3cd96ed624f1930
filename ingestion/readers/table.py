"""A sheet or a delimited file as cells: no meaning yet."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from ingestion.findings import Finding

HEAD_ROWS = 40

Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Table:
    """Cells of one sheet. Row i, counted from 0, is spreadsheet row i + 1; columns likewise.

    ``top`` holds the first rows as values; ``rows_below`` makes the frame of all rows from one on, with
    column ``c<n>`` as text, or as Float64 where a workbook holds nothing but numbers. ``merges`` are merged ranges of
    the first rows, ``down`` those of several rows anywhere. ``file_name`` is the name of the archive's member that the
    table comes from; its sheet carries that name too. ``keeper`` must live as long as the table is read. ``told``: what
    was found wrong with rows while they were read, by row. ``widths``: how many fields each of the first rows of a
    delimited text has. ``since_1904``: that a workbook counts days from 1904, where a number read as a day means
    another one; those in a format of days are read as days already.
    """

    sheet: str
    top: Sequence[Sequence[object]]
    rows_below: Callable[[int], pl.DataFrame]
    merges: tuple[Merge, ...] = ()
    stream: Callable[[int, int], Iterator[pl.DataFrame]] | None = None
    file_name: str | None = None
    keeper: object = None
    told: dict[int, Finding] = field(default_factory=dict)
    widths: tuple[int, ...] = ()
    since_1904: bool = False
    down: tuple[Merge, ...] = ()

    def batches(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """All rows from ``first`` on, at most about ``size`` at a time, in frames like those of ``rows_below``.

        A source that can be read piece by piece gives ``stream``, so that no more than a piece is ever held.
        """
        if self.stream is not None:
            yield from self.stream(first, size)
        else:
            yield from self.rows_below(first).iter_slices(size)

    @cached_property
    def head(self) -> list[list[str]]:
        """The first rows as text, with merged cells filled over their whole range."""
        rows = [[_text(value) for value in row] for row in self.top]
        for (top, left), (bottom, right) in self.merges:
            if top >= len(rows) or left >= len(rows[top]):
                continue
            for row in rows[top : bottom + 1]:
                row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
        return rows

    @cached_property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(map(any, self.head)) and all(c.null_count() == len(c) for c in self.rows_below(0))


class Remembered:
    """Rows that are made once, however often they are asked for; further rows down are a part of them."""

    def __init__(self, make: Callable[[int], pl.DataFrame]) -> None:
        self._make = make
        self._first: int | None = None
        self._frame = pl.DataFrame()

    def __call__(self, first: int) -> pl.DataFrame:
        """The frame of all rows from one on."""
        if self._first is None or first < self._first:
            self._frame = self._make(first)
            self._first = first
        return self._frame.slice(first - self._first)


@dataclass(frozen=True)
class Contents:
    """The tables of a file, and findings on members of an archive that could not be read."""

    tables: list[Table]
    findings: list[Finding] = field(default_factory=list)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return number_text(value)
    # Labels are told in findings, and no database takes a NUL.
    return str(value).strip().replace("\0", "\ufffd")


def number_text(value: float) -> str:
    """A number as a clerk would write it: at most 15 significant digits, no trailing zeros."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return format(value, ".15g")
