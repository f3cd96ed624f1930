"""A sender's file opened for marking: nothing of it changes, and nothing of it becomes a formula."""

import io
import re
import string
import time
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from ingestion.readers import Table
from ingestion.workbooks.cells import is_risky, put, sheet_title
from ingestion.workbooks.originals import open_workbook, write_tables

RISKY = ["=1+1", "+86", "-x", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠A1", " =1+1", "　=1"]


def book_with(path: Path, cells: dict[str, object], values: dict[str, str]) -> Path:
    """A workbook with formulas and their last values, as a spreadsheet program saves it."""
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(path, "w") as target:
        for item in source.namelist():
            text = source.read(item).decode()
            for place, value in values.items():
                text = re.sub(rf'(<c r="{place}"[^>]*><f>[^<]*</f>)<v ?/>', rf"\g<1><v>{value}</v>", text)
                text = re.sub(rf'(<c r="{place}"[^>]*><f>[^<]*</f>)<v></v>', rf"\g<1><v>{value}</v>", text)
            target.writestr(item, text)
    return path


def saved(original, path: Path) -> Path:
    original.save(path)
    return path


def test_formulas_keep_their_last_value_for_readers_that_do_not_compute(tmp_path: Path):
    source = book_with(
        tmp_path / "in", {"A1": 2, "A2": 3, "A3": "=SUM(A1:A2)", "A4": "=A3/7"}, {"A3": "5", "A4": "0.71"}
    )
    original = open_workbook(source)
    assert original is not None
    result = saved(original, tmp_path / "out.xlsx")
    assert openpyxl.load_workbook(result).active["A3"].value == "=SUM(A1:A2)"
    assert CalamineWorkbook.from_path(result).get_sheet_by_index(0).to_python() == [[2], [3], [5], [0.71]]


@pytest.mark.parametrize(
    "formula",
    [
        '=HYPERLINK("http://example.invalid/"&A1,"x")',
        "=[1]Sheet1!A1",
        "=cmd|' /C calc'!A0",
        '=WEBSERVICE("http://example.invalid")',
        '=INDIRECT("A1")',
        "=SUM(WEBSERVICE(A1))",
    ],
)
def test_a_formula_that_reaches_outside_becomes_its_last_value(formula: str, tmp_path: Path):
    source = book_with(tmp_path / "in", {"A1": "x", "A2": formula}, {"A2": "7"})
    original = open_workbook(source)
    assert original is not None
    result = saved(original, tmp_path / "out.xlsx")
    assert openpyxl.load_workbook(result).active["A2"].value == 7
    with zipfile.ZipFile(result) as archive:
        assert not any("externalLink" in name for name in archive.namelist())


@pytest.mark.parametrize("text", RISKY)
def test_text_like_a_formula_is_written_as_quoted_text(text: str, tmp_path: Path):
    book = openpyxl.Workbook()
    put(book.active["A1"], text)
    book.save(tmp_path / "out.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "out.xlsx").active["A1"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f" not in xml
    assert 't="inlineStr"' in xml or 't="s"' in xml
    assert 'quotePrefix="1"' in styles


@pytest.mark.parametrize("text", ["报表", "12", "a=b", "（-）"])
def test_other_text_is_not_quoted(text: str):
    assert not is_risky(text)


def table_of(rows: list[list[str | None]], sheet: str = "") -> Table:
    width = max(map(len, rows))
    padded = [row + [None] * (width - len(row)) for row in rows]

    def below(first: int) -> pl.DataFrame:
        columns = zip(*padded[first:], strict=True)
        return pl.DataFrame([pl.Series(f"c{n}", values, dtype=pl.String) for n, values in enumerate(columns)])

    return Table(sheet, padded, below)


cells = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8),
    st.from_regex(r"\A-?[0-9]{1,14}(\.[0-9]{1,4})?\Z"),
    st.sampled_from(RISKY),
)


@settings(max_examples=60, phases=[Phase.generate])
@given(rows=st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=5))
def test_cells_of_a_table_are_read_back_as_they_were(rows: list[list[str | None]], tmp_path_factory):
    original = write_tables([table_of([*rows, ["末", "行"]], "表")])
    path = tmp_path_factory.mktemp("tables") / "out.xlsx"
    original.save(path)
    sheet = openpyxl.load_workbook(path)["表"]
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            found = sheet.cell(number, column).value
            if isinstance(found, int | float):
                assert str(found) == value
            else:
                assert (found or None) == ((value or "").replace("\r", "\n") or None) or found == value


def test_numbers_are_numbers_unless_that_would_change_them():
    texts = ["12", "-3.5", "007", "2015.10", "440507001001", "110105194912310021", "1e5", "0"]
    original = write_tables([table_of([texts, ["x"]])])
    values = [cell.value for cell in next(original.book.worksheets[0].iter_rows())]
    assert values == [12, -3.5, "007", "2015.10", "440507001001", "110105194912310021", "1e5", 0]


@pytest.mark.parametrize(
    ("wanted", "title"),
    [("月报/一", "月报_一"), ("", "Sheet1"), ("甲" * 40, "甲" * 31), ("'a'", "a"), ("b", "b_2")],
)
def test_names_of_sheets_are_allowed_and_different(wanted: str, title: str):
    assert sheet_title(wanted, ["B"]) == title


def test_what_is_no_workbook_is_not_opened_as_one(tmp_path: Path):
    other = tmp_path / "x.xlsx"
    other.write_bytes(b"PK\x03\x04" + string.ascii_letters.encode())
    assert open_workbook(other) is None
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.csv", "1,2")
    assert open_workbook(other) is None


def test_a_sheet_that_reaches_to_its_last_corner_costs_only_its_cells(tmp_path: Path):
    source = book_with(tmp_path / "in", {"A1": "构造", "XFD1048576": 1}, {})
    began = time.monotonic()
    original = open_workbook(source)
    assert original is not None
    saved(original, tmp_path / "out.xlsx")
    assert time.monotonic() - began < 20


def test_entities_of_hostile_xml_are_not_expanded(tmp_path: Path):
    source = book_with(tmp_path / "in", {"A1": "构造"}, {})
    bomb = tmp_path / "bomb"
    with zipfile.ZipFile(source) as good, zipfile.ZipFile(bomb, "w") as bad:
        for item in good.namelist():
            text = good.read(item).decode()
            if item == "xl/worksheets/sheet1.xml":
                entity = '<!DOCTYPE x [<!ENTITY a "' + "构" * 1000 + '"><!ENTITY b "' + "&a;" * 1000 + '">]>'
                text = re.sub(r"^(<\?xml[^>]*\?>)?", rf"\g<1>{entity}", text).replace("构造", "&b;" * 1000)
            bad.writestr(item, text)
    assert open_workbook(bomb) is None
