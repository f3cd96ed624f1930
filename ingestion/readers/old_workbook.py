"""Old workbooks (.xls, BIFF) as tables of text and numbers, one per sheet."""

import io
import struct
from collections import Counter
from dataclasses import replace
from functools import partial

from python_calamine import CalamineWorkbook, SheetTypeEnum

from ingestion.errors import UnreadableFile
from ingestion.readers.biff import (
    END,
    FORMULA,
    SEVERAL,
    SHEET,
    START,
    Percents,
    book_of,
    percents_of,
    records_of,
)
from ingestion.readers.biff_texts import (
    CONTINUED,
    SHARED_TEXT,
    TEXTS,
    Rich,
    raised_of,
    shared_texts,
    show_raised,
)
from ingestion.readers.blob import Blob
from ingestion.readers.cells import table_of
from ingestion.readers.compiled import guarded
from ingestion.readers.compound import BrokenContainer, CompoundFile
from ingestion.readers.grid import Area
from ingestion.readers.limits import Limits
from ingestion.readers.number_formats import show_percents
from ingestion.readers.refusals import damaged, overdue, protected, too_many, unpacks_too_far, unreadable
from ingestion.readers.table import Table

KIND = ("旧版 Excel 工作簿（.xls）", "an old workbook")

_PASSWORD = 0x2F
_DIMENSIONS = {0x00, 0x200}
_FLAG_OR_ERROR = {0x05, 0x205}
# Number, text, label, RK and rich text; cells of formats only are left out.
_CELLS = {0x02, 0x03, 0x04, 0x07, 0x203, 0x204, 0x207, 0x27E, SHARED_TEXT, 0xD6, *FORMULA, *_FLAG_OR_ERROR}
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_LONGEST_TEXT = 65_535

Errors = dict[int, list[tuple[int, int, str]]]


def read_old_workbook(blob: Blob, limits: Limits) -> list[Table]:
    """Every worksheet that holds anything.

    Raises :class:`UnreadableFile` for what is damaged, protected or no workbook, :class:`FileTooLarge` beyond
    the limits.
    """
    name, data = blob.name, blob.read()
    try:
        container = CompoundFile(data)
        if "EncryptedPackage" in container.streams:
            raise protected(name)
        stream = next(
            (key for key in ("Workbook", "Book", "WORKBOOK", "BOOK") if key in container.streams), None
        )
        if stream is None:
            raise _other(name, container)
        # The reader of cells follows other chains than that of the cells too, and would not notice a loop.
        records = {key: container.read(key) for key in container.streams}[stream]
        walk = _Walk(name, limits)
        errors = walk.over(records)
        book = book_of(records)
        percents = percents_of(records, book.percent_styles, walk.sheets)
        rich = raised_of(records, book.raised_fonts, walk.sheets)
    except (BrokenContainer, struct.error) as error:
        raise damaged(name, *KIND, "its structure") from error
    tables = guarded(name, KIND, partial(_tables, data, errors, percents, rich))
    return [replace(table, since_1904=book.since_1904) for table in tables]


def _tables(data: bytes, errors: Errors, percents: Percents, rich: Rich) -> list[Table]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    tables = []
    for number, sheet in enumerate(book.sheets_metadata):
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        source = book.get_sheet_by_index(number)
        rows = source.to_python(skip_empty_area=False)
        for row, column, text in errors.get(number, ()):
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = text
        show_percents(rows, percents.get(number, ()))
        show_raised(rows, rich.get(number, ()))
        if rows:
            tables.append(table_of(sheet.name, rows, source.merged_cell_ranges or ()))
    return tables


class _Walk:
    """Goes over all records once: bounds of the sheets, passwords, and formula errors by sheet number.

    ``sheets``: number of each sheet by the place of its records.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._area = Area(name, limits)
        self._shared: Counter[int] = Counter()
        self._texts: list[bytes] = []
        self.sheets: dict[int, int] = {}

    def over(self, records: bytes) -> Errors:
        """Errors by number of the sheet, row and column from 0; raises when the workbook is beyond bounds."""
        errors: Errors = {}
        found: list[tuple[int, int, str]] | None = None
        height = width = before = 0
        for place, kind, body in records_of(records):
            if place % 4096 == 0 and self._limits.overdue:
                raise overdue(self._name, self._limits.seconds)
            if kind == _PASSWORD:
                raise protected(self._name)
            if kind == SHEET and len(body) >= 4:
                self.sheets[struct.unpack_from("<L", body)[0]] = len(self.sheets)
                if len(self.sheets) > self._limits.sheets:
                    raise too_many(self._name, "工作表数", "sheets", self._limits.sheets)
            elif kind == START:
                found = errors.setdefault(self.sheets[place], []) if place in self.sheets else None
                height = width = 0
            elif kind == END:
                self._area.take(height, width)
                height = width = 0
            elif kind == TEXTS or (kind == CONTINUED and before in (TEXTS, CONTINUED) and self._texts):
                self._texts.append(body)
            elif kind in _DIMENSIONS and len(body) >= 8:
                self._check_stated(body)
            elif kind in _CELLS or kind in SEVERAL:
                row, column = struct.unpack_from("<HH", body)
                last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind in SEVERAL else column
                height, width = max(height, row + 1), max(width, last + 1)
                if kind == SHARED_TEXT and len(body) >= 10:
                    self._shared[struct.unpack_from("<L", body, 6)[0]] += 1
                error = _error(kind, body)
                if error and found is not None:
                    found.append((row, column, error))
            before = kind
        self._check_texts()
        return errors

    def _check_stated(self, body: bytes) -> None:
        """The bounds that a sheet states, which a reader may trust."""
        if len(body) >= 14:
            _, bottom, _, right = struct.unpack_from("<LLHH", body)
        else:
            _, bottom, _, right = struct.unpack_from("<HHHH", body)
        self._area.check(bottom, right)

    def _check_texts(self) -> None:
        """Cells may share a text, but each gets a copy: a long one that many share is a bomb."""
        if (
            sum(self._shared.values()) * min(sum(map(len, self._texts)), _LONGEST_TEXT)
            <= self._limits.unpacked_bytes
        ):
            return
        lengths = [length for length, _ in shared_texts(self._texts)]
        total = sum(
            count * (lengths[number] if number < len(lengths) else _LONGEST_TEXT)
            for number, count in self._shared.items()
        )
        if total > self._limits.unpacked_bytes:
            raise unpacks_too_far(self._name, self._limits.unpacked_bytes)


def _error(kind: int, body: bytes) -> str | None:
    """What a cell shows whose formula failed."""
    if kind in _FLAG_OR_ERROR and len(body) >= 8 and body[7] == 1:
        return _ERRORS.get(body[6], "#N/A")
    if kind in FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        return _ERRORS.get(body[8], "#N/A")
    return None


def _other(name: str, container: CompoundFile) -> UnreadableFile:
    """A compound file of another kind."""
    kinds = {
        "WordDocument": ("Word 文档", "a Word document"),
        "PowerPoint Document": ("演示文稿", "a presentation"),
    }
    zh, en = next(
        (kinds[key] for key in container.streams if key in kinds), ("别种文件", "some other document")
    )
    return unreadable(
        name,
        f"是{zh}，不是工作簿",
        f"is {en} and no workbook",
        "请把报表存为 .xlsx 或 CSV 后报送",
        "Save the report as .xlsx or CSV",
    )
