"""Workbooks (.xlsx, .xlsm) as tables of text and numbers, one per sheet."""

import datetime as dt
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from xml.etree import ElementTree

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

from ingestion.errors import UnreadableFile
from ingestion.readers.table import HEAD_ROWS, Table, number_text

MAX_UNPACKED = 2 << 30
_ERROR_CELL = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})([0-9]+)"[^>]*>.*?<v>([^<]*)</v>', re.DOTALL
)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# What the archive, its XML and the reader of cells raise over broken content.
_DAMAGE = (
    CalamineError,
    ElementTree.ParseError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

Errors = dict[str, list[tuple[int, int, str]]]


def read_workbook(data: bytes, name: str) -> list[Table]:
    """Every worksheet that holds anything."""
    try:
        return _tables(data, name)
    except PasswordError as error:
        raise UnreadableFile(
            f"{name} is protected by a password.",
            message_zh=f"工作簿“{name}”有打开密码，无法读取；请取消密码后重新报送。",
            mend="Send it without a password.",
            file=name,
        ) from error
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    except BaseException as error:
        # A panic inside the reader's compiled code is no Exception; to us it is a damaged file too.
        if type(error).__name__ == "PanicException":
            raise _damaged(name, error) from error
        raise


def _tables(data: bytes, name: str) -> list[Table]:
    errors = _error_cells(data, name)
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    tables = []
    for sheet in workbook.sheets_metadata:
        if sheet.typ != SheetTypeEnum.WorkSheet:
            continue
        source = workbook.get_sheet_by_name(sheet.name)
        rows = source.to_python(skip_empty_area=False)
        for row, column, text in errors.get(sheet.name, ()):
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = text
        if rows:
            top = [[_cell(value) for value in row] for row in rows[:HEAD_ROWS]]
            merges = tuple(source.merged_cell_ranges or ())
            tables.append(Table(sheet.name, top, partial(_frame, rows), merges))
    return tables


def _damaged(name: str, error: BaseException) -> UnreadableFile:
    return UnreadableFile(
        f"{name} is no workbook that can be read: {error}.",
        message_zh=f"工作簿“{name}”已损坏或不是 .xlsx 格式，无法读取；请用 Excel 打开后另存为 .xlsx 再报送。",
        mend="Open it, save it again as .xlsx and send that.",
        file=name,
    )


def _frame(rows: Sequence[Sequence[object]], first: int) -> pl.DataFrame:
    """The rows from one on, column by column."""
    width = len(rows[0])
    columns = zip(*rows[first:], strict=True) if len(rows) > first else ((),) * width
    return pl.DataFrame([_column(f"c{index}", values) for index, values in enumerate(columns)])


def _column(name: str, values: tuple[object, ...]) -> pl.Series:
    """A column as numbers when it holds nothing else, or as text."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return pl.Series(name, [value or None for value in values], dtype=pl.String)
    if kinds <= {float, int, str}:
        blanks = [None if value == "" else value for value in values] if str in kinds else values
        if str not in kinds or str not in set(map(type, blanks)):
            return pl.Series(name, blanks, dtype=pl.Float64)
    return pl.Series(name, [_cell(value) for value in values], dtype=pl.String)


def _cell(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(float(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if value is None else str(value)


def _error_cells(data: bytes, name: str) -> Errors:
    """Cells with a formula error, which the reader of values shows as blank."""
    found: Errors = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED:
            raise UnreadableFile(
                f"{name} unpacks to more than {MAX_UNPACKED >> 30} GiB.",
                message_zh=f"工作簿“{name}”展开后过大，无法读取；请删除多余的空行空列后重新报送。",
                mend="Delete surplus blank rows and columns.",
                file=name,
            )
        paths = None
        for item in archive.namelist():
            if not item.startswith("xl/worksheets/") or not item.endswith(".xml"):
                continue
            content = archive.read(item)
            if b't="e"' not in content:
                continue
            paths = paths or _sheet_names(archive)
            found[paths.get(item, "")] = [
                (int(row) - 1, _column_number(letters), text.decode())
                for letters, row, text in _ERROR_CELL.findall(content)
            ]
    return found


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Names of the sheets by their path in the archive."""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - expat guards
    targets = {item.get("Id"): (item.get("Target") or "").lstrip("/") for item in relations}
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    names = {}
    for sheet in book.iter():
        if sheet.tag.endswith("}sheet"):
            target = targets.get(sheet.get(_RELATION), "") or ""
            names[target if target.startswith("xl/") else f"xl/{target}"] = sheet.get("name") or ""
    return names


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
