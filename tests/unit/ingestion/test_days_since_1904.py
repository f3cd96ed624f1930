"""Workbooks that count days from 1904: a day without a format of days is still the day that the clerk meant."""

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlwt
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading, UnreadCards, read_file
from tests.unit.ingestion.cards.test_batches import read as read_cards
from tests.unit.ingestion.readers.bombs import edited
from tests.unit.ingestion.readers.test_formats import cell, row, xml_workbook
from tests.unit.ingestion.readers.writers import Rows, ods
from tests.unit.ingestion.readings import at

# 1 March 2015, counted from 1 January 1904 and from 30 December 1899.
FROM_1904, FROM_1900 = 40602, 42064


def xlsx(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for values in rows:
        book.active.append(list(values))
    return saved(book)


def xls(rows: Rows) -> bytes:
    book = xlwt.Workbook()
    book.dates_1904 = True
    sheet = book.add_sheet("表")
    for i, values in enumerate(rows):
        for j, value in enumerate(values):
            sheet.write(i, j, value)
    return saved(book)


def saved(book: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def spreadsheetml(rows: Rows) -> bytes:
    lines = [
        row(*(cell("String" if isinstance(v, str) else "Number", str(v)) for v in line)) for line in rows
    ]
    return xml_workbook(lines, before="<x:ExcelWorkbook><x:Date1904/></x:ExcelWorkbook>")


def opendocument(rows: Rows) -> bytes:
    settings = (
        b"<table:calculation-settings>"
        b'<table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
    )
    return edited(
        ods(rows), content=lambda xml: xml.replace(b"<table:table ", settings + b"<table:table ", 1)
    )


FORMATS = pytest.mark.parametrize("write", [xlsx, xls, spreadsheetml, opendocument])


@FORMATS
@pytest.mark.parametrize("large", [1 << 20, 1])
def test_a_period_that_is_a_mere_number_counts_as_its_workbook_does(
    write: Callable[[Rows], bytes],
    large: int,
    tmp_path: Path,
    read: Callable[..., Reading],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """201503 and 2015-03 are what they are anywhere, and numbers of other fields are no days."""
    monkeypatch.setattr("ingestion.readers.workbook.LARGE", large)
    labels = ["机构编码", "统计年月", "总诊疗人次数", "出院人数"]
    months = [FROM_1904, 201504, "2015-05"] if write is not xls else [FROM_1904, 201504]
    path = tmp_path / "医疗服务月报表"
    path.write_bytes(write([labels, *([f"LH-{n}", month, FROM_1904, 3] for n, month in enumerate(months))]))
    reading = read(path)
    expected = [dt.date(2015, 3, 1), dt.date(2015, 4, 1), dt.date(2015, 5, 1)][: len(months)]
    assert reading.reports["period_start"].to_list() == expected
    assert reading.records["visits_total"].to_list() == [FROM_1904] * len(months)


def test_a_period_above_the_labels_counts_likewise(tmp_path: Path, read: Callable[..., Reading]) -> None:
    path = tmp_path / "医疗服务月报表.xlsx"
    rows = [
        ["统计年月：", FROM_1904, "机构编码：", "LH-1"],
        ["总诊疗人次数", "出院人数", "实有床位"],
        [7, 1, 2],
    ]
    path.write_bytes(xlsx(rows))
    assert read(path).reports["period_start"].to_list() == [dt.date(2015, 3, 1)]


def test_a_workbook_that_counts_from_1900_is_read_as_before(
    tmp_path: Path, grid: Callable[..., Path], read: Callable[..., Reading]
) -> None:
    rows = [["机构编码", "统计年月", "总诊疗人次数", "出院人数"], ["LH-1", FROM_1900, 7, 1]]
    reading = read(grid(tmp_path / "医疗服务月报表.xlsx", rows, "xlsx"))
    assert reading.reports["period_start"].to_list() == [dt.date(2015, 3, 1)]


def test_days_of_cards_count_likewise(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "病案首页.xlsx"
    labels = ["机构编码", "病案号", "入院时间", "出院时间", "总费用"]
    path.write_bytes(xlsx([labels, ["T-1", "m1", FROM_1904, FROM_1904 + 2.5, 1.5]]))
    (unread,) = read_file(path, catalogue=catalogue)
    assert isinstance(unread, UnreadCards)
    _, records = read_cards(unread, 10)
    (card,) = records.select("admission_time", "discharge_time", "cost_total").rows()
    assert card == (at("2015-03-01T00:00"), at("2015-03-03T12:00"), 1.5)
