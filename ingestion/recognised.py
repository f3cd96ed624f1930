"""What was recognised in a table: the form, its layout, and where its fields stand."""

from dataclasses import dataclass, field

from ingestion.findings import cell_name
from ingestion.form import Form, FormField, Layout, Part
from ingestion.periods import Span


@dataclass(frozen=True)
class Spot:
    """A cell with a label; row and column count from 0."""

    row: int
    column: int
    label: str

    @property
    def cell(self) -> str:
        """Spreadsheet name of the cell."""
        return cell_name(self.row + 1, self.column + 1) or ""


@dataclass(frozen=True)
class Column(Spot):
    """The label of a field: over its column, or beside its row."""

    code: str

    @property
    def index(self) -> int:
        """Column of the label, counted from 0."""
        return self.column


class Named:
    """Labels that name fields, as they are met: each field once, and none where several could be meant."""

    fields: list[Column]
    ambiguous: list[tuple[Spot, tuple[str, ...]]]
    twice: list[tuple[Spot, str]]

    def name(self, spot: Spot, codes: tuple[str, ...], seen: set[object]) -> None:
        """Take a label that may mean the fields ``codes``; ``seen`` are those that were met before."""
        if len(codes) > 1:
            self.ambiguous.append((spot, codes))
        elif codes[0] in seen:
            self.twice.append((spot, codes[0]))
        else:
            seen.add(codes[0])
            self.fields.append(Column(spot.row, spot.column, spot.label, codes[0]))


@dataclass(frozen=True)
class Block(Spot):
    """A column of a wide layout: the members it is for, as (breakdown, code), its measure and its period."""

    members: tuple[tuple[str, str], ...]
    measure: str
    period: Span | None = None


@dataclass(frozen=True)
class Pair(Column):
    """A field of a sheet with the cell that holds its value."""

    value_row: int
    value_column: int


@dataclass(frozen=True)
class Recognised:
    """A form's layout found in a table.

    ``header_row`` is the last row of the labels and of their units, ``first_row`` the first row that belongs to this
    table and ``end_row`` the first that no longer does.
    ``fields`` are the labels of fields; a sheet has ``pairs`` and a wide layout ``blocks`` besides. ``records``
    are the columns of a transposed table that hold one record each, with the text at their head. A long table
    has its labels in column ``item`` and its numbers in column ``value``; like another table it may have the units of
    measure of its rows in column ``unit``. ``units`` are cells elsewhere that say the unit of a field. ``width`` is how
    many fields the rows of a delimited text should have, None where cells cannot move; ``since_1904``, what a number
    means that is read as a day.
    """

    form: Form
    layout: Layout
    part: str
    header_row: int
    fields: tuple[Column, ...] = ()
    blocks: tuple[Block, ...] = ()
    pairs: tuple[Pair, ...] = ()
    records: tuple[Spot, ...] = ()
    records_are: str = ""
    item: int = -1
    value: int = -1
    # A column that says who filed each row for another.
    reporters: int = -1
    first_row: int = 0
    end_row: int | None = None
    unknown: tuple[Spot, ...] = ()
    # Columns whose numbers are of another time than the report's.
    left_out: tuple[Spot, ...] = ()
    ambiguous: tuple[tuple[Spot, tuple[str, ...]], ...] = ()
    twice: tuple[tuple[Spot, str], ...] = ()
    missing: tuple[FormField, ...] = ()
    choices: tuple[Part, ...] = ()
    titles: tuple[str, ...] = ()
    title_values: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    title_unit: str | None = None
    units: tuple[Column, ...] = ()
    unit: int = -1
    width: int | None = None
    since_1904: bool = False
    reporter: str | None = None

    @property
    def taken(self) -> set[str]:
        """Codes of the fields and members that stand in the table."""
        members = {code for block in self.blocks for _, code in block.members}
        return {column.code for column in self.fields} | members
