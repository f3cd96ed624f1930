"""Forms of disease control, maternal and child health, occupational health and toilets: every rule, both ways."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion.checks import CheckContext, check
from ingestion.findings import Finding
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading

Read = Callable[..., Reading]
Write = Callable[..., Path]
Row = dict[str, Any]

_DEATHS = {
    f"deaths_{age}{sex}": numbers[place]
    for age, numbers in (("under5", (9, 5, 4, 0)), ("infant", (6, 3, 3, 0)), ("neonatal", (4, 2, 2, 0)))
    for place, sex in enumerate(("", "_male", "_female", "_sex_unknown"))
}

_CHILDREN: Row = {
    "region_code": "440507",
    **_DEATHS,
    "children_lt7": 45_000,
    "children_lt5": 33_000,
    "children_lt3": 20_000,
    "breastfeeding_surveyed": 5_000,
    "breastfed": 4_500,
    "exclusively_breastfed": 3_000,
    "newborns_visited": 7_049,
    "newborns_screened_pku": 7_100,
    "newborns_screened_ch": 7_100,
    "newborns_screened_hearing": 7_000,
    "children_0_6_managed": 44_000,
    "children_lt3_systematic": 19_000,
    "measured_lt5": 31_000,
    "underweight": 300,
    "stunted": 250,
    "overweight": 900,
    "obese": 400,
    "hb_tested_lt5": 30_000,
    "anaemic": 900,
    "anaemic_mod_severe": 40,
}

# Constructed reports that keep every rule.
SOUND: dict[str, Row] = {
    "epi_monthly": {
        "org_code": "LH-C01",
        "month": "2015-10",
        "vaccine": "乙肝疫苗",
        "dose_no": "第1剂",
        "residence_class": "本地",
        "units_due": 12,
        "units_reported": 12,
        "due_basic": 120,
        "due_basic_lt12m": 118,
        "given_basic": 119,
        "given_basic_lt12m": 117,
        "hepb_birth_dose_timely": 110,
        "due_booster": 0,
        "given_booster": 0,
    },
    "smi_quarterly": {
        "region_code": "440507",
        "quarter": "2015年第三季度",
        "smi_registered": 2_150,
        "smi_consented": 2_000,
        "smi_managed": 1_950,
        "smi_std_managed": 1_800,
        "smi_medicated": 1_700,
        "smi_regular_medication": 1_200,
        "smi_stable": 1_600,
        "smi_risk_0": 1_700,
        "smi_deaths": 12,
        "smi_lost": 20,
        "resident_population": 550_000,
        "smi_schizophrenia": 1_600,
        "smi_paranoid": 20,
        "smi_schizoaffective": 30,
        "smi_bipolar": 200,
        "smi_epilepsy": 100,
        "smi_retardation": 200,
    },
    "tb_quarterly": {
        "region_code": "440507",
        "quarter": "2015年第三季度",
        "tb_registered_active": 70,
        "tb_notified_phc": 68,
        "tb_managed_phc": 67,
        "tb_cohort_registered": 75,
        "tb_cohort_cured": 40,
        "tb_cohort_completed": 28,
        "tb_cohort_failed": 1,
        "tb_cohort_died": 2,
        "tb_cohort_lost": 3,
        "tb_cohort_other": 1,
    },
    "hiv_test_monthly": {
        "organization_code": "LH-001",
        "month": "2015-10",
        "test_site_type": "术前检测",
        "tests": 800,
        "positives_screen": 3,
        "positives_confirmed": 1,
    },
    "mch_child_annual": _CHILDREN | {"mch_year": 2015},
    "mch_child_quarterly": _CHILDREN | {"quarter": "2015年第三季度"},
    "mch_nonresident_annual": {
        "region_code": "440507",
        "mch_year": 2015,
        "live_births_nonresident": 3_000,
        "women_nonresident": 2_980,
        "systematic_nonresident": 2_500,
        "hospital_delivery_nonresident": 2_999,
        "maternal_deaths_nonresident": 0,
        "infant_deaths_nonresident": 3,
        "under5_deaths_nonresident": 5,
    },
    "women_screening_annual": {
        "region_code": "440507",
        "mch_year": 2015,
        "women_20_64": 170_000,
        "women_due": 60_000,
        "women_screened": 50_000,
        "disease_found": 12_000,
        "cervical_screened": 20_000,
        "cervical_precancer": 60,
        "cervical_cancer": 8,
        "breast_screened": 20_000,
        "breast_cancer": 9,
        "treated": 11_500,
    },
    "women_screening_quarterly": {
        "region_code": "440507",
        "quarter": "2015年第三季度",
        "women_due": 10_000,
        "women_screened": 7_000,
        "disease_found": 1_500,
        "cervical_screened": 7_000,
        "cervical_precancer": 20,
        "cervical_cancer": 3,
        "breast_screened": 6_900,
        "breast_cancer": 2,
        "treated": 1_400,
    },
    "fp_services_annual": {
        "region_code": "440507",
        "mch_year": 2015,
        "iud_insert": 4_000,
        "iud_remove": 1_500,
        "vasectomy": 10,
        "tubal_ligation": 900,
        "abortion": 3_000,
        "consultations": 40_000,
        "complications": 2,
    },
    "premarital_annual": {
        "region_code": "440507",
        "mch_year": 2015,
        "married_male": 3_000,
        "married_female": 3_000,
        "checked_male": 1_500,
        "checked_female": 1_510,
        "disease_found": 120,
        "advised": 5_000,
    },
    "newborn_screening_monthly": {
        "organization_code": "LH-001",
        "month": "2015-10",
        "live_births_at_hospital": 300,
        "metabolic_screened": 298,
        "metabolic_positive": 4,
        "metabolic_recalled": 3,
        "pku_confirmed": 0,
        "ch_confirmed": 1,
        "hearing_screened": 297,
        "hearing_failed": 12,
        "hearing_rescreened": 11,
        "hearing_diagnosed": 1,
    },
    "occupational_reports": {
        "region_code": "440507",
        "year": 2015,
        "enterprise_id": "QY-001",
        "hazard": "噪声",
        "workers_exposed": 200,
        "workers_checked": 190,
        "points_sampled": 12,
        "points_exceed": 2,
    },
    "toilet_quarterly": {
        "township_code": "440507101",
        "quarter": "2015年第三季度",
        "households": 9_000,
        "toilets_cum": 8_800,
        "toilets_harmless_cum": 8_500,
        "toilets_new": 90,
        "toilets_removed": 0,
        "sanitary_villages": 7,
        "population_in_sanitary_villages": 21_000,
    },
}

# A change that breaks the rule, and the severity of its finding.
BROKEN: list[tuple[str, str, str, Row]] = [
    ("epi_monthly", "EP01", "soft", {"due_basic": 118}),
    ("epi_monthly", "EP01", "soft", {"given_booster": 1}),
    ("epi_monthly", "EP02", "hard", {"due_basic_lt12m": 121}),
    ("epi_monthly", "EP02", "hard", {"given_basic_lt12m": 120}),
    ("epi_monthly", "EP05", "soft", {"hepb_birth_dose_timely": 120}),
    ("epi_monthly", "EP06", "hard", {"units_reported": 11}),
    ("smi_quarterly", "SM01", "hard", {"smi_std_managed": 1_951}),
    ("smi_quarterly", "SM01", "hard", {"smi_managed": 2_151}),
    ("smi_quarterly", "SM01", "hard", {"smi_regular_medication": 1_701}),
    ("smi_quarterly", "SM01", "hard", {"smi_medicated": 2_151}),
    ("smi_quarterly", "SM02", "hard", {"smi_bipolar": 201}),
    ("smi_quarterly", "SM03", "soft", {"resident_population": 55}),
    ("tb_quarterly", "TB01", "soft", {"tb_cohort_cured": 41}),
    ("tb_quarterly", "TB02", "soft", {"tb_managed_phc": 69}),
    ("hiv_test_monthly", "HV01", "soft", {"positives_confirmed": 4}),
    ("hiv_test_monthly", "HV01", "soft", {"positives_screen": 801}),
    ("mch_child_annual", "MC01", "hard", {"children_lt5": 45_000}),
    ("mch_child_annual", "MC02", "hard", {"deaths_infant": 10}),
    ("mch_child_annual", "MC02", "hard", {"deaths_neonatal_male": 4}),
    ("mch_child_annual", "MC03", "hard", {"deaths_under5_sex_unknown": 1}),
    ("mch_child_annual", "MC03S", "soft", {"deaths_infant_female": 4}),
    ("mch_child_annual", "MC03S", "soft", {"deaths_neonatal_female": 1}),
    ("mch_child_annual", "MC04", "hard", {"exclusively_breastfed": 4_501}),
    ("mch_child_annual", "MC05", "hard", {"breastfeeding_surveyed": 20_001}),
    ("mch_child_annual", "MC06", "hard", {"children_0_6_managed": 45_001}),
    ("mch_child_annual", "MC06", "hard", {"children_lt3_systematic": 20_001}),
    ("mch_child_annual", "MC07", "hard", {"underweight": 31_001}),
    ("mch_child_annual", "MC08", "hard", {"anaemic_mod_severe": 30_001}),
    ("mch_child_annual", "MC09", "soft", {"hb_tested_lt5": 31_001}),
    ("mch_child_quarterly", "MC01", "hard", {"children_lt5": 45_000}),
    ("mch_child_quarterly", "MC02", "hard", {"deaths_infant": 10}),
    ("mch_child_quarterly", "MC03", "hard", {"deaths_under5_sex_unknown": 1}),
    ("mch_child_quarterly", "MC03S", "soft", {"deaths_infant_female": 4}),
    ("mch_child_quarterly", "MC04", "hard", {"exclusively_breastfed": 4_501}),
    ("mch_child_quarterly", "MC05", "hard", {"breastfeeding_surveyed": 20_001}),
    ("mch_child_quarterly", "MC06", "hard", {"children_0_6_managed": 45_001}),
    ("mch_child_quarterly", "MC07", "hard", {"underweight": 31_001}),
    ("mch_child_quarterly", "MC08", "hard", {"anaemic_mod_severe": 30_001}),
    ("mch_child_quarterly", "MC09", "soft", {"hb_tested_lt5": 31_001}),
    ("mch_nonresident_annual", "MN02", "soft", {"systematic_nonresident": 2_981}),
    ("mch_nonresident_annual", "MN02", "soft", {"infant_deaths_nonresident": 6}),
    ("women_screening_annual", "WS01", "soft", {"women_screened": 60_001}),
    ("women_screening_annual", "WS01", "soft", {"treated": 12_001}),
    ("women_screening_annual", "WS01", "soft", {"breast_cancer": 20_001}),
    ("women_screening_quarterly", "WS01", "soft", {"cervical_cancer": 7_001}),
    ("fp_services_annual", "FS01", "soft", {"complications": 9_411}),
    ("premarital_annual", "PM01", "soft", {"checked_female": 3_001}),
    ("premarital_annual", "PM02", "soft", {"disease_found": 3_011}),
    ("newborn_screening_monthly", "NS01", "soft", {"metabolic_screened": 301}),
    ("newborn_screening_monthly", "NS01", "soft", {"metabolic_recalled": 5}),
    ("newborn_screening_monthly", "NS01", "soft", {"pku_confirmed": 3}),
    ("newborn_screening_monthly", "NS01", "soft", {"hearing_rescreened": 13}),
    ("occupational_reports", "OC01", "soft", {"points_exceed": 13}),
    ("occupational_reports", "OC01", "soft", {"workers_checked": 201}),
    ("toilet_quarterly", "TL01", "soft", {"toilets_harmless_cum": 8_801}),
    ("toilet_quarterly", "TL01", "soft", {"toilets_cum": 9_001}),
]
# Rules that need several rows, another period or another form; their tests follow below.
BY_CONTEXT = {"EP03", "EP04", "HV03", "MC10", "MC10Q", "TL02", "TL02S", "WS02"}


@pytest.fixture
def judge(tmp_path: Path, write: Write, read: Read) -> Callable[..., list[Finding]]:
    """Findings of rows of a form, written as a file and read."""

    def _judge(
        code: str, catalogue: Catalogue, *rows: Row, context: CheckContext | None = None
    ) -> list[Finding]:
        path = write(tmp_path / "report.csv", catalogue[code], list(rows), "csv", list(rows[0]))
        reading = read(path)
        assert reading.form.code == code
        assert reading.findings == []
        return check(reading, context or CheckContext())

    return _judge


def test_every_rule_of_these_forms_has_a_test(catalogue: Catalogue) -> None:
    tested = {rule for _, rule, _, _ in BROKEN} | BY_CONTEXT
    assert {rule.id for code in SOUND for rule in catalogue[code].rules} == tested


@pytest.mark.parametrize("code", SOUND)
def test_a_sound_report_has_no_findings(code: str, catalogue: Catalogue, judge: Callable[..., Any]) -> None:
    assert judge(code, catalogue, SOUND[code]) == []


@pytest.mark.parametrize(("code", "rule", "severity", "change"), BROKEN)
def test_a_report_that_breaks_a_rule_is_told_which(  # noqa: PLR0917 - fixtures
    code: str, rule: str, severity: str, change: Row, catalogue: Catalogue, judge: Callable[..., Any]
) -> None:
    findings = {finding.rule_id: finding for finding in judge(code, catalogue, SOUND[code] | change)}
    assert rule in findings
    assert findings[rule].severity == severity
    assert findings[rule].cell
    assert findings[rule].message_zh != findings[rule].message_en


@pytest.mark.parametrize("code", SOUND)
def test_blank_numbers_break_no_rule(code: str, catalogue: Catalogue, judge: Callable[..., Any]) -> None:
    form = catalogue[code]
    numbers = [name for name in SOUND[code] if form.by_code[name].role == "measure"]
    who = next(iter(SOUND[code]))
    for kept in numbers:
        blank = dict.fromkeys(name for name in numbers if name != kept)
        other = SOUND[code] | blank | {who: "440511"}
        # Complications without any operation are a contradiction, not a blank.
        found = {finding.rule_id for finding in judge(code, catalogue, SOUND[code], other)}
        assert found == ({"FS01"} if kept == "complications" else set())


def test_local_and_migrant_children_add_up_within_each_vaccine_and_dose(
    catalogue: Catalogue, judge: Callable[..., Any]
) -> None:
    base = SOUND["epi_monthly"]

    def rows(total: int) -> list[Row]:
        return [
            base | {"dose_no": dose, "residence_class": residence, "due_basic": due, "given_basic": 10,
                    "due_basic_lt12m": None, "given_basic_lt12m": None, "hepb_birth_dose_timely": None}
            for dose, numbers in (("1", (40, 20, 60)), ("2", (30, 10, total)))
            for residence, due in zip(("本地", "流动", "合计"), numbers, strict=True)
        ]  # fmt: skip

    for row in (good := rows(40)):
        row["given_basic"] = 20 if row["residence_class"] == "合计" else 10
    assert judge("epi_monthly", catalogue, *good) == []
    bad = rows(41)
    for row in bad:
        row["given_basic"] = 20 if row["residence_class"] == "合计" else 10
    (finding,) = judge("epi_monthly", catalogue, *bad)
    assert (finding.rule_id, finding.severity, finding.breakdown) == ("EP03", "hard", "HepB/2/0")
    assert "第2剂" in finding.message_zh
    assert "41" in finding.message_zh
    assert "40" in finding.message_zh


def test_children_left_unvaccinated_stay_due(catalogue: Catalogue, judge: Callable[..., Any]) -> None:
    base = SOUND["epi_monthly"]
    earlier = base | {"month": "2015-09", "due_basic": 200, "given_basic": 150, "given_basic_lt12m": 100}
    assert judge("epi_monthly", catalogue, earlier, base) == []
    short = base | {"due_basic": 49, "given_basic": 40, "due_basic_lt12m": 40, "given_basic_lt12m": 40,
                    "hepb_birth_dose_timely": 40}  # fmt: skip
    (finding,) = judge("epi_monthly", catalogue, earlier, short)
    assert (finding.rule_id, finding.level, finding.severity) == ("EP04", "history", "soft")


def test_groups_tested_for_hiv_add_up_to_the_total(catalogue: Catalogue, judge: Callable[..., Any]) -> None:
    base = SOUND["hiv_test_monthly"]
    parts = [
        base,
        base | {"test_site_type": "VCT", "tests": 200, "positives_screen": 2, "positives_confirmed": 1},
    ]
    total = base | {"test_site_type": "合计", "tests": 1_000, "positives_screen": 5, "positives_confirmed": 2}
    assert judge("hiv_test_monthly", catalogue, *parts, total) == []
    (finding,) = judge("hiv_test_monthly", catalogue, *parts, total | {"tests": 1_001})
    assert (finding.rule_id, finding.severity, finding.field_code) == ("HV03", "soft", "tests")


@pytest.mark.parametrize(
    ("code", "rule", "other", "start"),
    [
        ("mch_child_annual", "MC10", "mch_maternal_annual", dt.date(2014, 10, 1)),
        ("mch_child_quarterly", "MC10Q", "mch_maternal_quarterly", dt.date(2015, 7, 1)),
    ],
)
def test_newborns_are_held_against_the_live_births_of_the_same_period(  # noqa: PLR0917 - fixtures
    code: str, rule: str, other: str, start: dt.date, catalogue: Catalogue, judge: Callable[..., Any]
) -> None:
    def births(number: int) -> CheckContext:
        told = {
            "subject_ref": ["440507"],
            "period_start": [start],
            "form_code": [other],
            "field_code": ["live_births"],
            "value": [float(number)],
        }
        return CheckContext(same_period=pl.DataFrame(told))

    assert judge(code, catalogue, SOUND[code], context=births(7_196)) == []
    (finding,) = judge(code, catalogue, SOUND[code], context=births(7_050))
    assert (finding.rule_id, finding.severity) == (rule, "soft")


@pytest.mark.parametrize(
    ("rule", "periods", "numbers", "broken"),
    [
        ("TL02", ("2014年第四季度", "2015年第一季度"), [(8_400, 300, 0), (8_420, 25, 5)], (8_421, 25, 5)),
        ("TL02S", ("2015年第二季度", "2015年第三季度"), [(8_440, 45, 0), (8_480, 90, 5)], (8_481, 90, 5)),
    ],
)
def test_cumulative_toilets_follow_from_the_quarter_before(  # noqa: PLR0917 - fixtures
    rule: str,
    periods: tuple[str, str],
    numbers: list[tuple[int, int, int]],
    broken: tuple[int, int, int],
    catalogue: Catalogue,
    judge: Callable[..., Any],
) -> None:
    def row(period: str, given: tuple[int, int, int]) -> Row:
        names = ("toilets_harmless_cum", "toilets_new", "toilets_removed")
        return SOUND["toilet_quarterly"] | {"quarter": period} | dict(zip(names, given, strict=True))

    before, now = periods
    assert judge("toilet_quarterly", catalogue, row(before, numbers[0]), row(now, numbers[1])) == []
    (finding,) = judge("toilet_quarterly", catalogue, row(before, numbers[0]), row(now, broken))
    assert (finding.rule_id, finding.severity) == (rule, "soft")


def test_a_cumulative_screening_number_never_falls_within_the_year(
    catalogue: Catalogue, judge: Callable[..., Any]
) -> None:
    def second_quarter(breast: int) -> CheckContext:
        told = {
            "subject_ref": ["440507"],
            "period_start": [dt.date(2015, 1, 1)],
            "period_end": [dt.date(2015, 6, 30)],
            "women_screened": [6_000],
            "cervical_screened": [5_000],
            "breast_screened": [breast],
        }
        return CheckContext(previous=pl.DataFrame(told))

    third = SOUND["women_screening_quarterly"]
    assert judge("women_screening_quarterly", catalogue, third, context=second_quarter(6_900)) == []
    (finding,) = judge("women_screening_quarterly", catalogue, third, context=second_quarter(6_901))
    assert (finding.rule_id, finding.level, finding.field_code) == ("WS02", "history", "breast_screened")


def test_special_codes_of_maternal_and_child_tables_are_no_numbers(
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read
) -> None:
    row = SOUND["mch_child_annual"] | {"newborns_screened_hearing": -2, "newborns_visited": -1}
    reading = read(write(tmp_path / "c.csv", catalogue["mch_child_annual"], [row], "csv", list(row)))
    record = reading.records.row(0, named=True)
    assert (record["newborns_screened_hearing"], record["newborns_visited"]) == (None, None)
    assert (
        record["null_reasons"]
        == '{"newborns_screened_hearing":"not_carried_out","newborns_visited":"not_collected"}'
    )
    assert reading.reports["period_start"].to_list() == [dt.date(2014, 10, 1)]
