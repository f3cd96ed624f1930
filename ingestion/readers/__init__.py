"""Readers: a file becomes tables of cells, whatever its format, encoding or extension."""

import importlib
from dataclasses import replace
from functools import partial
from pathlib import Path

from ingestion.masking import masked, masked_names
from ingestion.readers.archives import read_packed, read_tar, read_zip
from ingestion.readers.blob import Blob
from ingestion.readers.delimited import read_delimited
from ingestion.readers.html_tables import read_html
from ingestion.readers.json_text import read_json
from ingestion.readers.kinds import HEAD, kind_of, refused
from ingestion.readers.limits import Limits
from ingestion.readers.old_workbook import read_old_workbook
from ingestion.readers.opendocument import MIME, read_opendocument
from ingestion.readers.packages import Package
from ingestion.readers.refusals import protected, too_large, too_many, unreadable
from ingestion.readers.spreadsheetml import read_spreadsheetml
from ingestion.readers.table import Contents, Table
from ingestion.readers.workbook import read_workbook
from ingestion.readers.xml_records import read_xml

__all__ = ["Contents", "Table", "read_contents", "read_tables"]


def read_tables(path: Path, name: str | None = None) -> list[Table]:
    """Tables of a file; see :func:`read_contents`."""
    return read_contents(path, name).tables


def read_contents(path: Path, name: str | None = None, limits: Limits | None = None) -> Contents:
    """Tables of a file, told by its content and never by its extension; of an archive those of its members.

    Raises :class:`UnreadableFile` for what is no table, and :class:`FileTooLarge` beyond the limits (those of
    the settings when none are given). Sheets and members whose names say who somebody is are called otherwise.
    """
    contents = _read(limits or Limits.of(), Blob(name or path.name, path=path), 0)
    names = masked_names(table.sheet for table in contents.tables)
    tables = [
        replace(table, sheet=sheet, file_name=masked(table.file_name) if table.file_name else table.file_name)
        for table, sheet in zip(contents.tables, names, strict=True)
    ]
    return Contents(tables, contents.findings)


def _read(limits: Limits, blob: Blob, depth: int) -> Contents:
    name, size = blob.name, blob.size
    if size > limits.file_bytes:
        raise too_large(
            name,
            f"超过{limits.file_bytes >> 20:,} MB",
            f"is larger than {limits.file_bytes >> 20:,} MiB",
            "请拆成几个文件后报送",
            "Split it into several files",
        )
    head = blob.head(HEAD)
    if not head.strip(b"\0 \t\r\n") and (size <= HEAD or not head.strip(b"\0")):
        raise unreadable(name, "是空的", "is empty", "请重新导出后报送", "Export it again")
    if kind := refused(head):
        raise unreadable(
            name,
            f"是{kind[0]}，不能读取",
            f"is {kind[1]}, which is not read",
            "请把报表另存为 .xlsx 或 CSV 后报送",
            "Save the report as .xlsx or CSV",
        )
    kind_found = kind_of(head)
    again = partial(_read, limits)
    if kind_found == "zip":
        return _of_package(blob, limits, depth)
    if kind_found == "tar":
        return read_tar(blob, limits, again, depth)
    if kind_found in ("gzip", "bzip2", "xz"):
        return read_packed(blob, kind_found, limits, again, depth)
    if kind_found == "parquet":
        # Its library takes longer to load than most files take to read.
        return Contents(importlib.import_module("ingestion.readers.parquet").read_parquet(blob, limits))
    if kind_found == "delimited":
        return Contents(_narrow(read_delimited(blob, name), name, limits))
    readers = {
        "compound": read_old_workbook,
        "spreadsheetml": read_spreadsheetml,
        "xml": read_xml,
        "html": read_html,
        "json": read_json,
    }
    return Contents(readers[kind_found](blob, limits))


def _narrow(tables: list[Table], name: str, limits: Limits) -> list[Table]:
    """The tables, if none is wider than a sheet may be."""
    if any(len(row) > limits.columns for table in tables for row in table.top):
        raise too_many(name, "列数", "columns", limits.columns)
    return tables


def _of_package(blob: Blob, limits: Limits, depth: int) -> Contents:
    """A zip file is a workbook, or an archive of files."""
    package = Package(blob, limits)
    if "[Content_Types].xml" in package:
        if package.is_encrypted:
            raise protected(blob.name)
        if any(member.endswith("workbook.xml") for member in package.members):
            return Contents(read_workbook(blob, package, limits))
        raise unreadable(
            blob.name,
            "是 Office 文档，但不是 .xlsx 工作簿",
            "is an Office document, but no .xlsx workbook",
            "请把报表另存为 .xlsx 后报送",
            "Save the report as .xlsx",
        )
    if "mimetype" in package and not package.is_encrypted:
        mime = package.read("mimetype").strip()
        if mime.startswith(MIME):
            return Contents(read_opendocument(package, limits))
        if mime.startswith(b"application/"):
            raise unreadable(
                blob.name,
                "是 OpenDocument 文档，但不是电子表格",
                "is an OpenDocument file, but no spreadsheet",
                "请把报表另存为 .ods 或 .xlsx 后报送",
                "Save the report as .ods or .xlsx",
            )
    return read_zip(blob, package, limits, partial(_read, limits), depth)
