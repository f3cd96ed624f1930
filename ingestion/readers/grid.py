"""Cells that a parser meets one by one, gathered into a sheet without growing beyond the limits."""

from collections.abc import Iterator

from ingestion.readers.cells import table_of
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import too_many
from ingestion.readers.table import HEAD_ROWS, Merge, Table

# Merged ranges of one row say nothing beyond the head; so many are no form.
_MOST_MERGES = 10_000


class Area:
    """How many cells the sheets of a file may still take."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits

    def check(self, height: int, width: int) -> None:
        """Whether a sheet of this size still fits; raises :class:`FileTooLarge`."""
        if height > self.limits.rows:
            raise too_many(self.name, "行数", "rows", self.limits.rows)
        if width > self.limits.columns:
            raise too_many(self.name, "列数", "columns", self.limits.columns)
        if self.limits.spent.cells + height * width > self.limits.cells:
            raise too_many(self.name, "单元格数（含空白）", "cells, blank ones included", self.limits.cells)

    def take(self, height: int, width: int) -> None:
        """Count a finished sheet."""
        self.check(height, width)
        self.limits.spent.cells += height * width


class Grid:
    """One sheet under construction; rows and columns are counted from 0."""

    def __init__(self, sheet: str, area: Area) -> None:
        self.sheet = sheet
        self._area = area
        self._rows: list[list[object]] = []
        self._width = 0
        self._merges: list[Merge] = []

    def put(self, row: int, column: int, value: object) -> None:
        """Set a cell; blanks need not be put."""
        if row >= len(self._rows) or column >= self._width:
            self._area.check(max(row + 1, len(self._rows)), max(column + 1, self._width))
            self._width = max(column + 1, self._width)
            while row >= len(self._rows):
                self._rows.append([])
        cells = self._rows[row]
        if column >= len(cells):
            cells.extend([None] * (column + 1 - len(cells)))
        cells[column] = value

    def merge(self, row: int, column: int, bottom: int, right: int) -> None:
        """Say that a range is one cell, whose value stands top left."""
        told = bottom > row or (row < HEAD_ROWS and right > column)
        if told and len(self._merges) < _MOST_MERGES:
            self._merges.append(((row, column), (bottom, right)))

    def table(self) -> Table | None:
        """The sheet as a table; None when no cell was put."""
        if not self._rows:
            return None
        self._area.take(len(self._rows), self._width)
        rows = list(self._padded())
        return table_of(self.sheet, rows, self._merges)

    def _padded(self) -> Iterator[list[object]]:
        for row in self._rows:
            row.extend([None] * (self._width - len(row)))
            yield row
