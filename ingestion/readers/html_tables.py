"""Tables of an HTML page, which some systems save as .xls."""

import re
from html.parser import HTMLParser

from ingestion.readers.blob import Blob
from ingestion.readers.documents import text_of
from ingestion.readers.grid import Area, Grid
from ingestion.readers.limits import Limits
from ingestion.readers.raised import raised
from ingestion.readers.refusals import overdue, too_many
from ingestion.readers.table import Table

_PIECE = 1 << 14
_DEPTH = 50
_SKIPPED = {"script", "style", "title"}
_ADVICE = ("请另存为 .xlsx 或 CSV 后报送", "Save it as .xlsx or CSV")
_SPACE = re.compile(r"[ \t\r\n]+")


def read_html(blob: Blob, limits: Limits) -> list[Table]:
    """Every table that holds anything and no other table.

    Raises :class:`UnreadableFile` for text in no known encoding, :class:`FileTooLarge` beyond the limits.
    """
    page = _Page(blob.name, limits)
    text = text_of(blob, limits, _ADVICE)
    for place in range(0, len(text), _PIECE):
        if limits.overdue:
            raise overdue(blob.name, limits.seconds)
        page.feed(text[place : place + _PIECE])
    page.close()
    return [table for grid in page.grids if (table := grid.table())]


class _Page(HTMLParser):
    """Follows the page; a table inside a cell begins a sheet of its own."""

    def __init__(self, name: str, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[Grid] = []
        self._name = name
        self._limits = limits
        self._area = Area(name, limits)
        self._grid: Grid | None = None
        self._outer: list[tuple[Grid | None, int, int, dict[int, int]]] = []
        self._row = -1
        self._column = 0
        self._taken: dict[int, int] = {}
        self._span = (1, 1)
        self._text: list[str] | None = None
        self._skip = 0
        self._raised = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A table, row or cell begins; the one before ends with it if nobody said so."""
        if tag in _SKIPPED:
            self._skip += 1
        elif tag == "table":
            self._end_cell()
            if len(self.grids) == self._limits.sheets:
                raise too_many(self._name, "表格数", "tables", self._limits.sheets)
            self._outer.append((self._grid, self._row, self._column, self._taken))
            if len(self._outer) > _DEPTH:
                raise too_many(self._name, "表格嵌套层数", "nested tables", _DEPTH)
            self._grid = Grid(f"表{len(self.grids) + 1}" if self.grids else "", self._area)
            self.grids.append(self._grid)
            self._row, self._column, self._taken = -1, 0, {}
        elif tag == "tr" and self._grid:
            self._end_cell()
            self._row += 1
            self._column = 0
        elif tag in ("td", "th") and self._grid:
            self._end_cell()
            self._row = max(self._row, 0)
            given = dict(attrs)
            self._span = self._counted(given.get("rowspan")), self._counted(given.get("colspan"))
            self._text = []
        elif tag == "br" and self._text is not None:
            self._text.append("\n")
        elif tag == "sup":
            self._raised += 1

    def handle_endtag(self, tag: str) -> None:
        """A cell, row or table ends."""
        if tag in _SKIPPED:
            self._skip = max(self._skip - 1, 0)
        elif tag == "sup":
            self._raised = max(self._raised - 1, 0)
        elif tag in ("td", "th", "tr", "table"):
            self._end_cell()
            if tag == "table" and self._outer:
                self._grid, self._row, self._column, self._taken = self._outer.pop()

    def handle_data(self, data: str) -> None:
        """Text of a cell."""
        if self._text is not None and not self._skip:
            text = _SPACE.sub(" ", data)
            self._text.append(raised(text) if self._raised else text)

    def close(self) -> None:
        """The end of the page ends the last cell."""
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._text is None or self._grid is None:
            return
        text = "".join(self._text).strip(" \u00a0\n")
        self._text, self._raised = None, 0
        down, across = self._span
        while self._taken.get(self._column, -1) >= self._row:
            self._column += 1
        if text:
            self._grid.put(self._row, self._column, text)
        if down > 1 or across > 1:
            self._area.check(self._row + 1, self._column + across)
            self._grid.merge(self._row, self._column, self._row + down - 1, self._column + across - 1)
        if down > 1:
            columns = range(self._column, self._column + across)
            self._taken.update(dict.fromkeys(columns, self._row + down - 1))
        self._column += across

    def _counted(self, text: str | None) -> int:
        return max(int(text), 1) if text and text.isdecimal() and len(text) < 7 else 1
