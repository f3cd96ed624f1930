"""OpenDocument spreadsheets (.ods), read from their content piece by piece."""

import datetime as dt
import re
from dataclasses import replace

from ingestion.readers.grid import Area, Grid
from ingestion.readers.limits import Limits
from ingestion.readers.number_formats import moment_of, percent_text, plain_number
from ingestion.readers.packages import Package
from ingestion.readers.raised import raised
from ingestion.readers.refusals import damaged, protected, too_many
from ingestion.readers.safe_xml import Handlers, parse
from ingestion.readers.table import Table

MIME = b"application/vnd.oasis.opendocument.spreadsheet"
_KIND = ("ODS 工作簿", "an OpenDocument workbook")
_SPELL = re.compile(r"PT(\d{1,6})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S")
# Formula errors as the document writes them in the cell's text.
_ERROR = re.compile(r"#[A-Z/0!?]+[!?]?|Err:\d+")
# How far above the line text stands, by a word or a share of its height.
_UP = re.compile(r"super|[1-9]")
_NOT_CONTENT = {"annotation", "tracked-changes", "shapes", "forms"}


def read_opendocument(package: Package, limits: Limits) -> list[Table]:
    """Every sheet that holds anything.

    Raises :class:`UnreadableFile` for a damaged or encrypted workbook, :class:`FileTooLarge` beyond the limits.
    """
    name = package.name
    if "META-INF/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise protected(name)
    if "content.xml" not in package:
        raise damaged(name, *_KIND, "content.xml is missing")
    book = _Book(name, limits)
    with package.open("content.xml") as stream:
        parse(stream, book, name=name, limits=limits, kind=_KIND)
    return [replace(table, since_1904=book.since_1904) for grid in book.grids if (table := grid.table())]


class _Book(Handlers):
    """Follows the document: sheets, rows and cells, each of which may stand for several."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.grids: list[Grid] = []
        self.since_1904 = False
        self._name = name
        self._limits = limits
        self._area = Area(name, limits)
        self._skip = 0
        self._row = self._column = 0
        self._rows = self._columns = 1
        self._filled: list[tuple[int, int, object]] = []
        self._attributes: dict[str, str] | None = None
        self._text: list[str] = []
        self._paragraphs = 0
        self._style = ""
        self._raised_styles: set[str] = set()
        self._spans: list[bool] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A sheet, row or cell begins, or a space inside a cell."""
        if self._skip or tag in _NOT_CONTENT:
            self._skip += 1
        elif tag in ("style", "text-properties", "span"):
            self._begin_styled(tag, attributes)
        elif tag == "null-date":
            self.since_1904 = attributes.get("date-value", "").startswith("1904")
        elif tag == "table":
            if len(self.grids) == self._limits.sheets:
                raise too_many(self._name, "工作表数", "sheets", self._limits.sheets)
            self.grids.append(Grid(attributes.get("name", ""), self._area))
            self._row = 0
        elif tag == "table-row" and self.grids:
            self._rows = self._repeated(attributes, "number-rows-repeated")
            self._column, self._filled = 0, []
        elif tag in ("table-cell", "covered-table-cell"):
            self._columns = self._repeated(attributes, "number-columns-repeated")
            self._attributes, self._text, self._paragraphs = attributes, [], 0
        elif tag == "p" and self._attributes is not None:
            if self._paragraphs:
                self._text.append("\n")
            self._paragraphs += 1
        elif tag == "s" and self._attributes is not None:
            count = self._repeated(attributes, "c")
            self._text.append(" " * min(count, 1000))
        elif tag in ("tab", "line-break") and self._attributes is not None:
            self._text.append("\t" if tag == "tab" else "\n")

    def _begin_styled(self, tag: str, attributes: dict[str, str]) -> None:
        """A style that may raise text, or a piece of text in a style."""
        if tag == "style":
            self._style = attributes.get("name", "")
        elif tag == "span":
            self._spans.append(attributes.get("style-name", "") in self._raised_styles)
        elif _UP.match(attributes.get("text-position", "")):
            self._raised_styles.add(self._style)

    def end(self, tag: str) -> None:
        """The end of a cell keeps its value; the end of a row writes it, as often as it stands."""
        if self._skip:
            self._skip -= 1
        elif tag == "span" and self._spans:
            self._spans.pop()
        elif tag in ("table-cell", "covered-table-cell") and self._attributes is not None:
            self._end_cell(self._attributes)
            self._attributes = None
        elif tag == "table-row" and self.grids:
            grid = self.grids[-1]
            if self._filled:
                self._area.check(self._row + self._rows, self._filled[-1][0] + self._filled[-1][1])
                for row in range(self._row, self._row + self._rows):
                    for column, count, value in self._filled:
                        for place in range(column, column + count):
                            grid.put(row, place, value)
            self._row += self._rows

    def text(self, data: str) -> None:
        """Characters of a paragraph of a cell."""
        if self._attributes is not None and self._paragraphs and not self._skip:
            self._text.append(raised(data) if any(self._spans) else data)

    def _end_cell(self, attributes: dict[str, str]) -> None:
        value = _value(attributes, "".join(self._text))
        if value not in (None, ""):
            self._filled.append((self._column, self._columns, value))
        across = self._repeated(attributes, "number-columns-spanned")
        down = self._repeated(attributes, "number-rows-spanned")
        if self.grids:
            self.grids[-1].merge(self._row, self._column, self._row + down - 1, self._column + across - 1)
        self._column += self._columns

    def _repeated(self, attributes: dict[str, str], key: str) -> int:
        text = attributes.get(key, "1")
        if not text.isdecimal() or len(text) > 9:
            raise damaged(self._name, *_KIND, f"{key} is no number")
        return max(int(text), 1)


def _value(attributes: dict[str, str], text: str) -> object:
    kind = attributes.get("value-type")
    value = attributes.get("value", "")
    if kind in ("float", "percentage", "currency"):
        # A formula that failed keeps the type of a number, and its error in the text.
        number = None if _ERROR.fullmatch(text) else plain_number(value)
        if number is None:
            return text
        return percent_text(number) if kind == "percentage" else number
    if kind == "date":
        stated = attributes.get("date-value", "")
        return moment_of(stated) or stated or text
    if kind == "time":
        return _spell(attributes.get("time-value", ""), text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(attributes.get("boolean-value", ""), text)
    return text or attributes.get("string-value", "")


def _spell(value: str, text: str) -> object:
    found = _SPELL.fullmatch(value)
    if not found:
        return value or text
    hours, minutes, seconds = map(int, found.groups())
    if hours < 24 and minutes < 60 and seconds < 60:
        return dt.time(hours, minutes, seconds)
    return dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
