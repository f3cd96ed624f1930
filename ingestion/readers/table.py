"""A sheet or a delimited file as cells: no meaning yet."""

from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

HEAD_ROWS = 40

Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Table:
    """Cells of one sheet. Column ``c<n>`` is spreadsheet column n + 1; row i of the frame is row i + 1.

    Columns are text, or Float64 where a workbook holds nothing but numbers in them.
    """

    sheet: str
    frame: pl.DataFrame
    merges: tuple[Merge, ...] = field(default=())

    @cached_property
    def head(self) -> list[list[str]]:
        """The first rows as text, with merged cells filled over their whole range."""
        rows = [[_text(value) for value in row] for row in self.frame.head(HEAD_ROWS).iter_rows()]
        for (top, left), (bottom, right) in self.merges:
            if top >= len(rows) or left >= len(rows[top]):
                continue
            for row in rows[top : bottom + 1]:
                row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
        return rows


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return number_text(value)
    return str(value).strip()


def number_text(value: float) -> str:
    """A number as a clerk would write it: at most 15 significant digits, no trailing zeros."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return format(value, ".15g")
