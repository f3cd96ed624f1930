"""A file becomes the same reports whatever its format, encoding, layout and order of columns."""

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.checks import CheckContext, check
from ingestion.errors import UnreadableFile, UnrecognisedFile
from ingestion.forms_catalogue import Catalogue
from ingestion.label_index import index_of
from ingestion.reading import Reading, SourceContext, read_file

Read = Callable[..., Reading]
Write = Callable[..., Path]
FORMATS = ("csv", "csv-bom", "csv-gb18030", "tsv", "xlsx", "xlsx-two-rows")

HOSPITAL = {
    "organization_code": "LH-001",
    "org_name": "构造医院",
    "report_month": "2015-03",
    "staff_technical": 100,
    "doctors": 40,
    "nurses": 45,
    "beds_actual": 50,
    "bed_days_open": 1550,
    "bed_days_occupied": 1200,
    "revenue_medical": 3000.5,
    "revenue_outpatient": 2000.25,
    "revenue_inpatient": 1000.25,
    "visits_total": 12000,
    "visits_outpatient_emergency": 11900,
    "discharges": 150,
}


def _rules(reading: Reading) -> list[str]:
    return [finding.rule_id for finding in reading.findings]


def _values(reading: Reading) -> list[dict[str, Any]]:
    columns = [f.code for f in reading.form.columns]
    return reading.records.select("report_no", "record_no", *columns, "null_reasons").to_dicts()


_count = st.one_of(st.none(), st.integers(0, 10**9))
_money = st.one_of(st.none(), st.decimals(0, 10**9, places=2).map(float))


