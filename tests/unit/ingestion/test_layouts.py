"""A report is the same report in whatever layout and format a unit writes it."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.checks import CheckContext, check
from ingestion.errors import UnrecognisedFile
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.reading import Reading, SourceContext, read_file
from ingestion.titles import unit_named
from tests.unit.ingestion import layouts
from tests.unit.ingestion.conftest import write_grid

LAYOUTS = ("table", "transposed", "sheet", "long")
FORMS = [
    code for code, form in load_forms().items() if not form.cards and not form.breakdowns and form.measures
]
PERIODS = {
    "month": ("{0}-03", "{0}年4月"),
    "quarter": ("{0}年第一季度", "{0}年4-6月"),
    "cumulative_quarter": ("{0}年1-3月", "{0}年上半年"),
    "year": ("{1}", "{0}年度"),
    "mch_year": ("{1}", "{1}年10月—{0}年9月"),
}


def codes_of(form: Form) -> list[str]:
    """Who, when, and every number."""
    return [*form.subject.identify_by[:1], *form.period.fields[:1], *(f.code for f in form.measures)]


def reports_of(form: Form, values: Callable[[str], object], units: int = 2) -> list[dict[str, Any]]:
    """Reports of some units for two periods."""
    unit, period, *measures = codes_of(form)
    year = 2016 if form.edition_at(dt.date(2016, 1, 1)) else 2025
    return [
        {
            unit: f"44050{number}",
            period: when.format(year, year - 1),
            **{code: values(code) for code in measures},
        }
        for number in range(units)
        for when in PERIODS[form.period.type]
    ]


def write(
    folder: Path, form: Form, layout: str, reports: list[dict[str, Any]], file_format: str
) -> list[Path]:
    """The reports in a layout; sheets of one report are sheets of one workbook, or files where there are none."""
    codes = codes_of(form)
    if layout != "sheet":
        grid = getattr(layouts, layout)(form, reports, codes)
        return [write_grid(folder / f"{layout}.{file_format}", grid, file_format)]
    if file_format != "xlsx":
        return [
            write_grid(folder / f"{number}.{file_format}", layouts.sheet(form, report, codes), file_format)
            for number, report in enumerate(reports)
        ]
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, report in enumerate(reports):
        page = book.create_sheet(f"第{number + 1}家")
        for row in layouts.sheet(form, report, codes):
            page.append(row)
    book.save(folder / "sheets.xlsx")
    return [folder / "sheets.xlsx"]


def read_all(paths: Sequence[Path], catalogue: Catalogue) -> list[Reading]:
    return [reading for path in paths for reading in read_file(path, catalogue=catalogue)]


def contents(readings: list[Reading]) -> list[tuple[object, ...]]:
    """Whose and when each report is, and the fingerprint of what it says."""
    columns = ("subject_ref", "period_start", "period_end", "value_count", "content_hash")
    return sorted(row for reading in readings for row in reading.reports.select(columns).rows())


@pytest.mark.parametrize("code", FORMS)
def test_every_form_says_the_same_in_every_layout(code: str, catalogue: Catalogue, tmp_path: Path) -> None:
    form = catalogue[code]
    numbers = random.Random(code)  # noqa: S311 - no secret
    reports = reports_of(form, lambda _: numbers.randint(0, 10**6))
    read = {layout: read_all(write(tmp_path, form, layout, reports, "xlsx"), catalogue) for layout in LAYOUTS}
    for layout, readings in read.items():
        assert {(reading.form.code, reading.layout) for reading in readings} == {(code, layout)}
        assert [f.rule_id for reading in readings for f in reading.findings] == []
    assert len(contents(read["table"])) == len(reports)
    assert {layout: contents(readings) for layout, readings in read.items()} == dict.fromkeys(
        LAYOUTS, contents(read["table"])
    )


@pytest.mark.parametrize("file_format", ["xlsx", "csv", "csv-gb18030", "tsv"])
@settings(
    max_examples=8,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_generated_reports_have_one_content(
    file_format: str, data: st.DataObject, tmp_path: Path, catalogue: Catalogue
) -> None:
    form = catalogue[data.draw(st.sampled_from(["hosp_monthly", "tb_quarterly", "mch_maternal_annual"]))]
    whole = st.one_of(st.none(), st.integers(0, 10**12))
    dec = st.one_of(st.none(), st.decimals(0, 10**7, places=3).map(float))
    reports = reports_of(form, lambda code: data.draw(whole if form.by_code[code].type == "int" else dec))
    expected = sorted(
        (report[codes_of(form)[0]], sum(report[f.code] is not None for f in form.measures))
        for report in reports
    )
    layout = data.draw(st.sampled_from(LAYOUTS[1:]))
    table = contents(read_all(write(tmp_path, form, "table", reports, file_format), catalogue))
    other = contents(read_all(write(tmp_path, form, layout, reports, file_format), catalogue))
    filled = [row for row in table if row[3]]
    assert sorted((row[0], row[3]) for row in table) == expected
    assert [row for row in other if row[3]] == filled


def test_positions_of_every_layout_lead_to_the_cell(catalogue: Catalogue, tmp_path: Path) -> None:
    form = catalogue["hosp_monthly"]
    numbers = iter(range(10, 10_000))
    reports = reports_of(form, lambda _: next(numbers))
    for layout in LAYOUTS:
        (path,) = write(tmp_path, form, layout, reports, "xlsx")
        book = openpyxl.load_workbook(path)
        for reading in read_file(path, catalogue=catalogue):
            assert check(reading, CheckContext()), "these numbers break rules"
            for finding in check(reading, CheckContext()):
                if finding.value and finding.cell:
                    page = book[finding.sheet]
                    assert str(page[finding.cell].value) == finding.value, (layout, finding)


def test_a_remark_in_a_number_cell_is_named_in_every_layout(catalogue: Catalogue, tmp_path: Path) -> None:
    form = catalogue["hosp_monthly"]
    reports = reports_of(form, lambda _: 7, units=1)
    reports[1]["beds_actual"] = "约二百"
    for layout in LAYOUTS:
        (path,) = write(tmp_path, form, layout, reports, "xlsx")
        book = openpyxl.load_workbook(path)
        (finding,) = (f for r in read_file(path, catalogue=catalogue) for f in r.findings)
        assert (finding.rule_id, finding.severity, finding.field_code) == (
            "VALUE_NOT_A_NUMBER",
            "hard",
            "beds_actual",
        )
        assert book[finding.sheet][finding.cell].value == "约二百"


# Wide layouts

VACCINES = [
    ["龙湖区2016年3月国家免疫规划疫苗常规接种情况报表"],
    ["接种单位编码", "居住属性", "乙肝疫苗", None, None, None, "卡介苗", None],
    [None, None, "第1剂", None, "第2剂", None, "第1剂", None],
    [None, None, "应种人数", "受种人数", "应种人数", "受种人数", "应种人数", "受种人数"],
    ["LH-1", "本地", 10, 9, 8, 7, None, 5],
    ["LH-1", "流动", 3, 2, 1, 0, 4, 4],
    ["LH-2", "本地", 6, 6, 5, 5, 4, 3],
]


def _vaccines(reading: Reading) -> list[tuple[object, ...]]:
    keys = ["subject_ref", "vaccine", "dose_no", "residence_class", "due_basic", "given_basic"]
    rows = reading.records.join(reading.reports.select("report_no", "subject_ref"), on="report_no")
    return sorted(rows.select(keys).rows(), key=repr)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_vaccine_dose_and_measure_stand_one_above_another(
    file_format: str, tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [[f"基础免疫{c}" if c in ("应种人数", "受种人数") else c for c in row] for row in VACCINES]
    reading = read(write_grid(tmp_path / "epi", grid, file_format))
    assert (reading.form.code, reading.layout, reading.findings) == ("epi_monthly", "by_vaccine", [])
    rows = _vaccines(reading)
    assert ("LH-1", "HepB", "1", "1", 10, 9) in rows
    assert ("LH-1", "BCG", "1", "1", None, 5) in rows
    assert ("LH-2", "HepB", "2", "1", 5, 5) in rows
    assert len(rows) == 9


def test_headings_may_stand_the_other_way_round_or_in_one_cell(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    upright = [[f"基础免疫{c}" if c in ("应种人数", "受种人数") else c for c in row] for row in VACCINES]
    expected = _vaccines(read(write_grid(tmp_path / "a.xlsx", upright, "xlsx")))
    filled = [VACCINES[1][:2], []]
    for row in upright[1:4]:
        last: object = None
        filled.append([last := cell if cell is not None else last for cell in row[2:]])
    vaccines, doses, measures = filled[2:]
    turned = [
        upright[0],
        ["接种单位编码", "居住属性", *measures],
        [None, None, *vaccines],
        [None, None, *doses],
    ]
    flat = [
        upright[0],
        ["接种单位编码", "居住属性", *map("".join, zip(vaccines, doses, measures, strict=True))],
    ]
    for grid in (turned, flat):
        reading = read(write_grid(tmp_path / "b.xlsx", [*grid, *upright[4:]], "xlsx"))
        assert reading.layout == "by_vaccine"
        assert reading.findings == []
        assert _vaccines(reading) == expected


def test_cells_of_a_wide_report_are_named(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [[f"基础免疫{c}" if c in ("应种人数", "受种人数") else c for c in row] for row in VACCINES]
    grid[4][5] = "七"
    grid[6][3] = 60
    reading = read(write_grid(tmp_path / "a.xlsx", grid, "xlsx"))
    (bad,) = reading.findings
    assert (bad.rule_id, bad.cell, bad.breakdown) == ("VALUE_NOT_A_NUMBER", "F5", "HepB/2/1")
    assert "乙肝" in bad.message_zh
    (more,) = (f for f in check(reading, CheckContext()) if f.rule_id == "EP01")
    assert (more.cell, more.breakdown) == ("D7", "HepB/1/1") or more.cell == "C7"


MONTHLY = """
code: months_test
name_zh: 门诊分月表
name_en: Visits by month
subject: {type: organization, identify_by: [org_name], name: org_name}
period: {type: month, title: true, file_name: true}
editions: [{code: "1", name_zh: 第一版}]
fields:
  - {code: org_name, labels: [机构名称], type: text, role: identity, required: true}
  - {code: visits, labels: [门诊人次], type: int, unit: 人次, nature: flow}
  - {code: admissions, labels: [住院人次], type: int, unit: 人次, nature: flow}
