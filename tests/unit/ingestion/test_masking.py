"""Persons in names and cells are not told; what only looks a little like one is."""

import zipfile
from pathlib import Path

import openpyxl
import pytest

from ingestion.inbox_files import printable
from ingestion.masking import masked, masked_names
from ingestion.readers import read_contents
from ingestion.workbooks.originals import open_workbook
from warehouse.settings import get_settings

CITIZEN = "11010519491231002X"  # the example of GB 11643
TELEPHONE = "13800138000"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (CITIZEN, "***"),
        (f"死亡卡_{CITIZEN.lower()}.xlsx", "死亡卡_***.xlsx"),
        ("110105194912310021", "***"),  # a slip in the check digit
        ("11010519491231002", "11010519491231002"),
        ("110105491231002", "***"),  # as issued until 1999
        (TELEPHONE, "***"),
        (f"联系{TELEPHONE}谢谢", "联系***谢谢"),
        ("138 0013 8000", "***"),
        ("138-0013-8000", "***"),
        ("+86 13800138000", "***"),
        ("１３８００１３８０００", "***"),
        ("0754-88888888", "***"),
        ("a.b@example.com", "***"),
        ("填表人：王小明", "填表人：***"),
        ("联系人: 欧阳小明 科长", "联系人: *** 科长"),
    ],
)
def test_what_says_who_somebody_is_is_masked(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "91350100M000100Y43",
        "440507001001",
        "20150312103012",
        "201503_0101-20150301.xlsx",
        "15200000000.50",
        "15,200,000,000",
        "1520000000",
        "2015-10-01 12:30:00",
        "填表人：",
        "审核人（签字）",
        "1.1 其中：门诊",
    ],
)
def test_codes_days_and_amounts_are_told_as_they_stand(text):
    assert masked(text) is text


def test_names_that_become_the_same_are_numbered():
    assert masked_names([f"{TELEPHONE}月报", "月报", "13900139000月报"]) == ["***月报", "月报", "***月报(2)"]


@pytest.fixture
def _own_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAREHOUSE_PERSON_KEY", "constructed key of persons")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("_own_key")
def test_names_of_files_of_two_persons_stay_two_and_always_the_same():
    one, other = (printable(f"医院/{number}_201503.csv") for number in (TELEPHONE, "13900139000"))
    assert one != other
    assert one == printable(f"医院/{TELEPHONE}_201503.csv")
    assert one.endswith("~医院/***_201503.csv")


def test_sheets_and_members_of_archives_are_called_without_persons(tmp_path: Path):
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet()):
        sheet.append(["机构编码", "统计年月"])
    book.worksheets[0].title, book.worksheets[1].title = CITIZEN, f"{TELEPHONE}月报"
    path = tmp_path / "a.xlsx"
    book.save(path)
    assert [table.sheet for table in read_contents(path).tables] == ["***", "***月报"]
    original = open_workbook(path)
    assert original is not None
    assert original.sheet("***月报").title == f"{TELEPHONE}月报"
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{CITIZEN}.xlsx", path.read_bytes())
        archive.writestr(f"{TELEPHONE}.pdf", b"%PDF-1.4")
    contents = read_contents(packed)
    assert [(table.file_name, table.sheet) for table in contents.tables] == [
        ("***.xlsx", "***.xlsx!***"),
        ("***.xlsx", "***.xlsx!***月报"),
    ]
    assert not any(number in repr(contents.findings) for number in (CITIZEN, TELEPHONE))


def test_cells_of_units_periods_and_remarks_are_told_and_kept_without_persons(tmp_path: Path, grid, read):
    file = grid(
        tmp_path / "重点工作.csv",
        [
            ["责任单位", "季度", "任务编号", "计量单位", "目标值", "累计完成", "佐证材料"],
            ["疾控科", "2015年第一季度", "T1", "个", 10, 5, f"找{TELEPHONE}要，联系人：王小明"],
            [TELEPHONE, "2015年第一季度", "T1", "个", 10, f"{TELEPHONE}起", "有"],
            ["疾控科", CITIZEN, "T2", "个", 10, 5, None],
        ],
    )
    reading = read(file)
    assert reading.records["evidence"].to_list() == ["找***要，联系人：***", "有"]
    told = {finding.rule_id for finding in reading.findings}
    assert {"PERSON_MISPLACED", "PERIOD_UNREADABLE", "VALUE_NOT_A_NUMBER"} <= told
    assert not any(number in repr(reading.findings) for number in (CITIZEN, TELEPHONE, "王小明"))
