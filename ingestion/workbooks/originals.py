"""A sender's own file as a workbook to write into: the workbook itself, or its tables cell by cell.

A workbook is opened as it came: values, formats and sheets stay. Only formulas that merely compute within the
workbook stay formulas; any other becomes its last value, and so do macros and links to other files vanish.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.styles import PatternFill
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.masking import masked_names
from ingestion.readers import Table
from ingestion.readers.table import number_text
from ingestion.workbooks.cells import AUTHOR, LAST_COLUMN, LAST_ROW, is_risky, put, sheet_title
from ingestion.workbooks.own_sheets import FINDINGS, MARKS, is_own
from ingestion.workbooks.shares import Share
from warehouse.errors import WarehouseError

# Beyond this a workbook is written anew from its tables, which costs less memory than opening it for writing.
_LARGEST_SHEETS = 48 << 20
_BATCH = 20_000
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
# A spreadsheet program shows longer numbers as 4.4E+11.
_MOST_DIGITS = 11
_FUNCTIONS = frozenset(
    f"{name}("
    for name in (
        *(
            "SUM",
            "ROUND",
            "ROUNDUP",
            "ROUNDDOWN",
            "INT",
            "ABS",
            "MIN",
            "MAX",
            "AVERAGE",
            "COUNT",
            "COUNTA",
            "IF",
        ),
        *("IFERROR", "AND", "OR", "NOT", "SUMIF", "SUMPRODUCT", "PRODUCT", "MOD", "VALUE", "N"),
    )
)
_FORMULA_CELL = re.compile(
    rb'(<c r="([A-Z]+\d+)"[^>]*?)>(<f>[^<]*</f>)<v\s*/>|(<c r="([A-Z]+\d+)"[^>]*?)>(<f>[^<]*</f>)<v></v>'
)


@dataclass
class Original:
    """The workbook; ``titles``: its sheet for each table of the file; ``computed``: last values of formulas."""

    book: Workbook
    titles: dict[str, str]
    computed: dict[str, dict[str, object]] = field(default_factory=dict)

    def sheet(self, table: str | None) -> Worksheet | None:
        """The sheet that shows a table; the only one when a finding names none."""
        title = self.titles.get(table or "")
        if title is None and len(self.titles) == 1:
            title = next(iter(self.titles.values()))
        return None if title is None else self.book[title]

    def save(self, path: Path) -> None:
        """Write the workbook, with the last values of the formulas that stayed."""
        buffer = io.BytesIO()
        self.book.save(buffer)
        path.write_bytes(
            _with_values(buffer, self.book, self.computed) if self.computed else buffer.getvalue()
        )


def open_workbook(path: Path) -> Original | None:
    """The file itself when it is a workbook that can be written into; else None."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [item.file_size for item in archive.infolist()]
            if "xl/workbook.xml" not in archive.namelist() or sum(sizes) > _LARGEST_SHEETS:
                return None
        with path.open("rb") as stream:
            book = openpyxl.load_workbook(stream, keep_links=False)
            values = openpyxl.load_workbook(stream, keep_links=False, data_only=True)
    except Exception:
        # Whatever openpyxl stumbles over, the tables can still be written.
        return None
    for sheet in book.worksheets:
        if sheet["A1"].value == MARKS[FINDINGS]:
            book.remove(sheet)
    if not book.worksheets:
        return None
    titles = [sheet.title for sheet in book.worksheets]
    original = Original(book, dict(zip(masked_names(titles), titles, strict=True)))
    for sheet in book.worksheets:
        _settle(sheet, values[sheet.title], original.computed)
    return original


