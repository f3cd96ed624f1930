"""Every rule of every form holds for a sound report, fails for a broken one, and names the right cell."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.checks import CheckContext, check
from ingestion.explain import likely_causes
from ingestion.findings import Finding, cell_name
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.reading import Reading, read_file

Read = Callable[..., Reading]
Write = Callable[..., Path]

# Constructed reports that keep every rule.
SOUND: dict[str, dict[str, Any]] = {
    "hosp_monthly": {
        "organization_code": "LH-001",
        "report_month": "2015-05",
        "staff_technical": 100,
        "doctors": 40,
        "gp_registered": 3,
        "gp_certified": 2,
        "nurses": 45,
        "beds_actual": 50,
        "bed_days_open": 1550,
        "bed_days_occupied": 1200,
        "bed_days_of_discharged": 1150,
        "revenue_medical": 3000.5,
        "revenue_outpatient": 2000.25,
        "revenue_outpatient_drug": 900,
        "revenue_inpatient": 1000.25,
        "revenue_inpatient_drug": 400,
        "revenue_essential_drug": 500,
        "visits_total": 12000,
        "visits_outpatient_emergency": 11900,
        "visits_by_appointment": 100,
        "discharges": 150,
        "inpatient_deaths": 1,
        "proxy_clinic_visits": None,
        "proxy_org_count": None,
    },
    "inst_annual_hospital": {
        "organization_code": "LH-001",
        "report_year": 2015,
        "staff_total": 130,
        "staff_technical": 100,
        "staff_other_technical": 10,
        "staff_management": 8,
        "staff_logistics": 12,
        "village_doctors": None,
        "doctors_licensed": 35,
        "doctors_licensed_clinical": 25,
        "doctors_licensed_tcm": 5,
        "doctors_licensed_dental": 3,
        "doctors_licensed_ph": 2,
        "doctors_assistant": 5,
        "nurses": 45,
        "midwives": 4,
        "pharmacists": 6,
        "lab_technicians": 4,
        "imaging_technicians": 3,
        "other_health_technicians": 2,
        "beds_actual": 50,
        "beds_special": 5,
        "beds_negative_pressure": 2,
        "bed_days_open": 18250,
        "bed_days_occupied": 14000,
        "bed_days_of_discharged": 13800,
        "revenue_total": 100.5,
        "revenue_medical": 80,
        "revenue_fiscal_subsidy": 15.5,
        "revenue_science_education": 1,
        "revenue_other": 4,
        "assets_total": 500,
        "liabilities_current": 100,
        "liabilities_noncurrent": 50,
        "net_assets": 350,
        "visits_total": 144000,
        "visits_outpatient": 130000,
        "visits_emergency": 12000,
        "admissions": 1810,
        "discharges": 1800,
    },
    "mch_maternal_annual": {
        "region_code": "440507",
        "mch_year": 2015,
        "live_births": 1000,
        "live_births_male": 520,
        "live_births_female": 480,
        "live_births_sex_unknown": None,
        "women_delivered": 990,
        "women_nonagri": 600,
        "women_agri": 390,
        "women_antenatal_checked": 985,
        "women_antenatal_5plus": 975,
        "women_early_checked": 970,
        "women_postnatal_visited": 968,
        "women_systematic_managed": 965,
        "pmtct_hiv_tested": 980,
        "pmtct_hiv_infected": 0,
        "pmtct_syphilis_tested": 980,
        "pmtct_syphilis_infected": 1,
        "pmtct_hbv_tested": 980,
        "pmtct_hbv_positive": 50,
        "live_births_in_hospital": 999,
        "caesarean_live_births": 400,
        "highrisk_women": 100,
        "highrisk_managed": 99,
        "maternal_deaths": 1,
        "maternal_deaths_haemorrhage": 1,
        "maternal_deaths_hypertension": 0,
        "maternal_deaths_medical": 0,
        "maternal_deaths_embolism": 0,
        "maternal_deaths_other": 0,
        "maternal_mortality": 100,
        "stillbirths": 5,
        "early_neonatal_deaths": 2,
        "early_neonatal_deaths_male": 1,
        "early_neonatal_deaths_female": 1,
    },
}
SOUND["inst_annual_phc"] = SOUND["inst_annual_hospital"] | {
    "served_population": 30000,
    "children_0_6": 2000,
    "children_0_3": 1000,
    "population_65_plus": 3000,
    "health_records_cum": 25000,
    "health_records_electronic": 20000,
    "children_0_6_managed": 1900,
    "elderly_65_managed": 2000,
    "hypertension_managed_cum": 2500,
    "tcm_managed_0_3": 500,
    "tcm_managed_65": 1500,
}

# What breaks each rule, and the field whose cell the finding must name.
BROKEN: list[tuple[str, str, dict[str, Any], str]] = [
    ("hosp_monthly", "HM01", {"visits_outpatient_emergency": 12001}, "visits_outpatient_emergency"),
    ("hosp_monthly", "HM02", {"visits_by_appointment": 11901}, "visits_by_appointment"),
    (
        "hosp_monthly",
        "HM03",
        {"bed_days_occupied": 1551, "bed_days_of_discharged": 1500},
        "bed_days_occupied",
    ),
    ("hosp_monthly", "HM04", {"bed_days_open": 1300}, "bed_days_open"),
    ("hosp_monthly", "HM05", {"inpatient_deaths": 151}, "inpatient_deaths"),
    ("hosp_monthly", "HM06", {"nurses": 61}, "staff_technical"),
    ("hosp_monthly", "HM07", {"gp_certified": 38}, "gp_registered"),
    ("hosp_monthly", "HM08", {"revenue_medical": 3002}, "revenue_medical"),
    ("hosp_monthly", "HM09", {"revenue_inpatient_drug": 1001}, "revenue_outpatient_drug"),
    ("hosp_monthly", "HM10", {"revenue_essential_drug": 1301}, "revenue_essential_drug"),
    ("hosp_monthly", "HM11", {"bed_days_of_discharged": 10000}, "bed_days_of_discharged"),
    ("hosp_monthly", "HM13", {"visits_total": 310000}, "revenue_medical"),
    ("inst_annual_hospital", "IA01", {"staff_logistics": 13}, "staff_total"),
    ("inst_annual_hospital", "IA02", {"pharmacists": 7}, "staff_technical"),
    ("inst_annual_hospital", "IA03", {"doctors_licensed_ph": 3}, "doctors_licensed"),
    ("inst_annual_hospital", "IA04", {"midwives": 46}, "midwives"),
    ("inst_annual_hospital", "IA05", {"visits_emergency": 14001}, "visits_total"),
    ("inst_annual_hospital", "IA06", {"beds_negative_pressure": 51}, "beds_special"),
    ("inst_annual_hospital", "IA08", {"net_assets": 352}, "assets_total"),
    ("inst_annual_hospital", "IA09", {"revenue_other": 5.5}, "revenue_total"),
    ("inst_annual_hospital", "IA10", {"admissions": 1850}, "admissions"),
    ("inst_annual_hospital", "IA11", {"bed_days_of_discharged": 10000}, "bed_days_of_discharged"),
    ("inst_annual_phc", "IP01", {"health_records_electronic": 25001}, "health_records_electronic"),
    ("inst_annual_phc", "IP02", {"children_0_3": 2001}, "children_0_3"),
    ("inst_annual_phc", "IP03", {"elderly_65_managed": 3001}, "elderly_65_managed"),
    ("inst_annual_phc", "IP04", {"tcm_managed_65": 3001}, "tcm_managed_0_3"),
    ("inst_annual_phc", "IP05", {"hypertension_managed_cum": 100}, "hypertension_managed_cum"),
    ("inst_annual_phc", "IA01", {"staff_total": 131}, "staff_total"),
    ("mch_maternal_annual", "MM01", {"live_births_sex_unknown": 1}, "live_births"),
    ("mch_maternal_annual", "MM02", {"women_agri": 391}, "women_delivered"),
    (
        "mch_maternal_annual",
        "MM03",
        {"stillbirths": 0, "live_births_in_hospital": 985, "live_births": 985},
        "women_delivered",
    ),
    ("mch_maternal_annual", "MM04", {"women_antenatal_5plus": 986}, "women_antenatal_5plus"),
    ("mch_maternal_annual", "MM05", {"women_systematic_managed": 969}, "women_systematic_managed"),
    ("mch_maternal_annual", "MM06", {"caesarean_live_births": 1000}, "live_births_in_hospital"),
    ("mch_maternal_annual", "MM07", {"pmtct_hbv_positive": 981}, "pmtct_hiv_infected"),
    ("mch_maternal_annual", "MM07S", {"pmtct_hbv_tested": 991}, "pmtct_hiv_tested"),
    ("mch_maternal_annual", "MM08", {"maternal_deaths_other": 1}, "maternal_deaths"),
    ("mch_maternal_annual", "MM09", {"highrisk_managed": 101}, "highrisk_managed"),
    ("mch_maternal_annual", "MM10", {"maternal_mortality": 1.26}, "maternal_mortality"),
    ("mch_maternal_annual", "MM11", {"live_births_male": 600, "live_births_female": 400}, "live_births_male"),
    ("mch_maternal_annual", "MM12", {"early_neonatal_deaths": 3}, "early_neonatal_deaths"),
]
# Rules that need more than the report itself; their tests follow below.
BY_CONTEXT = {"HM12", "HM14", "HM15", "IA12", "IM01", "IM02", "IM03"}


def test_every_rule_of_these_forms_has_a_test(catalogue: Catalogue) -> None:
    tested = {rule for _, rule, _, _ in BROKEN} | BY_CONTEXT
    forms = [*SOUND, "idr_monthly"]
    assert {rule.id for code in forms for rule in catalogue[code].rules} == tested


@pytest.fixture
def judge(tmp_path: Path, write: Write, read: Read) -> Callable[..., list[Finding]]:
    """Findings of a row of a form, written as a file and read."""

    def _judge(form: Form, *rows: dict[str, Any], context: CheckContext | None = None) -> list[Finding]:
        reading = read(write(tmp_path / "report.csv", form, list(rows), "csv", list(rows[0])))
        assert reading.findings == []
        return check(reading, context or CheckContext())

    return _judge


@pytest.mark.parametrize("code", SOUND)
def test_a_sound_report_has_no_findings(
    catalogue: Catalogue, judge: Callable[..., list[Finding]], code: str
) -> None:
    assert judge(catalogue[code], SOUND[code]) == []


@pytest.mark.parametrize(("code", "rule", "change", "field"), BROKEN, ids=[f"{b[0]}-{b[1]}" for b in BROKEN])
def test_a_broken_rule_names_its_cell(  # noqa: PLR0917 - fixtures
    catalogue: Catalogue,
    judge: Callable[..., list[Finding]],
    code: str,
    rule: str,
    change: dict[str, Any],
    field: str,
) -> None:
    row = SOUND[code] | change
    findings = {finding.rule_id: finding for finding in judge(catalogue[code], row)}
    assert rule in findings
    finding = findings[rule]
    assert finding.severity == next(r.severity for r in catalogue[code].rules if r.id == rule)
    assert finding.field_code == field
    assert finding.cell == cell_name(2, list(row).index(field) + 1)
    for changed, value in change.items():
        if changed in finding.message_en:
            assert f"{value:g}" in finding.message_zh.replace(".0", "")


@pytest.mark.parametrize("code", SOUND)
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_blank_fields_never_crash_or_fail_a_rule(
    data: st.DataObject, catalogue: Catalogue, judge: Callable[..., list[Finding]], code: str
) -> None:
    form = catalogue[code]
    measures = [c for c in SOUND[code] if form.by_code[c].role == "measure"]
    blank = data.draw(st.sets(st.sampled_from(measures)))
    # Optional parts count as nothing when blank, so a total may then truly differ.
    assert judge(form, SOUND[code] | dict.fromkeys(blank)) == []


def test_a_jump_since_last_month_is_a_warning(
    catalogue: Catalogue, judge: Callable[..., list[Finding]]
) -> None:
    may = SOUND["hosp_monthly"]
    june = may | {"report_month": "2015-06", "visits_total": 20000, "bed_days_open": 1500}
    (finding,) = judge(catalogue["hosp_monthly"], may, june)
    assert (finding.rule_id, finding.level, finding.field_code, finding.report_no) == (
        "HM12",
        "history",
        "visits_total",
        2,
    )
    assert "上期3.1 总诊疗人次数=12000" in finding.message_zh
    columns = {code: [None] for code in ("discharges", "bed_days_occupied", "revenue_medical")}
    before = pl.DataFrame(
        {"subject_ref": ["LH-001"], "period_start": [dt.date(2015, 4, 1)], "visits_total": [5000], **columns}
    )
    (finding,) = judge(catalogue["hosp_monthly"], may, context=CheckContext(previous=before))
    assert finding.rule_id == "HM12"
    march = may | {"report_month": "2015-03"}
    before = before.with_columns(period_start=pl.lit(dt.date(2015, 2, 1)))
    assert judge(catalogue["hosp_monthly"], march, context=CheckContext(previous=before)) == []


def test_the_directory_decides_who_may_file(
    catalogue: Catalogue, judge: Callable[..., list[Finding]]
) -> None:
    row = SOUND["hosp_monthly"] | {"proxy_org_count": 3}
    form = catalogue["hosp_monthly"]

    def directory(*, proxy: bool, branch: bool) -> CheckContext:
        units = {"subject_ref": ["LH-001"], "is_proxy_reporter": [proxy], "is_branch": [branch]}
        return CheckContext(units=pl.DataFrame(units))

    assert judge(form, row) == []
    assert judge(form, row, context=directory(proxy=True, branch=False)) == []
    (finding,) = judge(form, row, context=directory(proxy=False, branch=False))
    assert (finding.rule_id, finding.level, finding.field_code) == ("HM14", "unit", "proxy_org_count")
    (finding,) = judge(form, row, context=directory(proxy=True, branch=True))
    assert (finding.rule_id, finding.severity) == ("HM15", "hard")


@pytest.mark.parametrize("code", ["inst_annual_hospital", "inst_annual_phc"])
def test_the_annual_number_is_held_against_the_months(
    catalogue: Catalogue, judge: Callable[..., list[Finding]], code: str
) -> None:
    yearly = pl.DataFrame(
        {
            "subject_ref": ["LH-001", "LH-001"],
            "form_code": ["hosp_monthly", "hosp_monthly"],
            "field_code": ["visits_total", "discharges"],
            "value": [100000.0, 1790.0],
        }
    )
    (finding,) = judge(catalogue[code], SOUND[code], context=CheckContext(yearly=yearly))
    assert (finding.rule_id, finding.severity, finding.field_code) == ("IA12", "soft", "visits_total")
    assert "月报合计=100000" in finding.message_zh


BULLETIN = [
    ("甲乙丙类总计", 150),
    ("甲乙类传染病合计", 100),
    ("病毒性肝炎", 60),
    ("甲型肝炎", 20),
    ("乙型肝炎", 40),
    ("肺结核", 40),
    ("丙类传染病合计", 50),
    ("手足口病", 50),
]


def _bulletin(path: Path, grid: Write, change: dict[str, int | None], title: str) -> Path:
    rows = [[name, change.get(name, cases), None] for name, cases in BULLETIN]
    return grid(path, [[title], ["病种", "发病数", "死亡数"], *rows])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"肺结核": 41}, [("IM01", "AB_TOTAL", "B4")]),
        ({"丙类传染病合计": 49}, [("IM01", "ABC_TOTAL", "B3"), ("IM01", "C_TOTAL", "B9")]),
        ({"甲型肝炎": 19}, [("IM03", "0300", "B5")]),
        ({"甲乙丙类总计": None, "手足口病": None}, []),
        ({"手足口病": None, "甲型肝炎": None, "乙型肝炎": None}, []),
    ],
)
def test_totals_add_up(
    change: dict[str, int | None], found: list[tuple[str, str, str]], tmp_path: Path, grid: Write, read: Read
) -> None:
    reading = read(_bulletin(tmp_path / "b.csv", grid, change, "2015年3月法定传染病"), region="440507")
    findings = check(reading, CheckContext())
    assert [(f.rule_id, f.breakdown, f.cell) for f in findings] == found
    assert {f.rule_id: f.severity for f in findings}.items() <= {("IM01", "soft"), ("IM03", "hard")}
    assert all(f.field_code == "cases" for f in findings)


def test_a_disease_counts_in_the_class_of_its_time(tmp_path: Path, grid: Write, read: Read) -> None:
    rows = [
        ["病种", "发病数", "死亡数"],
        ["甲乙类传染病合计", 12, 0],
        ["麻疹", 10, 0],
        ["黑热病", 2, 0],
        ["手足口病", 7, 0],
    ]
    for year, wrong in ((2004, 0), (2005, 1)):
        reading = read(grid(tmp_path / f"{year}年3月.csv", rows), region="000000")
        assert len(check(reading, CheckContext())) == wrong


def test_a_change_of_basis_is_told_once(tmp_path: Path, grid: Write, read: Read) -> None:
    reading = read(
        _bulletin(tmp_path / "b.csv", grid, {}, "统计口径：按发病日期　").with_name("b.csv"),
        name="2015年3月.csv",
        region="440507",
    )
    assert set(reading.records["count_basis"]) == {"onset"}
    before = reading.records.select("disease_code", count_basis=pl.lit("audit")).with_columns(
        subject_ref=pl.lit("440507"), period_start=pl.lit(dt.date(2015, 2, 1))
    )
    (finding,) = check(reading, CheckContext(previous=before))
    assert (finding.rule_id, finding.level, finding.severity) == ("IM02", "history", "soft")


def test_causes_that_the_numbers_give_away() -> None:
    assert "漏录" in likely_causes(359516, {"病毒性肝炎": 15099385, "其他": 208523}, [])[0][0]
    assert "未计入" in likely_causes(1889 + 0, {"甲": 1773, "乙": 42, "丙": 28, "丁": 74}, [])[0][0]
    assert "颠倒" in likely_causes(5123, {"甲": 5132}, [])[0][0]
    assert "一位数字" in likely_causes(1500, {"甲": 300, "乙": 200}, [])[0][0]
    assert "未填" in likely_causes(150, {"甲": 37, "乙": 50}, ["丙"])[-1][0]
    assert likely_causes(477, {"甲": 475, "乙": 1}, []) == []


SITE_FORM = """\
code: bed_count
name_zh: 床位快报
name_en: Bed count
subject: {type: organization, identify_by: [org_name], name: org_name}
period: {type: month, fields: [month]}
editions:
  - {code: old, name_zh: 旧版, valid_from: 2014-01-01, valid_to: 2015-01-01}
  - {code: new, name_zh: 新版, valid_from: 2015-01-01}
