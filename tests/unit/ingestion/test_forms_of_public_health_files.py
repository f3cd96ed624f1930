"""Constructed files of public-health forms, from the cells to typed records: no number of them is anybody's."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from ingestion.checks import CheckContext, check
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.layout import recognise
from ingestion.readers import read_tables
from ingestion.reading import Reading

Read = Callable[..., Reading]
Grid = Callable[..., Path]

FORMS = (
    "birth_card",
    "birth_defect_card",
    "child_death_card",
    "death_card",
    "epi_monthly",
    "fp_services_annual",
    "hiv_test_monthly",
    "idr_card",
    "maternal_death_card",
    "mch_child_annual",
    "mch_child_quarterly",
    "mch_maternal_quarterly",
    "mch_nonresident_annual",
    "newborn_screening_monthly",
    "occupational_case_card",
    "occupational_reports",
    "premarital_annual",
    "smi_quarterly",
    "supervision_cards",
    "tb_quarterly",
    "toilet_quarterly",
    "women_screening_annual",
    "women_screening_quarterly",
)


@pytest.mark.parametrize("code", FORMS)
def test_the_header_of_a_form_is_recognised_as_it(
    code: str, tmp_path: Path, catalogue: Catalogue, grid: Grid
) -> None:
    form = catalogue[code]
    path = grid(tmp_path / "f.csv", [[f.name_zh for f in form.fields], ["1"] * len(form.fields)])
    found = recognise(read_tables(path, "f.csv")[0], catalogue, "f.csv")
    assert found is not None
    assert found.form.code == code
    assert {column.code for column in found.fields} == {f.code for f in form.fields}
    assert not (found.unknown or found.ambiguous or found.twice)


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("2015年度7岁以下儿童保健和健康情况年报表", "mch_child_annual"),
        ("2015年第三季度7岁以下儿童保健和健康情况季报表", "mch_child_quarterly"),
        ("2015年度孕产妇保健和健康情况年报表", "mch_maternal_annual"),
        ("2015年第三季度孕产妇保健和健康情况季报表", "mch_maternal_quarterly"),
    ],
)
def test_a_title_tells_the_quarter_from_the_year(  # noqa: PLR0917 - fixtures
    title: str, code: str, tmp_path: Path, catalogue: Catalogue, grid: Grid, read: Read
) -> None:
    form = catalogue[code]
    numbers = [f for f in form.measures if f.type == "int"]
    cells = [["县（市、区）", *(f.name_zh for f in numbers)], ["龙湖区", *range(10, 10 + len(numbers))]]
    reading = read(grid(tmp_path / "f.csv", [[title], *cells]))
    assert reading.form.code == code
    day = dt.date(2015, 7, 1) if code.endswith("quarterly") else dt.date(2014, 10, 1)
    assert reading.reports["period_start"].to_list() == [day]


def test_a_list_of_vaccines_and_doses_becomes_one_report_a_unit(
    tmp_path: Path, catalogue: Catalogue, grid: Grid, read: Read
) -> None:
    header = [
        "接种单位编码",
        "接种单位",
        "疫苗",
        "剂次",
        "居住属性",
        "基础免疫应种人数",
        "基础免疫受种人数",
        "去年人口总数",
        "疑似预防接种异常反应例数",
    ]
    rows: list[list[object]] = []
    for unit in ("LH-C01", "LH-C02"):
        for vaccine, doses in (("乙肝疫苗", 3), ("卡介苗", 1), ("百白破疫苗", 3)):
            for dose in range(1, doses + 1):
                rows += [
                    [unit, f"（构造）{unit}", vaccine, f"第{dose}剂", "本地", 40, 39, None, None],
                    [unit, f"（构造）{unit}", vaccine, f"第{dose}剂", "流动", 20, 20, None, None],
                    [unit, f"（构造）{unit}", vaccine, f"第{dose}剂", "合计", 60, 59, None, None],
                ]
        rows.append([unit, f"（构造）{unit}", "不分疫苗", "不分剂次", "合计", None, None, 21_500, 1])
    titles = [["2015年10月国家免疫规划疫苗常规接种情况报表（构造）"], ["应报单位数：2", "实报单位数：2"]]
    reading = read(grid(tmp_path / "f.csv", [*titles, header, *rows, ["填表人：（构造）"]]))
    assert reading.form.code == "epi_monthly"
    assert reading.findings == []
    assert check(reading, CheckContext()) == []
    assert reading.reports.select("subject_ref", "record_count").rows() == [("LH-C01", 22), ("LH-C02", 22)]
    totals = reading.records.filter(vaccine="HepB", dose_no="2", residence_class="0")
    assert totals["given_basic"].to_list() == [59, 59]
    unit = reading.records.filter(vaccine="NONE")
    assert unit.select("dose_no", "population_last_year", "aefi").rows() == [("0", 21_500, 1)] * 2
    assert set(reading.records["units_due"]) == {2}


def test_a_table_of_children_below_merged_headings_is_read(
    tmp_path: Path, catalogue: Catalogue, read: Read
) -> None:
    form = catalogue["mch_child_annual"]
    shown = [f for f in form.measures if f.code.startswith(("children", "deaths"))]
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["7岁以下儿童保健和健康情况年报表（构造）"])
    sheet.append(["统计年度：2015"])
    sheet.append(["县（市、区）", *(f.section if _new_section(form, f.code) else None for f in shown)])
    sheet.append([None, *(f.name_zh.removeprefix(f"{f.section}（").removesuffix("）") for f in shown)])
    for place, region in enumerate(("龙湖区", "金平区")):
        sheet.append([region, *(number * 10 - place for number in range(len(shown), 0, -1))])
    sheet.append(["填表人：（构造）", None, "审核人：（构造）"])
    book.save(tmp_path / "f.xlsx")
    reading = read(tmp_path / "f.xlsx")
    assert reading.form.code == "mch_child_annual"
    assert reading.findings == []
    assert reading.reports["subject_ref"].to_list() == ["龙湖区", "金平区"]
    assert reading.records["children_lt7"].to_list() == [len(shown) * 10, len(shown) * 10 - 1]
    assert reading.records["deaths_infant_sex_unknown"].null_count() == 0


def _new_section(form: Form, code: str) -> bool:
    place = next(number for number, f in enumerate(form.measures) if f.code == code)
    return place == 0 or form.measures[place - 1].section != form.measures[place].section


def test_quarters_of_several_regions_in_one_file_are_reports_of_their_own(
    tmp_path: Path, grid: Grid, read: Read
) -> None:
    header = ["地区代码", "统计季度", "在册患者数", "在管患者数", "规范管理患者数", "常住人口数"]
    rows = [
        ["440507", "2015年第三季度", "2,150", "1,950", "1,800", "550,000"],
        ["440507", "2015年第四季度", "2,160", "1,960", "1,810", "550,000"],
        ["440511", "2015年第四季度", "３４００", "3 100", "—", "820,000"],
    ]
    reading = read(grid(tmp_path / "严重精神障碍患者管理治疗工作季报.csv", [header, *rows]))
    assert reading.form.code == "smi_quarterly"
    assert reading.reports.select("subject_ref", "period_start", "period_end").rows() == [
        ("440507", dt.date(2015, 7, 1), dt.date(2015, 9, 30)),
        ("440507", dt.date(2015, 10, 1), dt.date(2015, 12, 31)),
        ("440511", dt.date(2015, 10, 1), dt.date(2015, 12, 31)),
    ]
    assert reading.records["smi_registered"].to_list() == [2_150, 2_160, 3_400]
    assert reading.records["smi_std_managed"].to_list() == [1_800, 1_810, None]


@pytest.mark.parametrize(("told", "rules"), [(22, []), (21, ["EP03"])])
def test_vaccines_and_doses_may_stand_across(told: int, rules: list[str], tmp_path: Path, read: Read) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2015年10月国家免疫规划疫苗常规接种情况报表（构造）"])
    sheet.append(["接种单位编码", "居住属性", "乙肝疫苗", None, None, None, "卡介苗", None])
    sheet.append([None, None, "第1剂", None, "第2剂", None, "第1剂", None])
    sheet.append([None, None, *["应种人数", "实种人数"] * 3])
    for cells in ("A1:H1", "C2:F2", "G2:H2", "C3:D3", "E3:F3", "G3:H3", "A2:A4", "B2:B4"):
        sheet.merge_cells(cells)
    for residence, numbers in (
        ("本地", (40, 39, 30, 29, 20, 20)),
        ("流动", (4, 3, 3, 2, 2, 2)),
        ("合计", (44, 42, 33, 31, 22, told)),
    ):
        sheet.append(["LH-C01", residence, *numbers])
    sheet.append(["填表人：（构造）", None, "审核人：（构造）"])
    book.save(tmp_path / "f.xlsx")
    reading = read(tmp_path / "f.xlsx")
    assert (reading.form.code, reading.layout, reading.findings) == ("epi_monthly", "by_vaccine", [])
    assert reading.reports.select("subject_ref", "period_start").rows() == [("LH-C01", dt.date(2015, 10, 1))]
    second = reading.records.filter(vaccine="HepB", dose_no="2")
    assert dict(second.select("residence_class", "given_basic").rows()) == {"1": 29, "2": 2, "0": 31}
    assert [finding.rule_id for finding in check(reading, CheckContext())] == rules


@pytest.mark.parametrize("code", FORMS)
def test_other_spellings_in_another_order_are_the_same_form(
    code: str, tmp_path: Path, catalogue: Catalogue, grid: Grid
) -> None:
    form = catalogue[code]
    labels = [[text for text in f.labels if ">" not in text][-1] for f in reversed(form.fields)]
    found = recognise(
        read_tables(grid(tmp_path / "f.csv", [labels, ["1"] * len(labels)]), "f.csv")[0], catalogue, "f.csv"
    )
    assert found is not None
    assert found.form.code == code
    assert [column.code for column in found.fields] == [f.code for f in reversed(form.fields)]
