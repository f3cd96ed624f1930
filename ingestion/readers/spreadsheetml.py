"""Workbooks as XML of 2003 (SpreadsheetML), which senders save as .xls or .xml."""

from dataclasses import replace

from ingestion.readers.blob import Blob
from ingestion.readers.documents import check_size
from ingestion.readers.grid import Area, Grid
from ingestion.readers.limits import Limits
from ingestion.readers.number_formats import (
    day_of_serial,
    moment_of,
    percent_text,
    plain_number,
    shows_date,
    shows_percent,
)
from ingestion.readers.raised import raised
from ingestion.readers.refusals import damaged, too_many
from ingestion.readers.safe_xml import Handlers, parse
from ingestion.readers.table import Table

MARK = b"urn:schemas-microsoft-com:office:spreadsheet"
_KIND = ("XML 表格（SpreadsheetML）", "a SpreadsheetML workbook")
_NO_DAY = 1900


def read_spreadsheetml(blob: Blob, limits: Limits) -> list[Table]:
    """Every worksheet that holds anything.

    Raises :class:`UnreadableFile` for broken XML and :class:`FileTooLarge` beyond the limits.
    """
    check_size(blob, limits, ("请另存为 .xlsx 后报送", "Save it as .xlsx"))
    book = _Book(blob.name, limits)
    with blob.open() as stream:
        parse(stream, book, name=blob.name, limits=limits, kind=_KIND)
    return [replace(table, since_1904=book.since_1904) for grid in book.grids if (table := grid.table())]


class _Book(Handlers):
    """Follows the document; positions are counted from 0 here and from 1 there."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.grids: list[Grid] = []
        self._name = name
        self._limits = limits
        self._area = Area(name, limits)
        self._path: list[str] = []
        self._formats: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._style = ""
        self.since_1904 = False
        self._row = self._column = -1
        self._span = 0
        self._row_style = self._cell_style = ""
        self._cell = (0, 0)
        self._column_styles: dict[int, str] = {}
        self._next_column_style = 0
        self._type: str | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins: style, sheet, column, row, cell or data."""
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        if tag == "Cell" and parent == "Row" and self._row >= 0:
            self._begin_cell(attributes)
        elif tag == "Data" and parent == "Cell" and self._row >= 0:
            self._type, self._text = attributes.get("Type", "String"), []
        elif tag == "Row" and parent == "Table" and self.grids:
            self._row = self._position(attributes, self._row + 1 + self._span)
            self._span = self._number(attributes, "Span")
            self._row_style = attributes.get("StyleID", "")
            self._column = -1
        elif tag == "Column" and parent == "Table":
            first = self._position(attributes, self._next_column_style)
            self._next_column_style = first + 1 + self._number(attributes, "Span")
            if style := attributes.get("StyleID"):
                last = min(self._next_column_style, self._limits.columns)
                self._column_styles.update(dict.fromkeys(range(first, last), style))
        elif tag == "Worksheet":
            self._begin_sheet(attributes.get("Name", ""))
        elif tag == "Style":
            self._style = attributes.get("ID", "")
            self._parents[self._style] = attributes.get("Parent", "")
        elif tag == "NumberFormat" and parent == "Style":
            self._formats[self._style] = attributes.get("Format", "")
        elif tag == "Date1904":
            self.since_1904 = True

    def end(self, tag: str) -> None:
        """An element ends; the end of data fills its cell."""
        self._path.pop()
        if tag == "Data" and self._type is not None and self._path[-1:] == ["Cell"]:
            value = self._value(self._type, "".join(self._text))
            if value not in (None, ""):
                self.grids[-1].put(*self._cell, value)
            self._type = None

    def text(self, data: str) -> None:
        """Characters of a cell, with those of rich text inside it."""
        if self._type is not None:
            self._text.append(raised(data) if "Sup" in self._path else data)

    def _begin_sheet(self, sheet: str) -> None:
        if len(self.grids) == self._limits.sheets:
            raise too_many(self._name, "工作表数", "sheets", self._limits.sheets)
        self.grids.append(Grid(sheet, self._area))
        self._row, self._span = -1, 0
        self._column_styles, self._next_column_style = {}, 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        row, column = self._row, self._position(attributes, self._column + 1)
        self._cell = (row, column)
        self._cell_style = attributes.get("StyleID") or self._row_style or self._column_styles.get(column, "")
        self._column = column + self._number(attributes, "MergeAcross")
        self.grids[-1].merge(row, column, row + self._number(attributes, "MergeDown"), self._column)

    def _position(self, attributes: dict[str, str], default: int) -> int:
        position = self._number(attributes, "Index") - 1 if "Index" in attributes else default
        if position < 0:
            raise damaged(self._name, *_KIND, "Index is below 1")
        return position

    def _number(self, attributes: dict[str, str], key: str) -> int:
        text = attributes.get(key, "0")
        if not text.isdecimal() or len(text) > 9:
            raise damaged(self._name, *_KIND, f"{key} is no number")
        return int(text)

    def _value(self, kind: str, text: str) -> object:
        if kind == "Number":
            return self._counted(text)
        if kind == "DateTime":
            return _moment(text.strip())
        if kind == "Boolean":
            return {"1": True, "0": False}.get(text.strip(), text)
        return text

    def _counted(self, text: str) -> object:
        number = plain_number(text)
        if number is None:
            return text
        pattern = self._format()
        if shows_date(pattern):
            return day_of_serial(number, since_1904=self.since_1904)
        return percent_text(number) if shows_percent(pattern) else number

    def _format(self) -> str:
        """The number format of the cell's style, or of the nearest that it is made from and that has one."""
        style, seen = self._cell_style, 0
        while style and seen < 20:
            if style in self._formats:
                return self._formats[style]
            style, seen = self._parents.get(style, ""), seen + 1
        return ""


def _moment(text: str) -> object:
    """A day or moment; a time of no day, which is written as one of 1899, stays a time."""
    moment = moment_of(text)
    if moment is None:
        return text
    return moment.time() if moment.year < _NO_DAY else moment
