"""Files made to hurt, each with the rule that its sender should read."""

import gzip
import io
import json
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable

import xlwt
from xlwt.CompoundDoc import XlsDoc

from tests.unit.ingestion.readers.writers import ods, spreadsheetml, tarred, xls, xlsx, zipped

UNREADABLE, TOO_LARGE = "FILE_UNREADABLE", "FILE_TOO_LARGE"
ROWS = [["机构名称", "数"], ["甲", 1]]
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


def edited(package: bytes, **changes: Callable[[bytes], bytes]) -> bytes:
    """A zip package with members changed, found by the end of their name without its extension."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for member in source.namelist():
            stem = member.rpartition("/")[2].partition(".")[0]
            change = changes.get(stem, lambda content: content)
            archive.writestr(member, change(source.read(member)))
    return target.getvalue()


def with_cells(cells: str) -> bytes:
    """A workbook whose first sheet holds nothing but these rows, given as XML."""
    return edited(
        xlsx(ROWS),
        sheet1=lambda content: re.sub(
            rb"<sheetData>.*</sheetData>", f"<sheetData>{cells}</sheetData>".encode(), content
        ),
    )


def corners() -> bytes:
    return with_cells(
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )


def corners_in_strange_xml() -> bytes:
    """The same in a way that only a parser understands."""
    return with_cells(
        "<row r='1'><c r = 'A1'><v>1</v></c></row><row r='1048576'><c r='&#88;FD1048576'><v>1</v></c></row>"
    )


def shared_text() -> bytes:
    """One long text that many cells share."""
    text = "长" * 30_000
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 20_001))
    shared = io.BytesIO(with_cells(cells))
    with zipfile.ZipFile(shared, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f"<si><t>{text}</t></si></sst>",
        )
    return shared.getvalue()


def blank_sheets() -> bytes:
    """More blank XML than any workbook should unpack to."""
    blank = b"<row/>" * (12 << 20)
    return edited(xlsx(ROWS), sheet1=lambda content: content.replace(b"<sheetData>", b"<sheetData>" + blank))


def lying_size() -> bytes:
    """A member that the directory calls small."""
    data = bytearray(zipped({"a.csv": b"a,b\n" * 500_000}))
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, place + 24, 100)
    return bytes(data)


def overlapping() -> bytes:
    """Two members of the directory that are the same bytes."""
    data = zipped({"a.csv": b"a,b\n1,2\n"})
    start, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entry = data[start:end]
    ending = bytearray(data[end:])
    struct.pack_into("<HHL", ending, 8, 2, 2, 2 * len(entry))
    return data[:start] + entry + entry.replace(b"a.csv", b"b.csv") + bytes(ending)


def encrypted_zip() -> bytes:
    data = bytearray(zipped({"a.csv": b"a,b\n1,2\n"}))
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def compound(stream: bytes, name: str = "Workbook") -> bytes:
    """A compound file with one stream."""
    target = io.BytesIO()
    XlsDoc().save(target, stream)
    old = "Workbook".encode("utf-16-le")
    new = name.encode("utf-16-le")
    data = target.getvalue()
    place = data.index(old)
    return data[:place] + new.ljust(64, b"\0") + struct.pack("<H", len(new) + 2) + data[place + 66 :]


def old_workbook(write: Callable[[xlwt.Worksheet], None]) -> bytes:
    """The records of an old workbook."""
    book = xlwt.Workbook()
    write(book.add_sheet("a"))
    return bytes(book.get_biff_data())


def with_password() -> bytes:
    records = old_workbook(lambda sheet: sheet.write(0, 0, 1))
    start = 4 + struct.unpack_from("<H", records, 2)[0]
    return compound(records[:start] + struct.pack("<HHHHH", 0x2F, 6, 1, 7, 9) + records[start:])


def looping_sectors() -> bytes:
    """A workbook whose sectors go round in a circle."""
    data = bytearray(xls([["文" * 50] * 30 for _ in range(30)]))
    (table,) = struct.unpack_from("<L", data, 76)
    place = 512 + table * 512
    words = list(struct.unpack_from("<128L", data, place))
    for number, word in enumerate(words):
        if word < 0xFFFFFFF0 and word == number + 1:
            words[number + 1] = number
            break
    struct.pack_into("<128L", data, place, *words)
    return bytes(data)


def far_old_cells() -> bytes:
    """A number in a row and a column that no old workbook has."""
    records = bytearray(old_workbook(lambda sheet: sheet.write(0, 0, 1.5)))
    place = records.index(struct.pack("<HH", 0x27E, 10))
    struct.pack_into("<HH", records, place + 4, 65_535, 60_000)
    return compound(bytes(records))


def repeated_cells() -> bytes:
    def repeat(content: bytes) -> bytes:
        content = content.replace(
            b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1000000">'
        )
        return content.replace(
            b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="1000" '
        )

    return edited(ods(ROWS), content=repeat)


def entities_in_workbook() -> bytes:
    return edited(
        xlsx(ROWS), workbook=lambda content: LAUGHS.encode() + content.partition(b"?>")[2].strip() or content
    )


def zipped_thrice() -> bytes:
    return zipped({"1.zip": zipped({"2.zip": zipped({"3.csv": b"a,b\n1,2\n"})})})


def big_zip() -> bytes:
    return zipped({"a.csv": b"\0" * (80 << 20)})


def many_big_zips() -> bytes:
    inner = zipped({"a.csv": b"1,2\n" * (4 << 20)})
    return zipped({f"{n}.zip": inner for n in range(80)})


def _xml(*parts: str) -> bytes:
    return "".join(['<?xml version="1.0"?>', *parts]).encode()


def links() -> bytes:

    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(f"{number}.csv")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    return target.getvalue()


def long_line() -> bytes:
    """A text whose first lines are in order, and whose last has millions of columns."""
    return b"a,b\n" * 20_000 + b"1," * (6 << 20)


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "two corners of a sheet": (corners, TOO_LARGE),
    "two corners in strange XML": (corners_in_strange_xml, TOO_LARGE),
    "a sheet of 16,384 columns": (
        lambda: with_cells('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'),
        TOO_LARGE,
    ),
    "a text that many cells share": (shared_text, TOO_LARGE),
    "blank rows without end": (blank_sheets, TOO_LARGE),
    "a zip that is a bomb": (big_zip, TOO_LARGE),
    "zips that together are a bomb": (many_big_zips, TOO_LARGE),
    "a gzip that is a bomb": (lambda: gzip.compress(b"\0" * (80 << 20)), TOO_LARGE),
    "a zip in a zip in a zip": (zipped_thrice, UNREADABLE),
    "a member that lies about its size": (lying_size, UNREADABLE),
    "members that overlap": (overlapping, UNREADABLE),
    "a zip with a password": (encrypted_zip, UNREADABLE),
    "a workbook with a password": (lambda: compound(b"\0" * 5000, "EncryptedPackage"), UNREADABLE),
    "an old workbook with a password": (with_password, UNREADABLE),
    "sectors in a circle": (looping_sectors, UNREADABLE),
    "an old workbook with far cells": (far_old_cells, TOO_LARGE),
    "ODS cells that repeat": (repeated_cells, TOO_LARGE),
    "laughs in XML": (lambda: _xml(LAUGHS, '<a><b x="1">&c;</b></a>'), UNREADABLE),
    "another file in XML": (lambda: _xml(OUTSIDE, "<a>&x;</a>"), UNREADABLE),
    "laughs in a workbook": (entities_in_workbook, UNREADABLE),
    "laughs in an XML workbook": (
        lambda: spreadsheetml(ROWS).replace(b"<Workbook", LAUGHS.encode() + b"<Workbook"),
        UNREADABLE,
    ),
    "XML that nests": (lambda: b"<a>" * 5000 + b"</a>" * 5000, TOO_LARGE),
    "an XML workbook with a far cell": (
        lambda: spreadsheetml([[None, 1]]).replace(b'ss:Index="2"', b'ss:Index="999999999"'),
        TOO_LARGE,
    ),
    "an XML workbook with a far row": (
        lambda: spreadsheetml(ROWS).replace(b"<Row>", b'<Row ss:Index="999999999">'),
        TOO_LARGE,
    ),
    "HTML cells that span": (
        lambda: b"<html><table><tr>" + b"<td colspan=999999 rowspan=999999>1</td>" * 9 + b"</table>",
        TOO_LARGE,
    ),
    "JSON that nests": (lambda: b"[" * 200_000, UNREADABLE),
    "JSON with a key twice": (lambda: b'[{"a": 1, "a": 2}]', UNREADABLE),
    "JSON that is cut off": (lambda: json.dumps([{"a": 1}] * 9).encode()[:-20], UNREADABLE),
    "a line that is no object": (lambda: b'{"a": 1}\n{"a": 2}\n{"a": \n', UNREADABLE),
    "a first line without end": (lambda: b"a," * 50_000, TOO_LARGE),
    "a last line without end": (long_line, TOO_LARGE),
    "an archive of links": (links, UNREADABLE),
    "paths out of the archive": (lambda: zipped({"../../etc/a.csv": b"a,b\n1,2\n"}), UNREADABLE),
    "an absolute path": (lambda: tarred({"/etc/a.csv": b"a,b\n1,2\n"}), UNREADABLE),
    "a Parquet file that is cut off": (lambda: b"PAR1" + b"\0" * 100 + b"PAR1", UNREADABLE),
    "a PDF": (lambda: b"%PDF-1.7 ...", UNREADABLE),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100, UNREADABLE),
    "a Word file": (
        lambda: zipped({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}),
        UNREADABLE,
    ),
    "NUL bytes": (lambda: b"a,b\n\x00\x01,2\n", UNREADABLE),
    "two encodings": (lambda: "单位,数\n".encode("gb18030") + "人民医院,3\n".encode(), UNREADABLE),
    "nothing": (lambda: b" \r\n", UNREADABLE),
    "zeros": (lambda: b"\0" * 100_000, UNREADABLE),
}