fields:
  - {code: org_name, labels: [机构名称], type: text, role: identity}
  - {code: month, labels: [月份], type: date, role: identity}
  - {code: ward, labels: [病区], type: text, role: breakdown}
  - {code: beds, labels: [床位数], type: int, nature: stock}
  - {code: beds_all, labels: [全院床位数], type: int, nature: stock}
layouts:
  - {code: table, kind: table}
rules:
  - id: BC01
    severity: soft
    check: sum_over(beds) == beds_all
    message_zh: 各病区床位之和应等于全院床位
    message_en: the beds of the wards must add up to all beds
  - id: BC02
    severity: hard
    check: sum_over(beds, 'ICU', 'CCU') <= 10
    once_per_report: true
    message_zh: 重症床位过多
    message_en: too many intensive-care beds
"""


def test_a_site_form_with_a_breakdown_and_two_editions(tmp_path: Path, grid: Write) -> None:
    (tmp_path / "bed_count.yml").write_text(SITE_FORM, encoding="utf-8")
    catalogue = load_forms(folders=(tmp_path,))
    rows = [
        ["机构名称", "月份", "病区", "床位数", "全院床位数"],
        ["构造医院", "2014-12", "内科", 20, 26],
        ["构造医院", "2014-12", "ICU", 6, None],
        ["构造医院", "2015-01", "ICU", 8, 20],
        ["构造医院", "2015-01", "CCU", 3, 11],
    ]
    old, new = read_file(grid(tmp_path / "f.csv", rows), catalogue=catalogue)
    assert (old.edition, new.edition) == ("old", "new")
    assert check(old, CheckContext()) == []
    assert [(f.rule_id, f.cell, f.breakdown) for f in check(new, CheckContext())] == [
        ("BC01", "D4", "ICU"),
        ("BC02", "D4", "ICU"),
    ]
