"""Constructed reports in every format, and readings of them."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.reading import Reading, SourceContext, read_file

Rows = list[dict[str, Any]]
FORMATS = ("csv", "csv-bom", "csv-gb18030", "tsv", "xlsx", "xlsx-two-rows")
ENCODINGS = {"csv": "utf-8", "csv-bom": "utf-8-sig", "csv-gb18030": "gb18030", "tsv": "utf-8"}


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The built-in forms."""
    return load_forms()


def write_grid(path: Path, grid: Sequence[Sequence[object]], file_format: str = "csv") -> Path:
    """Write rows of cells as delimited text or a workbook."""
    if file_format.startswith("xlsx"):
        book = openpyxl.Workbook()
        for row in grid:
            book.active.append(list(row))
        book.save(path)
        return path
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t" if file_format == "tsv" else ",").writerows(
        ["" if value is None else value for value in row] for row in grid
    )
    path.write_bytes(text.getvalue().encode(ENCODINGS[file_format]))
    return path


def write_two_rows(path: Path, form: Form, codes: Sequence[str], rows: Rows) -> Path:
    """Write a workbook with title rows and a header of two merged rows, as the national templates have."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([form.name_zh])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=max(len(codes), 2))
    sheet.append(["表    号：卫统1-9表", None, "制定机关：卫生部"])
    start = 0
    for column, code in enumerate(codes, start=1):
        field = form.by_code[code]
        if field.section is None:
            sheet.cell(3, column, field.name_zh)
            sheet.merge_cells(start_row=3, start_column=column, end_row=4, end_column=column)
            start = column
            continue
        sheet.cell(4, column, field.name_zh)
        last = column == len(codes) or form.by_code[codes[column]].section != field.section
        if last:
            sheet.cell(3, start + 1, field.section)
            sheet.merge_cells(start_row=3, start_column=start + 1, end_row=3, end_column=column)
            start = column
    for row in rows:
        sheet.append([row.get(code) for code in codes])
    sheet.append(["填表人：（构造）", None, "审核人：（构造）"])
    book.save(path)
    return path


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Write a form's rows (field code to cell) in a format."""

    def _write(
        path: Path, form: Form, rows: Rows, file_format: str = "csv", codes: Sequence[str] | None = None
    ) -> Path:
        codes = codes or [f.code for f in form.fields if any(f.code in row for row in rows) or f.required]
        if file_format == "xlsx-two-rows":
            return write_two_rows(path, form, codes, rows)
        header = [form.by_code[code].name_zh for code in codes]
        return write_grid(path, [header, *([row.get(code) for code in codes] for row in rows)], file_format)

    return _write


@pytest.fixture(scope="session")
def grid() -> Callable[..., Path]:
    """Write rows of cells as they are."""
    return write_grid


@pytest.fixture(scope="session")
def read(catalogue: Catalogue) -> Callable[..., Reading]:
    """Read a file that holds exactly one reading."""

    def _read(path: Path, *, name: str | None = None, region: str | None = None) -> Reading:
        (reading,) = read_file(path, name=name, catalogue=catalogue, source=SourceContext("test", region))
        return reading

    return _read