@pytest.mark.parametrize("file_format", FORMATS)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_generated_reports_read_back_equal(  # noqa: PLR0917 - fixtures
    file_format: str, data: st.DataObject, tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    form = catalogue["hosp_monthly"]
    measures = [f for f in form.columns if f.role == "measure"]
    rows = [
        {
            "organization_code": f"LH-{number:03}",
            "org_name": f"构造机构{number}",
            "report_month": f"2015年{month}月",
            **{f.code: data.draw(_money if f.type == "dec" else _count) for f in measures},
        }
        for number in range(data.draw(st.integers(1, 3)))
        for month in (1, 2)
    ]
    path = write(
        tmp_path / f"generated.{file_format}", form, rows, file_format, [f.code for f in form.fields]
    )
    reading = read(path)
    assert [f for f in _rules(reading) if f != "PERIOD_MISSING_IN_SERIES"] == []
    assert reading.reports["subject_ref"].to_list() == [row["organization_code"] for row in rows]
    assert reading.reports["period_end"].unique().sort().to_list() == [
        dt.date(2015, 1, 31),
        dt.date(2015, 2, 28),
    ]
    assert [{f.code: row[f.code] for f in measures} for row in reading.records.to_dicts()] == [
        {f.code: row[f.code] for f in measures} for row in rows
    ]
    check(reading, CheckContext())


def test_the_content_hash_knows_no_format_and_no_order(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    form = catalogue["hosp_monthly"]
    codes = list(HOSPITAL)
    shuffled = random.Random(7).sample(codes, len(codes))  # noqa: S311 - any order will do
    files = [write(tmp_path / f"f.{kind}", form, [HOSPITAL], kind, codes) for kind in FORMATS]
    files.append(write(tmp_path / "shuffled.csv", form, [HOSPITAL], "csv", shuffled))
    files.append(write(tmp_path / "blanks.csv", form, [HOSPITAL], "csv", [*shuffled, "health_records_cum"]))
    written = {
        **HOSPITAL,
        "visits_total": "１２，０００",
        "revenue_medical": "3,000.50",
        "report_month": "2015年3月",
    }
    files.append(write(tmp_path / "written.csv", form, [written], "csv", codes))
    assert len({read(path).reports["content_hash"].item() for path in files}) == 1
    other = write(tmp_path / "other.csv", form, [{**HOSPITAL, "discharges": 151}], "csv", codes)
    null = write(tmp_path / "null.csv", form, [{**HOSPITAL, "discharges": None}], "csv", codes)
    wrong = write(tmp_path / "wrong.csv", form, [{**HOSPITAL, "discharges": "多"}], "csv", codes)
    assert len({read(path).reports["content_hash"].item() for path in (files[0], other, null, wrong)}) == 4


def test_titles_signatures_totals_and_column_numbers_are_no_records(
    tmp_path: Path, grid: Write, read: Read
) -> None:
    path = grid(
        tmp_path / "titles.csv",
        [
            ["医疗卫生机构医疗服务月报表"],
            ["统计年月：2015年3月", None, None, "单位：千元"],
            [
                "机构名称",
                "卫生技术人员",
                "总诊疗人次数",
                "医疗收入（千元）",
                "出院人数",
                "实有床位",
                "门急诊人次数",
            ],
            ["甲", 1, 2, 3, 4, 5, 6],
            ["构造医院", "100", "1,200", "30.5", "—", "无", "１１００"],
            [],
            ["合计", 100, 1200, 30.5, 0, 0, 1100],
            ["填表人：（构造）", None, "报出日期：2015年4月5日"],
        ],
    )
    reading = read(path)
    assert reading.reports.select("subject_ref", "period_start").rows() == [("构造医院", dt.date(2015, 3, 1))]
    record = reading.records.row(0, named=True)
    assert (record["visits_total"], record["visits_outpatient_emergency"]) == (1200, 1100)
    assert (record["discharges"], record["beds_actual"]) == (None, None)
    assert record["source_row"] == 5


def test_a_column_is_found_by_label_and_an_unknown_one_is_told(
    tmp_path: Path, grid: Write, read: Read
) -> None:
    labels = ["机构名称", "统计年月", "1.1卫生技术人员", "实有床位数", "实际开放总床日数", "实际占用总床日数"]
    labels += ["2.1 医疗收入", "3.1  总诊疗人次数", "出院人数", "出院人员满意数", "其中：预约诊疗人次数"]
    path = grid(tmp_path / "labels.csv", [labels, ["构造医院", "201503", 9, 8, 7, 6, 5, 4, 3, 2, 1]])
    reading = read(path)
    record = reading.records.row(0, named=True)
    assert (record["staff_technical"], record["visits_total"], record["visits_by_appointment"]) == (9, 4, 1)
    (finding,) = reading.findings
    assert (finding.rule_id, finding.severity, finding.cell) == ("COLUMN_UNKNOWN", "soft", "J1")


def _kept(reading: Reading) -> dict[str | None, str | None]:
    return {one.value: one.kept for one in reading.findings if one.rule_id == "COLUMN_UNKNOWN"}


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_numbers_of_an_unknown_column_are_kept_and_persons_are_not(
    file_format: str, tmp_path: Path, grid: Write, read: Read
) -> None:
    head = ["机构编码", "统计年月", "卫生技术人员", "发热人数", "联系电话", "说明文字", "某号码", None]
    rows = [
        ["T-1", "2015-03", 3, "1,200", "83211234", "构造某", "13912345678", 5],
        ["T-2", "2015-03", 4, 0.5, "83211235", "构造某", 17, 6],
        ["合计", None, 7, 9, None, None, None, 11],
    ]
    table = [["医疗服务月报表"], head, *rows]
    reading = read(grid(tmp_path / f"m.{file_format}", table, file_format))
    assert _kept(reading) == {
        "发热人数": '{"D3": 1200, "D4": 0.5}',
        "联系电话": None,
        "说明文字": None,
        "某号码": '{"G4": 17}',
        "": None,
    }
    without = read(grid(tmp_path / f"n.{file_format}", [row[:3] for row in table], file_format))
    hashes = [one.reports["content_hash"].to_list() for one in (reading, without)]
    assert hashes[0] == hashes[1]


def test_numbers_of_unknown_labels_are_kept_in_every_layout(tmp_path: Path, grid: Write, read: Read) -> None:
    title = ["医疗服务月报表 2015年3月"]
    down = [["指标", "甲", "乙"], ["机构编码", "T-1", "T-2"], ["卫生技术人员", 3, 4], ["总诊疗人次数", 5, 6]]
    down += [["发热人数", 7, "-"]]
    assert _kept(read(grid(tmp_path / "a.xlsx", [title, *down], "xlsx"))) == {"发热人数": '{"B6": 7}'}
    sheet = [["机构编码：T-1"], ["卫生技术人员", 3, "总诊疗人次数", 5], ["发热人数", 7, "出院人数", 8]]
    assert _kept(read(grid(tmp_path / "b.xlsx", [title, *sheet], "xlsx"))) == {"发热人数": '{"B4": 7}'}
    long = [["机构编码", "指标", "数值"]]
    long += [
        [unit, label, 3] for unit in ("T-1", "T-2") for label in ("卫生技术人员", "总诊疗人次数", "发热人数")
    ]
    assert _kept(read(grid(tmp_path / "c.csv", [title, *long]))) == {"发热人数": '{"C5": 3, "C8": 3}'}


def test_a_missing_required_column_blames_every_report_and_suggests(
    tmp_path: Path, grid: Write, read: Read
) -> None:
    labels = ["机构名称", "统计年月", "卫生技术人员", "实有床位", "实际开放总床日数", "实际占用总床日数"]
    labels += ["医疗收入", "总诊疗人次合", "出院人数"]
    rows = [[f"构造医院{n}", "2015-03", 9, 8, 7, 6, 5, 4, 3] for n in range(2)]
    reading = read(grid(tmp_path / "missing.csv", [labels, *rows]))
    missing = [f for f in reading.findings if f.rule_id == "COLUMN_MISSING"]
    assert [(f.severity, f.report_no, f.field_code) for f in missing] == [
        ("hard", 1, "visits_total"),
        ("hard", 2, "visits_total"),
    ]
    assert "总诊疗人次合" in missing[0].message_zh
    (unknown,) = (f for f in reading.findings if f.rule_id == "COLUMN_UNKNOWN")
    assert "总诊疗人次" in unknown.message_zh.split("是否应为")[1]


def test_a_label_that_may_mean_two_fields_or_comes_twice_is_told(
    tmp_path: Path, grid: Write, read: Read
) -> None:
    labels = ["机构名称", "统计年月", "卫生技术人员", "实有床位", "实际开放总床日数", "实际占用总床日数"]
    labels += ["医疗收入", "总诊疗人次数", "出院人数", "药品收入", "出院人数"]
    reading = read(grid(tmp_path / "f.csv", [labels, ["构造医院", "2015-03", *range(9)]]))
    assert sorted(_rules(reading)) == ["COLUMN_AMBIGUOUS", "COLUMN_TWICE"]
    assert {f.cell for f in reading.findings} == {"J1", "K1"}
    assert all(f.severity == "hard" and f.report_no == 1 for f in reading.findings)


@pytest.mark.parametrize(
    "written",
    [
        "*{0}",
        "＊ {0}",
        "{0}*",
        "{0} ＊",
        "★{0}",
        "①{0}",
        "{0}②",
        "※{0}※",
        "{0}（必填）",
        "*{0}【必填】",
        "{0}[1]",
        "{0}注1",
        "{0}（注2）",
        "{0}¹",
    ],
)
def test_marks_around_a_label_are_none_of_its_words(
    written: str, tmp_path: Path, grid: Write, read: Read
) -> None:
    labels = ["机构编码", "统计年月", "卫生技术人员", "总诊疗人次数", "出院人数"]
    path = grid(tmp_path / "m.xlsx", [[*map(written.format, labels)], ["T-1", "2015-03", 3, 60, 5]], "xlsx")
    reading = read(path)
    assert {finding.rule_id for finding in reading.findings} == {"COLUMN_MISSING"}
    assert reading.records.select("staff_technical", "visits_total", "discharges").rows() == [(3, 60, 5)]
    wide = [
        ["2015年麻疹发病数"],
        ["地区", *map(written.format, ("麻疹", "百日咳", "风疹"))],
        ["龙湖区", 1, 2, 3],
    ]
    reading = read(grid(tmp_path / "w.xlsx", wide, "xlsx"), name="2015年3月法定传染病发病数.xlsx")
    assert reading.records.sort("source_column")["cases"].to_list() == [1, 2, 3]


def test_a_unit_of_money_is_seen_before_and_behind_a_mark(tmp_path: Path, grid: Write, read: Read) -> None:
    for label in ("医疗收入（万元）*", "医疗收入*（万元）", "★医疗收入（万元）①"):
        table = [["机构编码", "统计年月", label], ["T-1", "2015-03", 3]]
        reading = read(grid(tmp_path / "m.csv", table), name="医疗服务月报表.csv")
        assert "UNIT_DIFFERS" in {finding.rule_id for finding in reading.findings}


def test_a_digit_in_a_circle_numbers_a_label_where_the_form_does(catalogue: Catalogue) -> None:
    index = index_of(catalogue)
    assert index.along(("其他诊断编码②",))["inpatient_front_page"] == ("other_diagnoses_2",)


def test_headings_tell_columns_of_the_same_label_apart(tmp_path: Path, grid: Write, read: Read) -> None:
    path = grid(
        tmp_path / "mch.csv",
        [
            ["孕产妇保健和健康情况年报表", None, None, None, None, None, None, None, None],
            [
                "地区",
                "统计年度",
                "活产数",
                None,
                None,
                "产妇数",
                "系统管理人数",
                "孕产妇死亡人数",
                "早期新生儿死亡数",
                None,
                None,
            ],
            [None, None, "合计", "男", "女", "合计", None, "合计", "合计", "男", "女"],
            ["440507", "2015", 100, 52, 48, 99, 97, 0, 3, 1, 2],
        ],
    )
    reading = read(path)
    assert _rules(reading) == []
    record = reading.records.row(0, named=True)
    assert (record["live_births"], record["live_births_male"], record["early_neonatal_deaths_male"]) == (
        100,
        52,
        1,
    )
    assert record["women_systematic_managed"] == 97
    assert reading.reports.select("period_start", "period_end").row(0) == (
        dt.date(2014, 10, 1),
        dt.date(2015, 9, 30),
    )


def test_special_values_become_null_with_their_reason(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    row = {"region_code": "440507", "mch_year": 2015, "live_births": 10, "women_delivered": 10}
    row |= {
        "women_systematic_managed": 9,
        "maternal_deaths": 0,
        "prenatal_screened": -2,
        "preterm": -1,
        "macrosomia": -5,
    }
    reading = read(write(tmp_path / "mch.csv", catalogue["mch_maternal_annual"], [row]))
    record = reading.records.row(0, named=True)
    assert record["null_reasons"] == '{"prenatal_screened":"not_carried_out","preterm":"not_collected"}'
    assert (record["prenatal_screened"], record["preterm"]) == (None, None)
    (finding,) = reading.findings
    assert (finding.rule_id, finding.field_code, finding.value) == ("VALUE_NEGATIVE", "macrosomia", "-5")


def test_special_values_may_stand_in_brackets_and_other_numbers_may_not(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    row = {"region_code": "440507", "mch_year": 2015, "live_births": 10, "women_delivered": 10}
    row |= {"women_systematic_managed": 9, "maternal_deaths": 0}
    row |= {"prenatal_screened": "（－2）", "preterm": "(-1)", "macrosomia": "(1,200)"}
    reading = read(write(tmp_path / "mch.csv", catalogue["mch_maternal_annual"], [row]))
    record = reading.records.row(0, named=True)
    assert record["null_reasons"] == '{"prenatal_screened":"not_carried_out","preterm":"not_collected"}'
    (finding,) = reading.findings
    assert (finding.rule_id, finding.severity) == ("VALUE_NOT_A_NUMBER", "hard")
    assert (finding.field_code, finding.value) == ("macrosomia", "(1,200)")


def test_a_per_cent_sign_is_read_where_the_row_says_per_cent(tmp_path: Path, grid: Write, read: Read) -> None:
    head = ["机构编码", "统计季度", "任务编号", "计量单位", "目标值", "累计完成数"]
    rows = [
        ("T1", "%", "95%", "98.5％"),
        ("T2", "‰", 5, "4.2‰"),
        ("T3", "个", 10, "50%"),
        ("T4", "%", 5, "4‰"),
    ]
    path = grid(tmp_path / "tasks.csv", [head, *(["LH-J01", "2015年1-3月", *row] for row in rows)])
    reading = read(path)
    done = reading.records.select("task_code", "target_value", "done_cumulative").rows()
    assert done == [("T1", 95, 98.5), ("T2", 5, 4.2), ("T3", 10, None), ("T4", 5, None)]
    told = [(finding.rule_id, finding.severity, finding.cell) for finding in reading.findings]
    assert told == [("VALUE_IN_OTHER_UNIT", "hard", "F4"), ("VALUE_IN_OTHER_UNIT", "hard", "F5")]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_bad_cell_is_named_and_its_report_alone(
    file_format: str, tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    rows = [
        HOSPITAL,
        {**HOSPITAL, "organization_code": "LH-002", "visits_total": "12000人", "discharges": "#DIV/0!"},
    ]
    form = catalogue["hosp_monthly"]
    reading = read(write(tmp_path / f"f.{file_format}", form, rows, file_format, list(HOSPITAL)))
    found = {f.rule_id: (f.report_no, f.cell, f.value, f.severity) for f in reading.findings}
    assert found == {
        "VALUE_NOT_A_NUMBER": (2, "M3", "12000人", "hard"),
        "VALUE_FORMULA_ERROR": (2, "O3", "#DIV/0!", "hard"),
    }


def test_a_unit_of_money_that_differs_is_told(tmp_path: Path, grid: Write, read: Read) -> None:
    labels = ["机构名称", "卫生技术人员", "实有床位", "实际开放总床日数", "实际占用总床日数"]
    labels += ["医疗收入", "总诊疗人次数", "出院人数", "门诊收入（万元）"]
    row = ["构造医院", *range(8)]
    for title, cells in (
        ("单位：千元", ["I2"]),
        ("金额单位：元", ["F2", "I2"]),
        ("填报单位：元达医院", ["I2"]),
    ):
        reading = read(grid(tmp_path / "u.csv", [[f"2015年3月　{title}"], labels, row]))
        assert [f.cell for f in reading.findings if f.rule_id == "UNIT_DIFFERS"] == cells


def test_a_report_twice_keeps_both_and_names_both_rows(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    rows = [HOSPITAL, {**HOSPITAL, "organization_code": "LH-002"}, {**HOSPITAL, "visits_total": 13000}]
    reading = read(write(tmp_path / "f.csv", catalogue["hosp_monthly"], rows))
    assert reading.reports["record_count"].to_list() == [2, 1]
    assert reading.records.select("report_no", "record_no").rows() == [(1, 1), (2, 1), (1, 2)]
    (finding,) = reading.findings
    assert (finding.rule_id, finding.report_no, finding.severity) == ("REPORT_TWICE_IN_FILE", 1, "hard")
    assert "第2行" in finding.message_zh
    assert "第4行" in finding.message_zh


def test_a_workbook_may_hold_a_month_on_each_sheet(tmp_path: Path, read: Read) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month in (1, 2, 4):
        sheet = book.create_sheet(f"{month}月")
        sheet.append([f"龙湖区2015年{month}月法定传染病统计表"])
        sheet.append(["病名", "发病数", "死亡数", "发病率（/10万）"])
        for row in (
            ["甲乙丙类总计", 12, 0, 2.4],
            ["　病毒性肝炎", 10, 0, 2.0],
            ["丙类传染病合计", None, "-", None],
        ):
            sheet.append(row)
        sheet.append(["注：按发病日期统计"])
    book.create_sheet("说明").append(["本表按终审日期统计"])
    book.save(tmp_path / "idr.xlsx")
    reading = read(tmp_path / "idr.xlsx", region="440507")
    assert reading.part == ""
    assert reading.reports["period_start"].dt.month().to_list() == [1, 2, 4]
    assert set(reading.reports["subject_ref"]) == {"440507"}
    assert reading.records["disease_code"].to_list()[:3] == ["ABC_TOTAL", "0300", "C_TOTAL"]
    assert sorted(_rules(reading)) == ["PERIOD_MISSING_IN_SERIES", "SHEET_UNRECOGNISED"]


def test_an_unknown_disease_is_told_and_kept_out(tmp_path: Path, grid: Write, read: Read) -> None:
    path = grid(
        tmp_path / "2015年3月.csv",
        [["病种", "发病数", "死亡数"], ["麻疹", 3, 0], ["未知病", 1, 0], ["麻疹", 4, 0]],
    )
    reading = read(path, region="440507")
    assert reading.records["cases"].to_list() == [3, 4]
    assert _rules(reading) == ["VALUE_UNKNOWN_CODE", "MEMBER_TWICE_IN_REPORT"]


def test_a_row_with_numbers_and_no_disease_is_told_and_kept_out(
    tmp_path: Path, grid: Write, read: Read
) -> None:
    path = grid(
        tmp_path / "2015年3月.csv",
        [["病种", "发病数", "死亡数"], ["麻疹", 3, 0], [None, 55, 1], [None, None, None]],
    )
    reading = read(path, region="440507")
    assert reading.records["cases"].to_list() == [3]
    assert [(f.rule_id, f.cell) for f in reading.findings] == [("MEMBER_MISSING", "A3")]


def test_a_wide_file_needs_to_say_which_measure_it_holds(tmp_path: Path, grid: Write, read: Read) -> None:
    rows = [["月份", "鼠疫", "霍乱", "麻疹"], ["2015-01", 0, None, 5], ["2015-02", None, None, None]]
    reading = read(grid(tmp_path / "a.csv", rows), name="发病.csv", region="440507")
    assert reading.part == "cases"
    assert reading.reports["value_count"].to_list() == [2, 0]
    assert reading.records["cases"].to_list() == [0, 5, None]
    reading = read(tmp_path / "a.csv", name="某表.csv", region="440507")
    assert reading.reports.is_empty()
    assert _rules(reading) == ["PART_UNKNOWN"]


def test_rows_without_unit_or_period_are_told(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    rows = [
        HOSPITAL,
        {**HOSPITAL, "organization_code": None, "org_name": None},
        {**HOSPITAL, "report_month": "2015.1"},
        {**HOSPITAL, "report_month": None},
    ]
    reading = read(write(tmp_path / "f.csv", catalogue["hosp_monthly"], rows))
    assert reading.reports.height == 1
    assert sorted(_rules(reading)) == ["PERIOD_MISSING", "PERIOD_UNREADABLE", "SUBJECT_MISSING"]
    assert all(f.report_no is None and f.severity == "hard" for f in reading.findings)


def test_annual_forms_are_told_apart(tmp_path: Path, catalogue: Catalogue, write: Write) -> None:
    for code in ("inst_annual_hospital", "inst_annual_phc"):
        form = catalogue[code]
        row = {f.code: 1 for f in form.columns if f.role == "measure"} | {
            "org_name": "构造",
            "report_year": 2015,
        }
        (reading,) = read_file(write(tmp_path / "a.csv", form, [row]), catalogue=catalogue)
        assert reading.form.code == code
        assert reading.reports["period_end"].item() == dt.date(2015, 12, 31)


def test_positions_lead_to_the_cell(tmp_path: Path, catalogue: Catalogue, write: Write, read: Read) -> None:
    form = catalogue["hosp_monthly"]
    reading = read(write(tmp_path / "f.xlsx", form, [HOSPITAL], "xlsx-two-rows", list(HOSPITAL)))
    places = dict(reading.positions.select("field_code", "source_column").iter_rows())
    assert places["visits_total"] == list(HOSPITAL).index("visits_total") + 1
    assert reading.records.select("source_row", "source_column").row(0) == (5, None)
    assert reading.records.columns[:2] == ["report_no", "record_no"]
    assert reading.records.columns[2:-4] == [f.code for f in form.columns]
    assert reading.records.schema["revenue_medical"] == pl.Float64


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04 broken", "损坏"),
        ("机构名称,数\n".encode() + b"\xff\xfe\xff,1\n", "GB18030"),
        (b"a,b\n\x00\x01\x02,3\n", "文本"),
    ],
)
def test_what_is_no_table_is_told_in_words(
    content: bytes, words: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as error:
        read_file(path, catalogue=catalogue)
    (finding,) = error.value.findings
    assert finding.level == "file"
    assert words in finding.message_zh


def test_a_table_of_no_known_form_is_told_with_the_nearest(
    tmp_path: Path, catalogue: Catalogue, grid: Write
) -> None:
    with pytest.raises(UnrecognisedFile) as error:
        read_file(grid(tmp_path / "f.csv", [["备用栏", "出院人数"], ["甲", 3]]), catalogue=catalogue)
    assert "月报" in error.value.message_zh or "年报" in error.value.message_zh


def test_uneven_rows_and_stray_quotes_are_read(tmp_path: Path, read: Read) -> None:
    text = '标题 "月报\n病种,发病数,死亡数,\n麻疹,3,0,,,备注\n"流""感",1\n麻风病,"2",0\n'
    (tmp_path / "2015-03.csv").write_text(text, encoding="utf-8")
    reading = read(tmp_path / "2015-03.csv", region="440507")
    assert reading.records.select("disease_code", "cases").rows() == [("1000", 3), ("3400", 2)]


def test_the_source_names_region_and_reporter(tmp_path: Path, catalogue: Catalogue, grid: Write) -> None:
    path = grid(tmp_path / "2015-03.csv", [["病种", "发病数", "死亡数"], ["麻疹", 3, 0]])
    (reading,) = read_file(path, catalogue=catalogue, source=SourceContext("cdc", "440507", "LH-CDC"))
    assert reading.reports.select("subject_type", "subject_ref", "reporter_ref").row(0) == (
        "region",
        "440507",
        "LH-CDC",
    )


_cells = st.one_of(
    st.none(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.sampled_from(
        ["合计", "机构名称", "总诊疗人次数", "2015-03", "2015.1", "-2", "单位：元", "#REF!", "甲"]
    ),
)


@pytest.mark.parametrize("file_format", ["csv", "csv-gb18030", "xlsx"])
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutilated_report_ends_in_findings_and_never_in_a_crash(
    file_format: str, data: st.DataObject, tmp_path: Path, catalogue: Catalogue, grid: Write
) -> None:
    form = catalogue["hosp_monthly"]
    rows: list[list[Any]] = [
        ["医疗卫生机构医疗服务月报表"],
        ["统计年月：2015年3月"],
        [form.by_code[code].name_zh for code in HOSPITAL],
        *([*HOSPITAL.values()] for _ in range(3)),
    ]
    for _ in range(data.draw(st.integers(1, 6))):
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(_cells)
    if data.draw(st.booleans()):
        del rows[data.draw(st.integers(0, len(rows) - 1))]
    path = grid(tmp_path / "mutilated", rows, file_format)
    if data.draw(st.booleans()):
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, 10**6)) % len(content)] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
    try:
        readings = read_file(path, catalogue=catalogue, source=SourceContext("test", "440507"))
    except (UnreadableFile, UnrecognisedFile) as error:
        assert error.findings
        return
    for reading in readings:
        numbers = set(reading.reports["report_no"])
        assert set(reading.records["report_no"]) == numbers
        for finding in [*reading.findings, *check(reading, CheckContext())]:
            assert finding.report_no is None or finding.report_no in numbers
