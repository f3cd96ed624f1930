"""Rows of a table: what is merged over several of them holds for each, where it says whose or when they are."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest
import xlwt

from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.readers import read_tables
from ingestion.reading import Reading, UnreadCards, read_file
from ingestion.workbooks.originals import write_tables
from ingestion.workbooks.shares import Share
from tests.unit.ingestion.cards.test_batches import read as read_cards

Read = Callable[..., Reading]
Merges = Sequence[tuple[int, int, int]]
"""First and last row and the column of merged cells, counted from 1."""

LABELS = ["机构编码", "统计年月", "总诊疗人次数", "出院人数"]
MONTHS = [["LH-1" if n == 1 else None, f"2016-{n:02}", 100 + n, n] for n in range(1, 13)]


def xlsx(rows: Sequence[Sequence[object]], merges: Merges) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    for first, last, column in merges:
        book.active.merge_cells(start_row=first, end_row=last, start_column=column, end_column=column)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xls(rows: Sequence[Sequence[object]], merges: Merges) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    spans = {(first - 1, column - 1): last - 1 for first, last, column in merges}
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value is not None:
                sheet.write_merge(i, spans.get((i, j), i), j, j, value)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def html(rows: Sequence[Sequence[object]], merges: Merges) -> bytes:
    spans = {(first - 1, column - 1): last - first + 1 for first, last, column in merges}
    covered = {(row, column - 1) for first, last, column in merges for row in range(first, last)}
    lines = []
    for i, row in enumerate(rows):
        cells = [
            f'<td rowspan="{spans.get((i, j), 1)}">{"" if value is None else value}</td>'
            for j, value in enumerate(row)
            if (i, j) not in covered
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<html><body><table>{''.join(lines)}</table></body></html>".encode()


@pytest.mark.parametrize(
    ("write", "large"),
    [
        pytest.param(xlsx, 1 << 20, id="xlsx"),
        pytest.param(xlsx, 1, id="large xlsx"),
        pytest.param(xls, 1 << 20, id="xls"),
        pytest.param(html, 1 << 20, id="html"),
    ],
)
def test_a_unit_merged_over_its_months_is_that_of_each(
    write: Callable[..., bytes], large: int, tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second unit stands below the rows that are looked at for labels."""
    monkeypatch.setattr("ingestion.readers.workbook.LARGE", large)
    others = [[f"LH-{n}", "2016-01", 7, 1] for n in range(10, 45)]
    last = [["LH-2" if n == 0 else None, *row[1:]] for n, row in enumerate(MONTHS)]
    path = tmp_path / "医疗服务月报表"
    path.write_bytes(write([LABELS, *MONTHS, *others, *last], [(2, 13, 1), (49, 60, 1)]))
    reading = read(path)
    told = {one.rule_id for one in reading.findings}
    assert told <= {"COLUMN_MISSING"}
    subjects = reading.reports["subject_ref"].to_list()
    assert (subjects.count("LH-1"), subjects.count("LH-2"), len(subjects)) == (12, 12, 59)


def test_a_merged_number_is_that_of_its_first_row_alone(tmp_path: Path, read: Read) -> None:
    rows = [LABELS, MONTHS[0], [None, "2016-02", None, 2]]
    path = tmp_path / "医疗服务月报表.xlsx"
    path.write_bytes(xlsx(rows, [(2, 3, 1), (2, 3, 3)]))
    assert read(path).records["visits_total"].to_list() == [101, None]


def test_rows_that_hold_nothing_but_a_merged_unit_are_no_records(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "医疗服务月报表.xlsx"
    path.write_bytes(xlsx([LABELS, ["LH-1", "2016-01", 7, 1], [None], [None]], [(2, 4, 1)]))
    reading = read(path)
    assert reading.records["source_row"].to_list() == [2]
    assert {one.rule_id for one in reading.findings} <= {"COLUMN_MISSING"}


def test_unit_and_month_may_be_merged_in_a_long_table(
    tmp_path: Path, catalogue: Catalogue, read: Read
) -> None:
    form: Form = catalogue["hosp_monthly"]
    names = [form.by_code[code].name_zh for code in ("beds_actual", "visits_total", "discharges")]
    rows: list[list[object]] = [["机构编码", "统计年月", "指标名称", "数值"]]
    for unit in ("LH-1", "LH-2"):
        rows += [[unit, "2016-01", names[0], 5], [None, None, names[1], 7], [None, None, names[2], 1]]
    path = tmp_path / "f.xlsx"
    path.write_bytes(xlsx(rows, [(2, 4, 1), (2, 4, 2), (5, 7, 1), (5, 7, 2)]))
    reading = read(path)
    assert reading.layout == "long"
    assert reading.reports["subject_ref"].to_list() == ["LH-1", "LH-2"]
    assert reading.records.select("beds_actual", "visits_total", "discharges").rows() == [(5, 7, 1)] * 2


def test_a_unit_may_be_merged_over_its_cards(tmp_path: Path, catalogue: Catalogue) -> None:
    labels = ["机构编码", "病案号", "入院时间", "出院时间", "总费用"]
    cards = [["T-1" if n == 0 else None, f"m{n}", "2015-01-01", "2015-01-03", 1.5] for n in range(3)]
    path = tmp_path / "病案首页.xlsx"
    path.write_bytes(xlsx([labels, *cards], [(2, 4, 1)]))
    (unread,) = read_file(path, catalogue=catalogue)
    assert isinstance(unread, UnreadCards)
    ledger, records = read_cards(unread, 10)
    assert records.height == 3
    assert not any(one.rule_id == "SUBJECT_MISSING" for one in ledger.findings)


def test_a_copy_of_the_cells_has_merged_texts_in_each_row(tmp_path: Path) -> None:
    """A correction shows some of the rows; cut out of a merged range they would lose their unit."""
    path = tmp_path / "f"
    path.write_bytes(html([LABELS, *MONTHS[:2]], [(2, 3, 1)]))
    (table,) = read_tables(path)
    share = Share(lambda row, _column: row in (1, 3), 1)
    (sheet,) = write_tables([table], {table.sheet: share}).book.worksheets
    assert [cell.value for cell in sheet["A"]] == ["机构编码", None, "LH-1"]
    assert [cell.value for cell in sheet["C"]] == ["总诊疗人次数", None, 102]