layouts:
  - {code: one, kind: wide, across: period, measure: visits}
  - {code: both, kind: wide, across: period, measures: [visits, admissions]}
  - {code: down, kind: transposed}
"""


@pytest.fixture(scope="module")
def by_month(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("forms")
    (folder / "months_test.yml").write_text(MONTHLY, encoding="utf-8")
    return load_forms(folders=(folder,))


def _months(readings: list[Reading]) -> list[tuple[object, ...]]:
    (reading,) = readings
    assert reading.findings == []
    rows = reading.records.join(reading.reports, on="report_no")
    return sorted(rows.select("subject_ref", "period_start", "visits", "admissions").rows(), key=repr)


def test_a_column_per_month_with_its_total_left_out(tmp_path: Path, by_month: Catalogue) -> None:
    grid = [
        ["2016年门诊分月表"],
        ["机构名称", "1月", "2月", "3月", "合计"],
        ["甲医院", 5, 6, None, 11],
        ["乙医院", 7, "-", None, 7],
    ]
    path = write_grid(tmp_path / "a.xlsx", grid, "xlsx")
    january, february = dt.date(2016, 1, 1), dt.date(2016, 2, 1)
    assert _months(read_file(path, catalogue=by_month)) == [
        ("乙医院", january, 7, None),
        ("乙医院", february, None, None),
        ("甲医院", january, 5, None),
        ("甲医院", february, 6, None),
    ]


def test_months_at_the_head_of_columns_may_be_date_cells(tmp_path: Path, by_month: Catalogue) -> None:
    heads = [dt.date(2016, 1, 1), dt.date(2016, 2, 1)]
    expected = [("甲医院", day, number, None) for day, number in zip(heads, (5, 6), strict=True)]
    for name, cells in (("a", heads), ("b", ["2016-01", "2016.02"])):
        grid = [["门诊分月表"], ["机构名称", *cells], ["甲医院", 5, 6]]
        path = write_grid(tmp_path / f"{name}.xlsx", grid, "xlsx")
        assert _months(read_file(path, catalogue=by_month)) == expected


def test_months_above_measures_and_months_beside_fields(tmp_path: Path, by_month: Catalogue) -> None:
    expected = [("甲医院", dt.date(2016, 1, 1), 5, 1), ("甲医院", dt.date(2016, 2, 1), 6, 2)]
    above = [
        ["门诊分月表"],
        ["机构名称", "2016年1月", None, "2016年2月", None, "合计", None],
        [None, "门诊人次", "住院人次", "门诊人次", "住院人次", "门诊人次", "住院人次"],
        ["甲医院", 5, 1, 6, 2, 11, 3],
    ]
    assert _months(read_file(write_grid(tmp_path / "a.csv", above), catalogue=by_month)) == expected
    beside = [
        ["甲医院门诊分月表"],
        ["指标", "2016年1月", "2016年2月", "2016年3月", "合计"],
        ["门诊人次", 5, 6, None, 11],
        ["住院人次", 1, 2, None, 3],
    ]
    assert _months(read_file(write_grid(tmp_path / "b.csv", beside), catalogue=by_month)) == expected


def test_quarters_and_halves_among_months_are_left_out_and_told(tmp_path: Path, by_month: Catalogue) -> None:
    january, february = dt.date(2016, 1, 1), dt.date(2016, 2, 1)
    heads = ["1月", "2月", "一季度", "上半年", "下半年", "1-6月累计", "全年"]
    numbers = [5, 6, 11, 11, None, 11, 11]
    over = [["2016年门诊分月表"], ["机构名称", *heads, "合计"], ["甲医院", *numbers, 11]]
    beside = [["2016年甲医院门诊分月表"], ["指标", *heads, "合计"], ["门诊人次", *numbers, 11], ["住院人次"]]
    for name, cells in (("a", over), ("b", beside)):
        path = write_grid(tmp_path / f"{name}.xlsx", cells, "xlsx")
        (reading,) = read_file(path, catalogue=by_month)
        told = [(one.rule_id, one.severity, one.value) for one in reading.findings]
        assert told == [
            ("COLUMN_LEFT_OUT", "soft", head) for head in heads[2:] if head != "下半年" or name == "a"
        ]
        rows = reading.records.join(reading.reports, on="report_no")
        assert rows.select("subject_ref", "period_start", "visits").rows() == [
            ("甲医院", january, 5),
            ("甲医院", february, 6),
        ]


@pytest.mark.parametrize(
    ("title", "heads", "own", "left_out"),
    [
        (
            "2015年3月医疗服务月报表",
            ["计量单位", "本月数", "1-3月累计", "上年同期数"],
            1,
            ["1-3月累计", "上年同期数"],
        ),
        (
            "2015年3月医疗服务月报表",
            ["上年同期", "本期", "增减%", "同比增长（%）"],
            1,
            ["上年同期", "增减%", "同比增长（%）"],
        ),
        ("2015年3月医疗服务月报表", ["累计", "当月"], 1, ["累计"]),
        ("2015年1-3月公共卫生服务项目季报", ["本季数", "本年累计"], 1, ["本季数"]),
        ("2015年1-3月公共卫生服务项目季报", ["本期", "上年同期"], 0, ["上年同期"]),
    ],
)
def test_of_columns_for_several_times_the_periods_own_is_read(  # noqa: PLR0917 - fixtures
    title: str, heads: list[str], own: int, left_out: list[str], tmp_path: Path, read: Callable[..., Reading]
) -> None:
    fields = {"卫生技术人员": "staff_technical", "总诊疗人次数": "visits_total", "出院人数": "discharges"}
    if "季报" in title:
        fields = {"辖区常住居民数": "resident_population", "累计建立健康档案数": "health_records_cum"}
    fields = {"机构编码": "organization_code", **fields}
    rows = [
        [label, *("T-1" if code == "organization_code" else 100 * row + at for at in range(len(heads)))]
        for row, (label, code) in enumerate(fields.items())
    ]
    for row in rows:
        if heads[0] == "计量单位":
            row[1] = "-" if row is rows[0] else "人"
    reading = read(write_grid(tmp_path / "a.xlsx", [[title], ["指标", *heads], *rows], "xlsx"))
    told = [one for one in reading.findings if one.rule_id != "COLUMN_MISSING"]
    assert [(one.rule_id, one.severity, one.value) for one in told] == [
        ("COLUMN_LEFT_OUT", "soft", head) for head in left_out
    ]
    assert reading.reports["subject_ref"].to_list() == ["T-1"]
    (record,) = reading.records.to_dicts()
    assert [record[code] for code in list(fields.values())[1:]] == [
        100 * row + own for row in range(1, len(fields))
    ]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_times_below_labels_tell_columns_apart(
    file_format: str, tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [
        ["2015年3月"],
        ["地区", "病种", "发病数", None, None, "死亡数", None],
        [None, None, "上年同期", "本月", "累计", "本月", "累计"],
        ["龙湖区", "麻疹", 4, 3, 9, 0, 1],
    ]
    reading = read(write_grid(tmp_path / f"a.{file_format}", grid, file_format))
    # The form asks for last year's cases, and for no accumulated ones.
    assert reading.records.select("cases", "cases_same_month_ly", "deaths").rows() == [(3, 4, 0)]
    assert [(one.rule_id, one.cell, one.value) for one in reading.findings] == [
        ("COLUMN_LEFT_OUT", "E3", "累计"),
        ("COLUMN_LEFT_OUT", "G3", "累计"),
    ]


def test_times_above_labels_tell_columns_apart(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [
        ["2015年3月"],
        ["地区", "病种", "本月", None, "本年累计", None],
        [None, None, "发病数", "死亡数", "发病数", "死亡数"],
        ["龙湖区", "麻疹", 3, 0, 9, 1],
    ]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert reading.records.select("cases", "deaths").rows() == [(3, 0)]
    assert [(one.rule_id, one.value) for one in reading.findings] == [
        ("COLUMN_LEFT_OUT", "本年累计 > 发病数"),
        ("COLUMN_LEFT_OUT", "本年累计 > 死亡数"),
    ]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("title", "above", "expected"),
    [
        ("2015年3月", ["指标", "甲医院", None, "乙医院", None], [("甲医院", 3), ("乙医院", 3)]),
        ("T-1 2015年", ["指标", "3月", None, "4月", None], [("T-1", 3), ("T-1", 4)]),
        ("2015年3月", ["机构编码", "T-1", "T-1", "T-2", "T-2"], [("T-1", 3), ("T-2", 3)]),
    ],
)
def test_several_units_or_months_have_their_own_numbers_beside_others(  # noqa: PLR0917 - fixtures
    title: str,
    above: list[object],
    expected: list[tuple[str, int]],
    file_format: str,
    tmp_path: Path,
    read: Callable[..., Reading],
) -> None:
    times: list[object] = ["指标", "本月", "累计", "本月", "累计"]
    codes = above[0] == "机构编码"
    grid: list[list[object]] = [[f"{title}医疗服务月报表"], *([times, above] if codes else [above, times])]
    if title.startswith("T-1"):
        grid.insert(1, ["机构编码：T-1"])
    grid += [["卫生技术人员", 1, 2, 3, 4], ["总诊疗人次数", 5, 6, 7, 8], ["出院人数", 9, 10, 11, 12]]
    reading = read(write_grid(tmp_path / f"a.{file_format}", grid, file_format))
    told = [one.value for one in reading.findings if one.rule_id != "COLUMN_MISSING"]
    assert told == ["累计", "累计"]
    rows = reading.reports.select("subject_ref", pl.col("period_start").dt.month()).rows()
    assert rows == expected
    assert reading.records.select("staff_technical", "visits_total", "discharges").rows() == [
        (1, 5, 9),
        (3, 7, 11),
    ]


def test_a_blank_number_of_the_month_is_not_taken_from_the_year(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [
        ["2015年3月医疗服务月报表"],
        ["机构编码：T-1"],
        ["项目", "本月数", "累计", "项目", "累计", "本月数"],
        ["卫生技术人员", 100, 300, "实有床位", 91, 90],
        ["总诊疗人次数", None, 55, "出院人数", 19, None],
    ]
    reading = read(write_grid(tmp_path / "a.xlsx", grid, "xlsx"))
    columns = ("staff_technical", "beds_actual", "visits_total", "discharges")
    assert reading.records.select(columns).rows() == [(100, 90, None, None)]
    told = [(one.rule_id, one.cell) for one in reading.findings if one.rule_id != "COLUMN_MISSING"]
    assert told == [("COLUMN_LEFT_OUT", "C3"), ("COLUMN_LEFT_OUT", "E3")]


def test_the_numbers_of_a_long_table_are_the_periods_own(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [
        ["机构编码", "年季", "指标", "本季数", "累计数"],
        ["T-1", "2015年1-6月", "辖区常住居民数", 5, 6],
        ["T-1", "2015年1-6月", "累计建立健康档案数", 3, 4],
    ]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert reading.records.select("resident_population", "health_records_cum").rows() == [(6, 4)]
    assert [(one.rule_id, one.value) for one in reading.findings] == [("COLUMN_LEFT_OUT", "本季数")]


def test_a_disease_over_its_measures_is_a_record_each(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [
        ["2016年3月"],
        ["地区", "麻疹", None, "流行性感冒", None],
        [None, "发病数", "死亡数", "发病数", "死亡数"],
        ["龙湖区", 3, 0, 12, None],
    ]
    reading = read(write_grid(tmp_path / "idr.xlsx", grid, "xlsx"))
    assert reading.layout == "blocks"
    assert reading.records.select("disease_code", "cases", "deaths").rows() == [
        ("1000", 3, 0),
        (reading.form.code_lists["disease"].code_of("流行性感冒"), 12, None),
    ]


def test_months_over_their_measures_beside_rows_of_diseases_are_reports(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    grid = [
        ["2016年法定传染病分月统计表"],
        ["病种", "1月", None, "2月", None, "合计", None],
        [None, "发病数", "死亡数", "发病数", "死亡数", "发病数", "死亡数"],
        ["麻疹", 3, 0, 4, 1, 7, 1],
        ["鼠疫", None, None, 1, None, 1, None],
        ["甲乙类合计", 3, 0, 5, 1, 8, 1],
    ]
    one = [
        ["2016年法定传染病分月发病数"],
        ["病种", "1月", "2月", "合计"],
        ["麻疹", 3, 4, 7],
        ["鼠疫", None, 1, 1],
    ]
    lane = SourceContext("test", "440507")
    january, february = dt.date(2016, 1, 1), dt.date(2016, 2, 1)
    for name, cells in (("a.xlsx", grid), ("b.csv", grid)):
        path = write_grid(tmp_path / name, cells, name.partition(".")[2])
        (reading,) = read_file(path, catalogue=catalogue, source=lane)
        assert (reading.form.code, reading.layout, reading.findings) == ("idr_monthly", "months", [])
        rows = reading.records.join(reading.reports, on="report_no", maintain_order="left")
        assert sorted(rows.select("period_start", "disease_code", "cases", "deaths").rows(), key=repr) == [
            (january, "1000", 3, 0),
            (january, "AB_TOTAL", 3, 0),
            (february, "0100", 1, None),
            (february, "1000", 4, 1),
            (february, "AB_TOTAL", 5, 1),
        ]
    (reading,) = read_file(write_grid(tmp_path / "c.csv", one), catalogue=catalogue, source=lane)
    assert (reading.layout, reading.part, reading.findings) == ("months_of_one", "cases", [])
    assert reading.records["cases"].to_list() == [3, 4, 1]


def test_diseases_stand_over_columns_and_measures_beside_rows(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [
        ["2016年3月"],
        ["指标名称", "麻疹", "鼠疫", "甲乙丙类总计"],
        ["发病数", 3, None, 3],
        ["死亡数", 0, 1, 1],
    ]
    reading = read(write_grid(tmp_path / "a.csv", grid), region="440507")
    assert (reading.layout, reading.findings) == ("transposed", [])
    assert reading.records.select("disease_code", "cases", "deaths").rows() == [
        ("1000", 3, 0),
        ("0100", None, 1),
        ("ABC_TOTAL", 3, 1),
    ]


def test_units_stand_over_columns_and_their_total_is_left_out(
    tmp_path: Path, catalogue: Catalogue, read: Callable[..., Reading]
) -> None:
    form = catalogue["hosp_monthly"]
    rows = [[f.name_zh, number, 2 * number, 3 * number] for number, f in enumerate(form.measures, start=10)]
    grid = [["医疗服务月报表（2016年3月）"], ["指标", "甲医院", "乙医院", "合计"], *rows, ["填表人：丁"]]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert reading.findings == []
    assert reading.reports["subject_ref"].to_list() == ["甲医院", "乙医院"]
    assert reading.records[form.measures[0].code].to_list() == [10, 20]


def test_sections_merged_beside_labels_tell_them_apart(tmp_path: Path, read: Callable[..., Reading]) -> None:
    book = openpyxl.Workbook()
    page = book.active
    for row in (
        ["孕产妇保健和健康情况年报表"],
        ["地区：440507", None, "统计年度：2016"],
        ["项目", None, "数值"],
        ["活产数", "合计", 100],
        [None, "男", 52],
        [None, "女", 48],
        ["产妇数", "合计", 99],
        ["孕产妇死亡人数", "合计", 0],
        ["系统管理人数", None, 90],
    ):
        page.append(row)
    for cells in ("A1:C1", "A4:A6", "A9:B9"):
        page.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    reading = read(tmp_path / "a.xlsx")
    assert (reading.layout, reading.findings) == ("sheet", [])
    columns = ["live_births", "live_births_male", "live_births_female", "women_delivered", "maternal_deaths"]
    assert reading.records.select(columns).row(0) == (100, 52, 48, 99, 0)


def test_labels_may_stand_above_their_values(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [
        ["医疗服务月报表"],
        ["机构名称", "统计年月"],
        ["甲医院", "2016-03"],
        ["卫生技术人员", "实有床位", "总诊疗人次数", "医疗收入"],
        [10, 5, 100, 300],
        ["出院人数", "实际开放总床日数", "实际占用总床日数"],
        [7, 155, 100],
    ]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert (reading.layout, reading.findings) == ("sheet", [])
    columns = ["staff_technical", "visits_total", "discharges", "bed_days_occupied"]
    assert reading.records.select(columns).row(0) == (10, 100, 7, 100)


# What stands around the table


def test_period_and_unit_may_stand_in_a_title_a_sheet_name_or_the_file_name(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    form = catalogue["hosp_monthly"]
    header = [form.by_code[f.code].name_zh for f in form.measures]
    numbers = list(range(100, len(header) + 100))

    def subjects(path: Path, name: str) -> list[tuple[object, ...]]:
        (reading,) = read_file(path, name=name, catalogue=catalogue)
        assert [f.rule_id for f in reading.findings] == []
        return reading.reports.select("subject_ref", "period_start").rows()

    expected = [("龙湖人民医院", dt.date(2016, 3, 1))]
    title = write_grid(tmp_path / "a.csv", [["龙湖人民医院2016年3月医疗服务月报表"], header, numbers])
    assert subjects(title, "报表.csv") == expected
    bare = write_grid(tmp_path / "b.csv", [header, numbers])
    assert subjects(bare, "201603_月报_龙湖人民医院.csv") == expected
    book = openpyxl.Workbook()
    book.active.title = "龙湖人民医院"
    for row in (header, numbers):
        book.active.append(row)
    book.save(tmp_path / "c.xlsx")
    assert subjects(tmp_path / "c.xlsx", "医院月报2016-03.xlsx") == expected


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("构造公立医院一2015年3月医疗服务月报表", "构造公立医院一"),
        ("构造公立医院一 2015年3月医疗服务月报表", "构造公立医院一"),
        ("构造公立医院十二（2015年3月）", "构造公立医院十二"),
        ("构造公立医院一二〇一五年三月月报表", "构造公立医院一"),
        ("2015年3月构造公立医院二医疗服务月报表", "构造公立医院二"),
        ("201503_月报_构造卫生院三", "构造卫生院三"),
        ("构造第一人民医院2015年3月", "构造第一人民医院"),
        ("2015年构造公立医院一季度报表", "构造公立医院"),
        ("构造公立医院三月医疗服务月报表", "构造公立医院"),
        ("构造公立医院一览表 2015年3月", "构造公立医院"),
    ],
)
def test_the_number_of_a_unit_belongs_to_its_name(title: str, name: str, catalogue: Catalogue) -> None:
    assert unit_named([title], catalogue["hosp_monthly"]) == name


@pytest.mark.parametrize("label", ["代报单位", "代报机构", "代填单位（盖章）", "代填报机构"])
def test_who_files_for_another_stands_in_a_title(
    label: str, tmp_path: Path, read: Callable[..., Reading]
) -> None:
    lines: list[list[object]] = [
        [f"填报单位：构造卫生室 {label}：构造卫生院"],
        ["填报单位：构造卫生室", f"{label}：", "构造卫生院"],
    ]
    for number, line in enumerate(lines):
        grid: list[list[object]] = [
            ["医疗服务月报表 2015年4月"],
            line,
            ["机构编码", "卫生技术人员", "总诊疗人次数"],
            ["T-1", 3, 60],
        ]
        reading = read(write_grid(tmp_path / f"{number}.xlsx", grid, "xlsx"))
        assert [finding.rule_id for finding in reading.findings if finding.rule_id != "COLUMN_MISSING"] == []
        assert reading.reports.select("subject_ref", "reporter_ref").rows() == [("T-1", "构造卫生院")]


def test_who_files_for_another_is_not_whom_a_report_is_about(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    labels, values = ["卫生技术人员", "总诊疗人次数", "实有床位"], [3, 60, 0]
    for number, line in enumerate([["代报单位：构造卫生院"], ["代报单位：", "构造卫生院"]]):
        grid = [["医疗服务月报表 2015年4月"], line, labels, values]
        reading = read(write_grid(tmp_path / f"{number}.xlsx", grid, "xlsx"))
        assert "SUBJECT_MISSING" in {finding.rule_id for finding in reading.findings}
        assert reading.reports.is_empty()


def test_a_column_says_who_filed_each_row(tmp_path: Path, read: Callable[..., Reading]) -> None:
    head = ["机构编码", "统计年月", "代报单位", "卫生技术人员", "总诊疗人次数"]
    rows = [["T-1", "2015-04", "T-9", 3, 60], ["T-2", "2015-04", None, 3, 60]]
    grid = [["填报单位：T-2"], head, *rows]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert "COLUMN_UNKNOWN" not in {finding.rule_id for finding in reading.findings}
    assert reading.reports.select("subject_ref", "reporter_ref").rows() == [("T-1", "T-9"), ("T-2", "T-2")]


def test_a_sheet_called_after_a_month_takes_its_year_from_the_title(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month in ("1月", "二月", "March"):
        page = book.create_sheet(month)
        for row in (["2016年传染病"], ["病种", "发病数", "死亡数"], ["麻疹", 3, 0]):
            page.append(row)
    book.save(tmp_path / "a.xlsx")
    (reading,) = read_file(tmp_path / "a.xlsx", catalogue=catalogue, source=SourceContext("cdc", "440507"))
    assert reading.reports["period_start"].dt.month().to_list() == [1, 2, 3]


def test_title_and_file_name_that_disagree_are_told(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [["2016年3月传染病"], ["病种", "发病数", "死亡数"], ["麻疹", 3, 0]]
    reading = read(write_grid(tmp_path / "a.csv", grid), name="2016年4月.csv", region="440507")
    assert reading.reports["period_start"].to_list() == [dt.date(2016, 3, 1)]
    assert [(f.rule_id, f.severity) for f in reading.findings] == [("PERIOD_CONTRADICTION", "soft")]


def test_two_cumulative_quarters_of_a_year_are_two_reports(tmp_path: Path, catalogue: Catalogue) -> None:
    form = next(
        form
        for form in catalogue.values()
        if form.period.type == "cumulative_quarter" and not form.breakdowns
    )
    reports = reports_of(form, lambda _: 5, units=1)
    (reading,) = read_all(write(tmp_path, form, "table", reports, "csv"), catalogue)
    assert reading.reports["period_end"].to_list() == [dt.date(2016, 3, 31), dt.date(2016, 6, 30)]
    assert reading.reports["record_count"].to_list() == [1, 1]
    assert reading.findings == []


def test_a_table_without_rows_is_an_empty_report_where_title_and_lane_say_whose(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [["2016年3月法定传染病月统计报表"], ["病种", "发病数", "死亡数"]]
    reading = read(write_grid(tmp_path / "a.csv", grid), region="440507")
    assert reading.reports.select("subject_ref", "record_count", "value_count").rows() == [("440507", 0, 0)]
    assert reading.records.is_empty()


def test_numbers_of_an_unknown_member_hold_up_their_report_alone(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    grid = [
        ["地区", "月份", "病种", "发病数", "死亡数"],
        ["440507", "2016-03", "麻疹", 3, 0],
        ["440507", "2016-03", "未知病", 1, 0],
        ["440507", "2016-04", "一、甲类", None, None],
        ["440507", "2016-04", "麻疹", 4, 0],
        ["440507", "2016-05", "怪病", 4, 0],
    ]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert [(f.rule_id, f.severity, f.report_no, f.cell) for f in reading.findings] == [
        ("VALUE_UNKNOWN_CODE", "hard", 1, "C3"),
        ("VALUE_UNKNOWN_CODE", "hard", 3, "C6"),
        ("VALUE_UNKNOWN_CODE", "soft", 2, "C4"),
    ]
    assert reading.reports["record_count"].to_list() == [1, 1, 0]


def test_a_footnote_keeps_the_number_and_is_told(tmp_path: Path, read: Callable[..., Reading]) -> None:
    grid = [["2016年3月"], ["病种", "发病数", "死亡数"], ["麻疹", "12①", "3*"], ["鼠疫", "5²", 0]]
    reading = read(write_grid(tmp_path / "a.csv", grid), region="440507")
    assert reading.records["cases"].to_list() == [12, None]
    assert [(f.rule_id, f.severity, f.cell, f.value) for f in reading.findings] == [
        ("VALUE_NOT_A_NUMBER", "hard", "B4", "5²"),
        ("VALUE_FOOTNOTE", "soft", "B3", "12①"),
        ("VALUE_FOOTNOTE", "soft", "C3", "3*"),
    ]


def test_header_rows_that_come_again_on_the_next_page_are_no_records(
    tmp_path: Path, read: Callable[..., Reading]
) -> None:
    header = ["地区", "月份", "病种", "发病数", "死亡数"]
    grid = [header, ["440507", "2016-03", "麻疹", 3, 0], header, ["440507", "2016-03", "鼠疫", 0, 0]]
    reading = read(write_grid(tmp_path / "a.csv", grid))
    assert reading.findings == []
    assert reading.records["source_row"].to_list() == [2, 4]


def test_a_heading_between_two_tables_lacks_no_period(tmp_path: Path, read: Callable[..., Reading]) -> None:
    header = ["机构编码", "统计年月", "总诊疗人次数", "出院人数"]
    rows = [["LH-1", "2016-03", 7, 1], ["LH-2", "2016-03", 8, 2]]
    grid = [["医疗服务月报表"], header, rows[0], [], ["医疗服务月报表"], header, rows[1]]
    reading = read(write_grid(tmp_path / "f.csv", grid))
    assert reading.records["visits_total"].to_list() == [7, 8]
    assert {one.rule_id for one in reading.findings} == {"COLUMN_MISSING"}
    more = read(write_grid(tmp_path / "f.csv", [*grid, ["LH-3", None, 9, 3]])).findings
    assert [one.cell for one in more if one.rule_id == "PERIOD_MISSING"] == ["B8"]


@pytest.mark.parametrize("labels", [4, 30])
def test_labels_without_records_are_told_as_such(labels: int, tmp_path: Path, catalogue: Catalogue) -> None:
    columns = [field.labels[0] for field in catalogue["hosp_monthly"].fields]
    path = write_grid(tmp_path / "f.csv", [columns[:labels]])
    with pytest.raises(UnrecognisedFile) as raised:
        read_file(path, catalogue=catalogue)
    if labels > 4:
        assert "“医疗卫生机构医疗服务月报表”，但表头之下没有数据" in raised.value.message_zh


def test_labels_at_the_foot_of_a_sheet_have_no_values_and_break_nothing(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    path = write_grid(tmp_path / "f.csv", [["机构编码", "统计年月", "总诊疗人次数", "出院人数"]])
    readings = read_file(path, catalogue=catalogue)
    assert any(one.severity == "hard" for reading in readings for one in reading.findings)
    assert all(reading.records.is_empty() for reading in readings)


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_tables_of_several_units_stand_one_below_another(
    file_format: str, tmp_path: Path, catalogue: Catalogue, read: Callable[..., Reading]
) -> None:
    form = catalogue["hosp_monthly"]
    header = ["统计年月", *(f.name_zh for f in form.measures)]
    grid: list[list[object]] = []
    for number, name in enumerate(("甲医院", "乙医院", "丙医院")):
        numbers = range(100 * number + 100, 100 * number + 99 + len(header))
        grid += [["医疗服务月报表"], [f"机构名称：{name}", None, "单位：千元"], header, ["2016-03", *numbers]]
        grid += [["填表人：（构造）"], []]
    reading = read(write_grid(tmp_path / "a", grid, file_format))
    assert reading.findings == []
    assert reading.reports["subject_ref"].to_list() == ["甲医院", "乙医院", "丙医院"]
    first = form.measures[0].code
    assert reading.records[first].to_list() == [100, 200, 300]
    assert reading.records["source_row"].to_list() == [4, 10, 16]


@settings(
    max_examples=15,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_generated_vaccinations_have_one_content_in_table_and_wide_files(
    data: st.DataObject, tmp_path: Path, catalogue: Catalogue
) -> None:
    number = st.one_of(st.none(), st.integers(0, 10**6))
    members = [(vaccine, dose) for vaccine in ("乙肝疫苗", "卡介苗") for dose in ("第1剂", "第2剂")]
    filled = {
        (unit, residence, *member): (data.draw(number), data.draw(number))
        for unit in ("LH-1", "LH-2")
        for residence in ("本地", "流动")
        for member in members
    }
    title = ["国家免疫规划疫苗常规接种情况报表（2016年3月）"]
    labels = ["基础免疫应种人数", "基础免疫受种人数"]
    table: layouts.Grid = [title, ["接种单位编码", "居住属性", "疫苗", "剂次", *labels]]
    table += [[*key, *numbers] for key, numbers in filled.items()]
    wide: layouts.Grid = [title, ["接种单位编码", "居住属性"], [None, None], [None, None]]
    for vaccine, dose in members:
        wide[1] += [vaccine, vaccine]
        wide[2] += [dose, dose]
        wide[3] += labels
    for unit in ("LH-1", "LH-2"):
        for residence in ("本地", "流动"):
            cells = [cell for member in members for cell in filled[(unit, residence, *member)]]
            wide.append([unit, residence, *cells])
    read = [
        read_all([write_grid(tmp_path / f"{name}.csv", grid)], catalogue)
        for name, grid in (("table", table), ("wide", wide))
    ]
    assert [[reading.layout for reading in readings] for readings in read] == [["table"], ["by_vaccine"]]
    assert [f.rule_id for readings in read for reading in readings for f in reading.findings] == []
    assert contents(read[0]) == contents(read[1])


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_fields_may_go_on_below_the_rows_that_are_looked_at_first(
    file_format: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    form = max((catalogue[code] for code in FORMS), key=lambda form: len(form.measures))
    assert len(form.measures) > 45
    numbers = iter(range(100, 10_000))
    reports = reports_of(form, lambda _: next(numbers))
    expected = contents(read_all(write(tmp_path, form, "table", reports, file_format), catalogue))
    for layout in ("transposed", "long"):
        readings = read_all(write(tmp_path, form, layout, reports, file_format), catalogue)
        assert contents(readings) == expected