def write_tables(tables: Sequence[Table], shares: Mapping[str, Share] | None = None) -> Original:
    """A new workbook with the tables at the same places, of each sheet only the cells of the share.

    Without ``shares`` everything is written; a table that they do not name is left out. Raises WarehouseError
    for a table too large for a sheet.
    """
    book = Workbook()
    book.remove(book.active)
    titles: dict[str, str] = {}
    for table in tables:
        if table.is_blank or is_own(table) or (shares is not None and table.sheet not in shares):
            continue
        title = sheet_title(table.sheet, titles.values())
        titles[table.sheet] = title
        sheet = book.create_sheet(title)
        share = shares[table.sheet] if shares is not None else None
        merged = _merged_texts(table)
        for row, values in _rows(table):
            if row > LAST_ROW or len(values) > LAST_COLUMN:
                raise WarehouseError(
                    f"The table {table.sheet or '1'} is too large for a sheet of a workbook.",
                    mend="See the findings with: warehouse findings --report N --json",
                )
            blank = all(value is None for value in values)
            for column, cell in enumerate(values, start=1):
                value = merged.get((row, column)) if cell is None and not blank else cell
                if value is not None and (share is None or share.kept(row, column)):
                    put(sheet.cell(row, column), _value(value))
        limit = share.header_rows if share is not None else LAST_ROW
        for (top, left), (bottom, right) in table.merges:
            if bottom < limit:
                sheet.merge_cells(
                    start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1
                )
    return Original(book, titles)


def _merged_texts(table: Table) -> dict[tuple[int, int], str]:
    """Texts of cells merged over several rows, for each further row: the rows of a share stand without the others."""
    if not table.down:
        return {}
    cells = table.rows_below(0)
    return {
        (row + 1, left + 1): text
        for (top, left), (bottom, _) in table.down
        if isinstance(text := cells[top, left], str)
        for row in range(top + 1, bottom + 1)
    }


def _rows(table: Table) -> Iterator[tuple[int, tuple[object, ...]]]:
    row = 0
    for batch in table.batches(0, _BATCH):
        for values in batch.iter_rows():
            row += 1
            yield row, values


def _value(value: object) -> object:
    """A number as a number when that changes nothing of how it is read; any other text as text."""
    if isinstance(value, float):
        value = number_text(value)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return value
    if sum(map(str.isdigit, value)) > _MOST_DIGITS or number_text(float(value)) != value:
        return value
    return float(value) if "." in value else int(value)


def _settle(sheet: Worksheet, values: Worksheet, computed: dict[str, dict[str, object]]) -> None:
    """Take away earlier marks; make text like a formula safe, and formulas that reach outside their values."""
    # Only cells that there are: a sheet may reach to its last corner and hold two of them.
    for cell in list(sheet._cells.values()):
        if cell.comment is not None and cell.comment.author == AUTHOR:
            cell.comment, cell.fill = None, PatternFill()
        if cell.data_type == "s" and isinstance(cell.value, str) and is_risky(cell.value):
            cell.quotePrefix = True
        elif cell.data_type == "f":
            value = values[cell.coordinate].value
            if isinstance(cell.value, str) and _is_plain(cell.value):
                computed.setdefault(sheet.title, {})[cell.coordinate] = value
            else:
                cell.value = None
                put(cell, value)


def _is_plain(formula: str) -> bool:
    """Whether a formula only computes with cells of its own workbook."""
    if "[" in formula or "|" in formula:
        return False
    for token in Tokenizer(formula).items:
        if token.type == Token.FUNC and token.subtype == Token.OPEN and token.value.upper() not in _FUNCTIONS:
            return False
    return True


def _with_values(buffer: io.BytesIO, book: Workbook, computed: Mapping[str, Mapping[str, object]]) -> bytes:
    """The saved workbook with a value behind each formula, as a reader that does not compute needs it."""
    places = {
        f"xl/worksheets/sheet{number}.xml": computed[sheet.title]
        for number, sheet in enumerate(book.worksheets, start=1)
        if sheet.title in computed
    }
    result = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename in places:
                content = _patched(content, places[item.filename])
            target.writestr(item.filename, content)
    return result.getvalue()


def _patched(content: bytes, values: Mapping[str, object]) -> bytes:
    def with_value(match: re.Match[bytes]) -> bytes:
        opening, place, formula = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
        value = values.get(place.decode())
        if isinstance(value, bool):
            kind, text = b' t="b"', str(int(value))
        elif isinstance(value, int | float):
            kind, text = b"", repr(value)
        elif isinstance(value, str):
            kind, text = b' t="str"', value
        else:
            return match[0]
        return opening + kind + b">" + formula + b"<v>" + escape(text).encode() + b"</v>"

    return _FORMULA_CELL.sub(with_value, content)
