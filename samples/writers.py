"""Tables written as the files that bureaus receive, byte for byte the same each time."""

import csv
import io
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

Cell = int | str | Decimal | None
Row = Sequence[Cell]

# The oldest time a zip entry can carry: openpyxl would write the moment of saving.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
FIXED_CREATION = datetime(2015, 1, 1)  # noqa: DTZ001 - office documents carry no zone


@dataclass(frozen=True)
class Table:
    """One sheet: title rows, one or two header rows, records, footer rows."""

    columns: Sequence[str]
    rows: Sequence[Row]
    sections: Sequence[str | None] | None = None
    """First header row, one per column; equal neighbours are merged, None merges with the label below."""
    titles: Sequence[str] = ()
    footers: Sequence[str] = ()
    name: str = "Sheet1"


@dataclass(frozen=True)
class Delivery:
    """One file as it lies in an inbox: where, what, and when it came."""

    path: str
    content: bytes = field(repr=False)
    received_at: datetime


def as_csv(table: Table, *, encoding: str) -> bytes:
    """The table as CSV with CRLF line ends, as spreadsheet programs save it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([title] for title in table.titles)
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    writer.writerows([footer] for footer in table.footers)
    return buffer.getvalue().encode(encoding)


def as_xlsx(*tables: Table) -> bytes:
    """The tables as sheets of one workbook."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    workbook.properties.creator = "constructed sample"
    workbook.properties.created = FIXED_CREATION
    for table in tables:
        _fill(workbook.create_sheet(table.name), table)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return _with_fixed_times(buffer.getvalue())


def put(delivery: Delivery, folder: Path) -> Path:
    """Write the file below the folder; its modification time is the time of its arrival."""
    target = folder / delivery.path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.write_bytes(delivery.content)
    moment = delivery.received_at.timestamp()
    os.utime(partial, (moment, moment))
    partial.replace(target)
    return target


def _fill(sheet: Worksheet, table: Table) -> None:
    width = len(table.columns)
    for title in table.titles:
        sheet.append([title])
        row = sheet.max_row
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=width)
        sheet.cell(row, 1).font = Font(bold=True)
        sheet.cell(row, 1).alignment = Alignment(horizontal="center")
    if table.sections is not None:
        _head(sheet, table.sections, table.columns)
    else:
        sheet.append(list(table.columns))
    for record in table.rows:
        sheet.append([float(cell) if isinstance(cell, Decimal) else cell for cell in record])
    for footer in table.footers:
        sheet.append([footer])
    for column in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(column)].width = 24 if column <= 2 else 14


def _head(sheet: Worksheet, sections: Sequence[str | None], columns: Sequence[str]) -> None:
    """Two header rows: sections merged over their columns, and columns without a section merged downwards."""
    top = sheet.max_row + 1
    start = 0
    while start < len(columns):
        end = start
        section = sections[start]
        while section is not None and end + 1 < len(columns) and sections[end + 1] == section:
            end += 1
        if section is None:
            sheet.cell(top, start + 1, columns[start])
            sheet.merge_cells(start_row=top, end_row=top + 1, start_column=start + 1, end_column=start + 1)
        else:
            sheet.cell(top, start + 1, section)
            if end > start:
                sheet.merge_cells(start_row=top, end_row=top, start_column=start + 1, end_column=end + 1)
            for column in range(start, end + 1):
                # A label may carry its section ("死亡数 > 男"), which the row above says already.
                sheet.cell(top + 1, column + 1, columns[column].rpartition(" > ")[2])
        start = end + 1


def _with_fixed_times(workbook: bytes) -> bytes:
    """The workbook without the times of its making, stored uncompressed so that no zlib version shows."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2015-01-01T00:00:00Z", content)
            target.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)
    return buffer.getvalue()
