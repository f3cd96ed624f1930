"""Writers of small tables in every format that the readers take, each with a library or rules of its own."""

import bz2
import csv
import datetime as dt
import gzip
import html
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape, quoteattr

import odf.opendocument
import odf.table
import odf.text
import openpyxl
import polars as pl
import xlwt

from ingestion.readers.cells import cell_text

Cell = str | int | float | bool | dt.date | dt.datetime | None
Rows = Sequence[Sequence[Cell]]


def xlsx(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    return _saved(book)


def xlsx_inline(rows: Rows) -> bytes:
    """Written row by row: texts stand in the cells, and the sheet does not say how large it is."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("数据")
    for row in rows:
        sheet.append(list(row))
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xls(rows: Rows) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("数据")
    day, moment = xlwt.easyxf(num_format_str="yyyy-mm-dd"), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, dt.datetime):
                sheet.write(i, j, value, moment)
            elif isinstance(value, dt.date):
                sheet.write(i, j, value, day)
            elif value is not None:
                sheet.write(i, j, value)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def ods(rows: Rows) -> bytes:
    document = odf.opendocument.OpenDocumentSpreadsheet()
    sheet = odf.table.Table(name="数据")
    for row in rows:
        line = odf.table.TableRow()
        for value in row:
            line.addElement(_ods_cell(value))
        sheet.addElement(line)
    document.spreadsheet.addElement(sheet)
    target = io.BytesIO()
    document.write(target)
    return target.getvalue()


def _ods_cell(value: Cell) -> odf.table.TableCell:
    if value is None:
        return odf.table.TableCell()
    if isinstance(value, bool):
        cell = odf.table.TableCell(valuetype="boolean", booleanvalue="true" if value else "false")
    elif isinstance(value, int | float):
        cell = odf.table.TableCell(valuetype="float", value=repr(value))
    elif isinstance(value, dt.date):
        cell = odf.table.TableCell(valuetype="date", datevalue=value.isoformat())
    else:
        cell = odf.table.TableCell(valuetype="string")
    for line in str(value).split("\n"):
        cell.addElement(odf.text.P(text=line))
    return cell


def spreadsheetml(rows: Rows, *, encoding: str = "utf-8", sheets: Sequence[str] = ("数据",)) -> bytes:
    """Blank cells are left out, so that those behind them say where they stand."""
    lines = [
        f'<?xml version="1.0" encoding="{encoding}"?>',
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
        ' xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">',
    ]
    for name in sheets:
        lines.append(f"<Worksheet ss:Name={quoteattr(name)}><Table>")
        for row in rows:
            cells, skipped = [], False
            for number, value in enumerate(row, start=1):
                if value is None:
                    skipped = True
                    continue
                place = f' ss:Index="{number}"' if skipped else ""
                skipped = False
                cells.append(f"<Cell{place}>{_xml_data(value)}</Cell>")
            lines.append(f"<Row>{''.join(cells)}</Row>")
        lines.append("</Table></Worksheet>")
    return "\n".join([*lines, "</Workbook>"]).encode(encoding)


def _xml_data(value: Cell) -> str:
    if isinstance(value, bool):
        return f'<Data ss:Type="Boolean">{int(value)}</Data>'
    if isinstance(value, int | float):
        return f'<Data ss:Type="Number">{value!r}</Data>'
    if isinstance(value, dt.datetime):
        return f'<Data ss:Type="DateTime">{value:%Y-%m-%dT%H:%M:%S}.000</Data>'
    if isinstance(value, dt.date):
        return f'<Data ss:Type="DateTime">{value:%Y-%m-%d}T00:00:00.000</Data>'
    return f'<Data ss:Type="String">{escape(str(value))}</Data>'


def html_page(rows: Rows, *, encoding: str = "utf-8") -> bytes:
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell_text(value) or '')}</td>" for value in row) + "</tr>"
        for row in rows
    ]
    return f"<html><body><table>{''.join(lines)}</table></body></html>".encode(encoding)


def delimited(encoding: str, delimiter: str = ",") -> Callable[[Rows], bytes]:
    def write(rows: Rows) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter).writerows(
            [[cell_text(value) or "" for value in row] for row in rows]
        )
        return text.getvalue().encode(encoding)

    return write


def _plain(value: Cell) -> object:
    return (
        value.isoformat(" ")
        if isinstance(value, dt.datetime)
        else (value.isoformat() if isinstance(value, dt.date) else value)
    )


def json_rows(rows: Rows) -> bytes:
    return json.dumps([[_plain(value) for value in row] for row in rows], ensure_ascii=False).encode()


def json_columns(rows: Rows) -> bytes:
    names, *body = [[_plain(value) for value in row] for row in rows]
    return json.dumps({"columns": names, "rows": body}, ensure_ascii=False, indent=1).encode()


def json_objects(rows: Rows) -> bytes:
    names, *body = [[_plain(value) for value in row] for row in rows]
    return json.dumps([dict(zip(names, row, strict=True)) for row in body], ensure_ascii=False).encode()


def json_one_array(rows: Rows) -> bytes:
    return json.dumps({"记录": json.loads(json_objects(rows))}, ensure_ascii=False).encode("gb18030")


def ndjson(rows: Rows) -> bytes:
    return b"\n".join(json.dumps(row, ensure_ascii=False).encode() for row in json.loads(json_objects(rows)))


def xml_children(rows: Rows) -> bytes:
    """Names may hold what no element's name may, so each field carries its name as an attribute."""
    names, *body = rows
    records = "".join(
        "<record>"
        + "".join(
            f"<field name={quoteattr(str(name))}>{escape(cell_text(value) or '')}</field>"
            for name, value in zip(names, row, strict=True)
        )
        + "</record>"
        for row in body
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><report>{records}</report>'.encode()


def parquet(rows: Rows) -> bytes:
    """Each column has the type of its values, text where they are of several."""
    names, *body = rows
    columns = []
    for name, values in zip(names, zip(*body, strict=True), strict=True):
        kinds = {type(value) for value in values} - {type(None)}
        one = kinds.pop() if len(kinds) == 1 else None
        whole = [value if one else cell_text(value) for value in values]
        columns.append(pl.Series(str(name), whole, dtype=None if one else pl.String, strict=False))
    target = io.BytesIO()
    pl.DataFrame(columns).write_parquet(target)
    return target.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


SHEETS: dict[str, Callable[[Rows], bytes]] = {
    "xlsx": xlsx,
    "xlsx written row by row": xlsx_inline,
    "xls": xls,
    "ods": ods,
    "spreadsheetml": spreadsheetml,
    "spreadsheetml in gb18030": lambda rows: spreadsheetml(rows, encoding="gb18030"),
    "spreadsheetml in utf-16": lambda rows: spreadsheetml(rows, encoding="utf-16"),
    "html": html_page,
    "html in gb18030": lambda rows: html_page(rows, encoding="gb18030"),
    "csv": delimited("utf-8"),
    "csv with a mark": delimited("utf-8-sig"),
    "csv in gb18030": delimited("gb18030"),
    "csv in utf-16": delimited("utf-16"),
    "csv in utf-16 without a mark": delimited("utf-16-le"),
    "csv in big-endian utf-16 without a mark": delimited("utf-16-be"),
    "json in utf-16 without a mark": lambda rows: json_objects(rows).decode().encode("utf-16-le"),
    "tsv": delimited("utf-8", "\t"),
    "json rows": json_rows,
    "json columns and rows": json_columns,
    "xlsx in a zip": lambda rows: zipped({"月报.xlsx": xlsx(rows)}),
    "csv in a tar.gz": lambda rows: tarred({"月报.csv": delimited("gb18030")(rows)}),
    "xls in a tar.xz": lambda rows: tarred({"月报.xls": xls(rows)}, "w:xz"),
    "xml workbook in gzip": lambda rows: gzip.compress(spreadsheetml(rows)),
    "csv in bzip2": lambda rows: bz2.compress(delimited("utf-8")(rows)),
    "json in xz": lambda rows: lzma.compress(json_rows(rows)),
}
"""Formats that hold any cells anywhere."""

RECORDS: dict[str, Callable[[Rows], bytes]] = {
    "json objects": json_objects,
    "json object with one array": json_one_array,
    "ndjson": ndjson,
    "xml": xml_children,
    "parquet": parquet,
}
"""Formats whose first row names the columns, each once."""

FORMATS = {**SHEETS, **RECORDS}
