"""Workbooks (.xlsx, .xlsm) as tables of text and numbers, one per sheet.

Small sheets are read as values at once. A large one is read as columns when its rows are asked for, and only its
head as values; where the two could differ, it is read as values too.
"""

import io
import posixpath
import re
from dataclasses import dataclass, replace
from functools import partial

from defusedxml import ElementTree as SafeTree
from python_calamine import CalamineWorkbook

from ingestion.readers.blob import Blob
from ingestion.readers.cells import table_of
from ingestion.readers.compiled import guarded
from ingestion.readers.grid import Area
from ingestion.readers.large_sheet import LargeSheet, reduced
from ingestion.readers.limits import Limits
from ingestion.readers.number_formats import show_percents
from ingestion.readers.packages import Package
from ingestion.readers.raised import MARK, raised_in
from ingestion.readers.refusals import damaged, too_large, too_many, unpacks_too_far
from ingestion.readers.sheet_scan import Scan, parse_errors, scan
from ingestion.readers.styles import percent_styles
from ingestion.readers.table import Table

KIND = ("Excel 工作簿（.xlsx）", "a workbook")
LARGE = 1 << 20
"""Bytes of a sheet's XML from which on it is read as columns."""

_STRINGS = "xl/sharedStrings.xml"
_SHARED = re.compile(rb't="s"[^>]*>\s*<v>(\d{1,9})</v>')


@dataclass(frozen=True)
class _Sheet:
    name: str
    path: str
    scan: Scan
    large: bool


def read_workbook(blob: Blob, package: Package, limits: Limits) -> list[Table]:
    """Every worksheet that holds anything.

    Raises :class:`UnreadableFile` for a damaged or protected workbook, :class:`FileTooLarge` beyond the limits.
    """
    return guarded(blob.name, KIND, partial(_tables, blob, package, limits))


def _tables(blob: Blob, package: Package, limits: Limits) -> list[Table]:
    sheets, since_1904, has_raised = _sheets(package, limits)
    _check_strings(package, sheets, limits)
    replaced = {sheet.path: b"" for sheet in sheets if sheet.large}
    rich = [sheet.path for sheet in sheets if sheet.scan.has_raised]
    if has_raised:
        rich.append(_STRINGS)
    replaced |= {path: raised_in(package.read(path)) for path in rich}
    book: CalamineWorkbook | None = None
    tables: list[Table | None] = []
    for sheet in sheets:
        if sheet.large:
            tables.append(LargeSheet(blob, package, sheet.name, sheet.path, sheet.scan).table())
            continue
        if book is None:
            data = reduced(package, replaced) if replaced else blob.read()
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        tables.append(_small(book, package, sheet, limits))
    return [replace(table, since_1904=since_1904) for table in tables if table]


def _small(book: CalamineWorkbook, package: Package, sheet: _Sheet, limits: Limits) -> Table | None:
    source = book.get_sheet_by_name(sheet.name)
    rows = source.to_python(skip_empty_area=False)
    if not rows:
        return None
    errors = sheet.scan.errors
    if sheet.scan.has_errors:
        with package.open(sheet.path) as stream:
            errors = parse_errors(stream, name=package.name, limits=limits)
    for row, column, text in errors:
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    show_percents(rows, sheet.scan.percents)
    return table_of(sheet.name, rows, source.merged_cell_ranges or ())


def _sheets(package: Package, limits: Limits) -> tuple[list[_Sheet], bool, bool]:
    """The worksheets, with what each would cost; whether days count from 1904, and texts have raised characters.

    Every other member is unpacked once to see that it can be.
    """
    places, since_1904 = _places(package)
    if len(places) > limits.sheets:
        raise too_many(package.name, "工作表数", "sheets", limits.sheets)
    paths = {path for _, path in places}
    has_raised = False
    for member in package.members:
        if member not in paths:
            rest = b""
            for piece in package.pieces(member):
                if member == _STRINGS:
                    has_raised = has_raised or MARK in rest + piece
                    rest = piece[-len(MARK) :]
    area = Area(package.name, limits)
    percents = percent_styles(package)
    sheets = []
    for name, path in places:
        found = scan(partial(package.pieces, path), name=package.name, limits=limits, percents=percents)
        area.take(found.height, found.width)
        # Formula errors, flags among numbers, and formats of numbers are lost where columns are read.
        values = found.has_errors or found.has_flags or bool(found.percents) or found.head is None
        values = values or found.has_raised or has_raised
        large = package.members[path].file_size > LARGE and not values
        sheets.append(_Sheet(name, path, found, large))
    return sheets, since_1904, has_raised


def _places(package: Package) -> tuple[list[tuple[str, str]], bool]:
    """Name of each worksheet and its path in the package, and whether days count from 1904.

    Charts and macros are left out.
    """
    main = next(
        (
            _path("", target)
            for kind, _, target in _relations(package, "_rels/.rels")
            if kind == "officeDocument"
        ),
        "xl/workbook.xml",
    )
    folder, file = posixpath.split(main)
    related = {
        key: _path(folder, target)
        for kind, key, target in _relations(package, f"{folder}/_rels/{file}.rels")
        if kind == "worksheet"
    }
    book = SafeTree.fromstring(package.read(main), forbid_dtd=True)
    places = []
    since_1904 = False
    for sheet in book.iter():
        if sheet.tag.endswith("}workbookPr"):
            since_1904 = sheet.get("date1904") in ("1", "true", "on")
        path = related.get(next((value for key, value in sheet.items() if key.endswith("}id")), ""))
        if sheet.tag.endswith("}sheet") and path:
            if path not in package:
                raise damaged(package.name, *KIND, "a sheet is missing")
            places.append((sheet.get("name") or "", path))
    if not related:
        raise damaged(package.name, *KIND, "it names no sheet")
    return places, since_1904


def _relations(package: Package, member: str) -> list[tuple[str, str, str]]:
    """Kind, key and target of the relations that a member lists."""
    if member not in package:
        return []
    return [
        ((item.get("Type") or "").rpartition("/")[2], item.get("Id") or "", item.get("Target") or "")
        for item in SafeTree.fromstring(package.read(member), forbid_dtd=True)
    ]


def _path(folder: str, target: str) -> str:
    return (
        target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    )


def _check_strings(package: Package, sheets: list[_Sheet], limits: Limits) -> None:
    """Cells may share a text, but each gets a copy: a long one that many share is a bomb."""
    area = sum(sheet.scan.height * sheet.scan.width for sheet in sheets)
    if _STRINGS not in package or area * package.members[_STRINGS].file_size <= limits.unpacked_bytes:
        return
    if package.members[_STRINGS].file_size > limits.document_bytes:
        raise too_large(
            package.name,
            f"的文字内容超过{limits.document_bytes >> 20} MB",
            f"holds more than {limits.document_bytes >> 20} MiB of text",
            "请拆成几个文件后报送",
            "Split it into several files",
        )
    lengths = [len(text) for text in package.read(_STRINGS).split(b"</si>")]
    if area * max(lengths) <= limits.unpacked_bytes:
        return
    total = 0
    for sheet in sheets:
        rest = b""
        for piece in package.pieces(sheet.path):
            rest += piece
            cut = rest.rfind(b"</c>") + 4
            if cut < 4:
                continue
            total += sum(lengths[int(n)] for n in _SHARED.findall(rest[:cut]) if int(n) < len(lengths))
            rest = rest[cut:]
            if total > limits.unpacked_bytes:
                raise unpacks_too_far(package.name, limits.unpacked_bytes)
