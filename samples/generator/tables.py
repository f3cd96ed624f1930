"""Tables as files of the formats that bureaus send; the same bytes each time."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from samples.generator.world import InvalidWorld
from samples.writers import ZIP_EPOCH

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True)
class Sheet:
    """Title rows, a header of one row or (with sections) of two, and records."""

    columns: Sequence[str]
    rows: pl.DataFrame
    sections: Sequence[str | None] | None = None
    titles: Sequence[str] = ()
    name: str = "Sheet1"


def as_csv(sheet: Sheet, encoding: str) -> bytes:
    """Title rows, one header row, records; CRLF as spreadsheet programs save it."""
    buffer = io.StringIO(newline="")
    for title in sheet.titles:
        buffer.write(f"{title}\r\n")
    body = sheet.rows.rename(dict(zip(sheet.rows.columns, sheet.columns, strict=True)))
    return (buffer.getvalue() + body.write_csv(line_terminator="\r\n")).encode(encoding)


def as_zip(members: dict[str, bytes]) -> bytes:
    """An archive, its members stored as they are so that no version of zlib shows."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)
    return buffer.getvalue()


def as_parquet(sheet: Sheet) -> bytes:
    """The records under their labels; a Parquet file has no titles."""
    buffer = io.BytesIO()
    sheet.rows.rename(dict(zip(sheet.rows.columns, sheet.columns, strict=True))).write_parquet(
        buffer, compression="zstd", compression_level=1
    )
    return buffer.getvalue()


def as_xls(sheet: Sheet) -> bytes:
    """A workbook of Excel 97 to 2003; raises :class:`InvalidWorld` where the package that writes them is missing."""
    try:
        # Only who generates old workbooks needs it.
        xlwt: Any = import_module("xlwt")
    except ImportError as error:
        raise InvalidWorld(
            "Old workbooks (.xls) need the package xlwt.",
            mend="Install it, or ask for --format csv or --format parquet.",
        ) from error
    workbook = xlwt.Workbook(encoding="utf-8")
    page = workbook.add_sheet(sheet.name)
    top = 0
    for title in sheet.titles:
        page.write(top, 0, title)
        top += 1
    for column, label in enumerate(sheet.columns):
        page.write(top, column, label)
    for number, row in enumerate(sheet.rows.iter_rows(), start=top + 1):
        for column, value in enumerate(row):
            if value is not None:
                page.write(number, column, value)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def as_xlsx(sheet: Sheet) -> bytes:
    """A workbook of one sheet, its cells put together column by column: a million take seconds."""
    width = len(sheet.columns)
    letters = [_letters(number) for number in range(width)]
    merged: list[str] = []
    lines: list[str] = []
    for title in sheet.titles:
        lines.append(_row(len(lines) + 1, [(letters[0], title)]))
        merged.append(f"A{len(lines)}:{letters[-1]}{len(lines)}")
    lines += _header(sheet, letters, len(lines) + 1, merged)
    body = _body(sheet.rows, letters, len(lines) + 1)
    cells = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
    merges = f'<mergeCells count="{len(merged)}">{cells}</mergeCells>' if merged else ""
    content = (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}{body}</sheetData>{merges}</worksheet>'
    )
    return as_zip(
        {
            "[Content_Types].xml": (
                f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
                ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml"'
                ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
                '<Override PartName="/xl/worksheets/sheet1.xml"'
                ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
            ).encode(),
            "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": (
                f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
                f'<sheet name="{escape(sheet.name)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": content.encode(),
        }
    )


def _relation(kind: str, target: str) -> bytes:
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/{kind}" Target="{target}"/></Relationships>'
    ).encode()


def _header(sheet: Sheet, letters: Sequence[str], top: int, merged: list[str]) -> list[str]:
    """One row of labels; with sections a row of them above, merged over their columns."""
    if sheet.sections is None:
        return [_row(top, list(zip(letters, sheet.columns, strict=True)))]
    first: list[tuple[str, str]] = []
    second: list[tuple[str, str]] = []
    start = 0
    while start < len(sheet.columns):
        section = sheet.sections[start]
        end = start
        while section is not None and end + 1 < len(letters) and sheet.sections[end + 1] == section:
            end += 1
        if section is None:
            first.append((letters[start], sheet.columns[start]))
            merged.append(f"{letters[start]}{top}:{letters[start]}{top + 1}")
        else:
            first.append((letters[start], section))
            if end > start:
                merged.append(f"{letters[start]}{top}:{letters[end]}{top}")
            # A label may carry its section ("死亡数 > 男"), which the row above says already.
            second += [(letters[i], sheet.columns[i].rpartition(" > ")[2]) for i in range(start, end + 1)]
        start = end + 1
    return [_row(top, first), _row(top + 1, second)]


def _row(number: int, cells: Sequence[tuple[str, str]]) -> str:
    texts = "".join(
        f'<c r="{letter}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' for letter, text in cells
    )
    return f'<row r="{number}">{texts}</row>'


def _body(rows: pl.DataFrame, letters: Sequence[str], top: int) -> str:
    number = pl.col("row_number").cast(pl.String)
    cells = []
    for letter, (name, dtype) in zip(letters, rows.schema.items(), strict=True):
        column = pl.col(name)
        if dtype == pl.String:
            safe = column.str.replace_all("&", "&amp;", literal=True).str.replace_all(
                "<", "&lt;", literal=True
            )
            cell = pl.format('<c r="{}{}" t="inlineStr"><is><t>{}</t></is></c>', pl.lit(letter), number, safe)
        else:
            cell = pl.format('<c r="{}{}"><v>{}</v></c>', pl.lit(letter), number, column)
        cells.append(cell.fill_null(""))
    lines = rows.with_row_index("row_number", top).select(
        line=pl.concat_str([pl.format('<row r="{}">', number), *cells, pl.lit("</row>")])
    )
    return "".join(lines["line"].to_list())


def _letters(number: int) -> str:
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text
