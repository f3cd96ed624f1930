"""A large worksheet: its head as values, its rows as columns."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl
from python_calamine import CalamineWorkbook

from ingestion.findings import column_name
from ingestion.readers.blob import Blob
from ingestion.readers.cells import cell_text, clean, frame_of, merges_down, merges_within
from ingestion.readers.compiled import guarded
from ingestion.readers.number_formats import shows_date
from ingestion.readers.packages import Package
from ingestion.readers.sheet_columns import divided, read_columns
from ingestion.readers.sheet_scan import Scan
from ingestion.readers.styles import STYLES
from ingestion.readers.table import HEAD_ROWS, Remembered, Table

_KIND = ("Excel 工作簿（.xlsx）", "a workbook")
_NO_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
)
_STRINGS = "xl/sharedStrings.xml"
# Numbers of the built-in formats that show days or times.
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_FORMAT_USED = re.compile(rb'<xf [^>]*?numFmtId="(\d+)"')
_FORMAT_CODE = re.compile(r'formatCode="([^"]*)"')
_MOMENT = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_NUMBER = r"^-?\d+\.?\d*$"
_FIRST_SOUND_YEAR = 1901


def reduced(package: Package, replaced: Mapping[str, bytes]) -> bytes:
    """The workbook with some of its sheets replaced, unpacked so that it costs little to make and to read."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for member in package.members:
            if member in replaced:
                archive.writestr(member, replaced[member] or _NO_SHEET)
            elif member.endswith((".xml", ".rels")):
                archive.writestr(member, package.read(member))
    return target.getvalue()


class LargeSheet:
    """A sheet of plain XML without formula errors, flags and percentages, whose bounds are known."""

    def __init__(self, blob: Blob, package: Package, sheet: str, path: str, scan: Scan) -> None:
        self._blob = blob
        self._package = package
        self._sheet = sheet
        self._path = path
        self._scan = scan
        self._rows: list[list[Any]] | None = None

    def table(self) -> Table:
        """The table, whose rows are read when they are asked for."""
        head = reduced(self._package, {**self._others(), self._path: self._scan.head or b""})
        book = CalamineWorkbook.from_filelike(io.BytesIO(head))
        values = book.get_sheet_by_name(self._sheet).to_python(skip_empty_area=False)
        width = self._scan.width
        top = [
            [cell_text(value) for value in row] + [None] * (width - len(row)) for row in values[:HEAD_ROWS]
        ]
        merges = self._scan.merges
        return Table(
            self._sheet,
            top,
            Remembered(self._rows_below),
            merges_within(merges, len(top), width),
            down=merges_down(merges, self._scan.height, width),
        )

    def _rows_below(self, first: int) -> pl.DataFrame:
        return guarded(self._blob.name, _KIND, partial(self._read, first))

    def _read(self, first: int) -> pl.DataFrame:
        columns = read_columns(self._books(), self._sheet, first)
        if columns is None or self._is_doubtful(columns):
            return self._as_values(first)
        height = max((len(column) for column in columns.values()), default=0)
        blank = pl.Series("", [None], dtype=pl.String).new_from_index(0, height)
        return pl.DataFrame(
            [_column(columns.get(index, blank)).alias(f"c{index}") for index in range(self._scan.width)]
        )

    def _books(self) -> list[Callable[[], bytes | str]]:
        """What makes the workbook, or where its rows can be divided, a workbook of each part of them."""
        strings = self._package.members[_STRINGS].file_size if _STRINGS in self._package else 0
        pieces = divided(self._scan.parts, strings) if self._scan.parts else None
        if pieces is None:
            return [lambda: self._blob.read() if self._blob.path is None else str(self._blob.path)]
        others = self._others()
        return [partial(reduced, self._package, {**others, self._path: piece}) for piece in pieces]

    def _others(self) -> dict[str, bytes]:
        """All sheets, empty."""
        return {
            member: b""
            for member in self._package.members
            if member.startswith("xl/worksheets/") and "/_rels/" not in member
        }

    def _is_doubtful(self, columns: Mapping[int, pl.Series]) -> bool:
        """Whether values of several kinds may have become text in another way than elsewhere.

        Numbers among texts lose digits, and days among them become moments.
        """
        texts = {index: column for index, column in columns.items() if column.dtype == pl.String}
        others = [column for index, column in columns.items() if index not in texts]
        if any(column.dtype == pl.Duration for column in others):
            return True
        if any(
            (column.dt.year() < _FIRST_SOUND_YEAR).any() for column in others if column.dtype.is_temporal()
        ):
            return True
        if any(column.str.contains(_MOMENT).any() for column in texts.values()) and self._has_dates():
            return True
        like_numbers = [index for index, column in texts.items() if column.str.contains(_NUMBER).any()]
        return bool(like_numbers) and self._shows(_number_in(like_numbers))

    def _shows(self, pattern: re.Pattern[bytes]) -> bool:
        rest = b""
        for piece in self._scan.parts or self._package.pieces(self._path):
            if pattern.search(rest + piece):
                return True
            rest = piece[-200:]
        return False

    def _has_dates(self) -> bool:
        """Whether any cell may be shown as a day or a time."""
        if STYLES not in self._package:
            return False
        styles = self._package.read(STYLES)
        codes = _FORMAT_CODE.findall(styles.decode(errors="replace"))
        used = {int(number) for number in _FORMAT_USED.findall(styles)}
        return bool(used & _DATE_FORMATS) or any(map(shows_date, codes)) or any("h" in code for code in codes)

    def _as_values(self, first: int) -> pl.DataFrame:
        """The rows read as values, cell by cell."""
        if self._rows is None:
            book = CalamineWorkbook.from_filelike(io.BytesIO(self._blob.read()))
            rows: list[list[Any]] = [*book.get_sheet_by_name(self._sheet).to_python(skip_empty_area=False)]
            for row in rows:
                row.extend([""] * (self._scan.width - len(row)))
            self._rows = rows
        return frame_of(self._rows, first)


def _number_in(columns: Sequence[int]) -> re.Pattern[bytes]:
    """A number in one of some columns."""
    letters = "|".join(column_name(index + 1) for index in columns)
    return re.compile(
        rf'<c r="(?:{letters})\d+"(?![^>]*\bt="(?:s|str|inlineStr|b|e)")[^>]*>\s*<[vf]>'.encode()
    )


def _column(column: pl.Series) -> pl.Series:
    """A typed column as numbers or text."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64)
    if column.dtype == pl.Boolean:
        return column.cast(pl.String).str.to_uppercase()
    if column.dtype == pl.Date:
        return column.cast(pl.String)
    if column.dtype == pl.Datetime:
        text = column.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.strip_suffix(".000000")
        return text.str.strip_suffix(" 00:00:00")
    return clean(column.cast(pl.String))
