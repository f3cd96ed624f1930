"""Which cells of a file belong to the reports asked for, when it holds other units' reports too."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise

from ingestion.bodies import carried_down
from ingestion.forms_catalogue import Catalogue
from ingestion.layout import recognise
from ingestion.readers import Table

Kept = Callable[[int, int], bool]
"""Whether the cell of this row and column, counted from 1, is written."""

Place = tuple[int | None, int | None]
"""Row and column of a record, counted from 1: a whole row, a whole column, or one cell in a row of several."""


@dataclass(frozen=True)
class Share:
    """Of one sheet: the cells to write, and the rows above the first record."""

    kept: Kept
    header_rows: int


def share_of(own: Collection[Place], others: Collection[Place]) -> Share | None:
    """What of a sheet is shown to whom ``own`` records belong; None when nothing of it does."""
    if not own:
        return None
    if not others:
        return Share(lambda _row, _column: True, max((row or 0 for row, _ in own), default=0))
    every = [*own, *others]
    if all(row is None for row, _ in every):
        return _columns({column for _, column in own}, min(column or 1 for _, column in every))
    first = min(row for row, _ in every if row is not None)
    rows = {row for row, _ in own}
    shared = {row for row, _ in others} & rows
    if not shared:
        return Share(lambda row, _column: row < first or row in rows, first - 1)
    starts = sorted({column for _, column in every if column is not None})
    # Measures of one member stand side by side, from the column of its record to that of the next.
    width = min((later - earlier for earlier, later in pairwise(starts)), default=1)
    cells = {(row, one) for row, column in own if column is not None for one in range(column, column + width)}
    left = starts[0] if starts else 1

    def kept(row: int, column: int) -> bool:
        if row < first:
            return True
        return row in rows and (row not in shared or column < left or (row, column) in cells)

    return Share(kept, first - 1)


def _columns(own: set[int | None], first: int) -> Share:
    return Share(lambda _row, column: column < first or column in own, 0)


def share_of_long(table: Table, catalogue: Catalogue, file_name: str, own: Collection[Place]) -> Share | None:
    """The same of a long table, whose rows belong to the report that their unit and period name."""
    found = recognise(table, catalogue, table.file_name or file_name)
    if found is None:
        return None
    keys = [column.column for column in found.fields if found.form.by_code[column.code].role == "identity"]
    first = found.header_row + 1
    cells = carried_down(table.rows_below(first), table, found, first).select(f"c{column}" for column in keys)
    said = dict(enumerate(cells.iter_rows(), start=first + 1))
    mine = {said[row] for row, _ in own if row in said}
    rows = frozenset(row for row, key in said.items() if key in mine)
    return Share(lambda row, _column: row <= first or row in rows, first)
