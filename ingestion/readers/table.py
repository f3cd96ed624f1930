"""A sheet or a delimited file as cells: no meaning yet."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

HEAD_ROWS = 40

Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Table:
    """Cells of one sheet. Row i, counted from 0, is spreadsheet row i + 1; columns likewise.

    ``top`` holds the first rows as values; ``rows_below`` makes the frame of all rows from one on, with
    column ``c<n>`` as text, or as Float64 where a workbook holds nothing but numbers.
    """

    sheet: str
    top: Sequence[Sequence[object]]
    rows_below: Callable[[int], pl.DataFrame]
    merges: tuple[Merge, ...] = ()
    stream: Callable[[int, int], Iterator[pl.DataFrame]] | None = None

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


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return number_text(value)
    return str(value).strip()


def number_text(value: float) -> str:
    """A number as a clerk would write it: at most 15 significant digits, no trailing zeros."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return format(value, ".15g")
