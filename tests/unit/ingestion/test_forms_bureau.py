"""Forms of hospitals, primary care, registers, insurance, finance and tasks: every rule, both ways."""

import polars as pl
import pytest

from ingestion.checks import CheckContext, check
from ingestion.findings import Finding
from ingestion.forms_catalogue import Catalogue
from tests.unit.ingestion.readings import Record, at, day, reading_of

_PAGE: Record = {
    "payment": "1",
    "admission_no_times": 1,
    "sex": "1",
    "age": 61,
    "admission_time": at("2015-05-01T09:00"),
    "discharge_time": at("2015-05-09T10:00"),
    "los_days": 8,
    "main_diagnosis": "I63.9",
    "operation_code_1": "39.5000",
    "operation_date_1": day("2015-05-02"),
    "operation_level_1": "3",
    "operation_surgeon_1": "构造某",
    "operation_incision_1": "Ⅰ/甲",
    "operation_anaesthesia_1": "01",
    "discharge_mode": "1",
    "readmission_plan_31d": "1",
    "cost_total": 12000.5,
    "cost_item_general_service": 2000.25,
    "cost_item_western_drug": 6000.25,
    "cost_item_other": 4000,
}

# Constructed records that keep every rule.
SOUND: dict[str, Record] = {
    "inst_annual_village": {"village_doctors": 2, "visits_total": 900, "subsidy": 12.5},
    "inst_annual_hospital_dept": {
        "department": "03",
        "beds_actual": 30,
        "visits_outpatient_emergency": 9000,
        "discharges": 600,
    },
    "staff_register": {"sex": "2", "profession_class": "21", "education": "30"},
    "equipment_register": {"device_code": "CT", "device_name": "64排CT", "price": 4500, "status": "1"},
    "inpatient_front_page": _PAGE,
    "bphs_quarterly": {
        "resident_population": 30000,
        "health_records_cum": 25000,
        "health_records_electronic": 24000,
        "health_records_active": 12000,
        "children_0_6": 2000,
        "children_0_6_followed": 1800,
        "children_0_6_systematic": 1700,
        "population_65_plus": 3000,
        "elderly_65_managed": 2100,
        "hypertension_estimated": 5000,
        "hypertension_managed": 2500,
        "hypertension_std_managed": 1800,
        "hypertension_controlled": 1500,
        "diabetes_estimated": 2000,
        "diabetes_managed": 900,
        "diabetes_std_managed": 600,
        "diabetes_controlled": 500,
        "smi_registered": 120,
        "smi_std_managed": 100,
    },
    "contract_monthly": {
        "resident_population": 30000,
        "contracted": 12000,
        "contracted_key": 4000,
        "key_population": 6000,
    },
    "childcare_quarterly": {"places": 100, "children": 120},
    "blood_quarterly": {"donations": 5000, "nat_tested": 5000, "units_collected": 8000.5},
    "insurance_exchange": {
        "visits_in_region": 700,
        "visits_total": 1000,
        "admissions_in_region": 60,
        "admissions_total": 90,
    },
    "ncms_report": {
        "eligible": 10000,
        "enrolled": 9900,
        "funds_raised": 400.5,
        "fiscal_subsidy": 320,
        "individual_contribution": 80.5,
        "inpatient_cost": 900,
        "inpatient_paid": 500,
    },
    "ncms_quarterly": {"inpatient_cost": 200, "inpatient_paid": 120},
    "finance_annual": {
        "the_total": 1000,
        "the_government": 300,
        "the_social": 400,
        "the_personal": 300,
    },
    "population_denominators": {
        "definition": "RESIDENT_END",
        "population": 550000,
        "source_version": "年鉴",
    },
    "task_progress": {
        "task_code": "T1",
        "unit": "个",
        "target_op": "GE",
        "target_value": 10,
        "done_cumulative": 5,
        "status": "2",
    },
    "certification_register": {
        "subject_code": "440507001",
        "cert_type": "省卫生村",
        "valid_from": day("2015-05-01"),
        "valid_to": day("2018-05-01"),
    },
    "survey_result": {
        "survey_code": "健康素养",
        "item": "总体",
        "weighted_rate": 9.48,
        "ci_low": 8.9,
        "ci_high": 10.1,
    },
}

# What breaks each rule, and the field the finding points at.
BROKEN: list[tuple[str, str, Record, str]] = [
    ("equipment_register", "EQ01", {"status": None}, "status"),
    ("inpatient_front_page", "FP01", {"los_days": 9}, "los_days"),
    ("inpatient_front_page", "FP01", {"discharge_time": at("2015-04-30T10:00"), "los_days": 1}, "los_days"),
    ("inpatient_front_page", "FP02", {"cost_total": 11000}, "cost_total"),
    ("inpatient_front_page", "FP02", {"cost_total": 0}, "cost_total"),
    ("inpatient_front_page", "FP03", {"discharge_mode": "2"}, "receiving_org"),
    ("inpatient_front_page", "FP03", {"discharge_mode": "3"}, "receiving_org"),
    ("inpatient_front_page", "FP04", {"readmission_plan_31d": "2"}, "readmission_purpose"),
    ("inpatient_front_page", "FP05", {"operation_level_1": None}, "operation_code_1"),
    ("inpatient_front_page", "FP05", {"operation_surgeon_1": None}, "operation_code_1"),
    ("inpatient_front_page", "FP05", {"operation_code_7": "45.2300"}, "operation_code_7"),
    ("inpatient_front_page", "FP06", {"main_diagnosis": "S72.0"}, "external_cause"),
    ("inpatient_front_page", "FP07", {"age": 0, "age_months": 0.5}, "newborn_birth_weight"),
    ("inpatient_front_page", "FP08", {"external_cause": "I10"}, "external_cause"),
    (
        "inpatient_front_page",
        "FP08",
        {"main_diagnosis": "W19.9", "external_cause": "W19.9"},
        "external_cause",
    ),
    ("bphs_quarterly", "BQ01", {"hypertension_controlled": 2501}, "hypertension_controlled"),
    ("bphs_quarterly", "BQ01", {"smi_std_managed": 121}, "hypertension_controlled"),
    ("bphs_quarterly", "BQ01E", {"diabetes_managed": 2001}, "hypertension_managed"),
    ("bphs_quarterly", "BQ02", {"health_records_active": 25001}, "health_records_electronic"),
    ("bphs_quarterly", "BQ03", {"children_0_6_followed": 2001}, "children_0_6_systematic"),
    ("bphs_quarterly", "BQ03", {"children_0_6_systematic": 1801}, "children_0_6_systematic"),
    ("bphs_quarterly", "BQ05", {"elderly_65_managed": 3000}, "hypertension_managed"),
    ("contract_monthly", "CT01", {"contracted": 30001}, "contracted_key"),
    ("contract_monthly", "CT01", {"contracted_key": 6001}, "contracted_key"),
    ("childcare_quarterly", "CC01", {"children": 121}, "children"),
    ("blood_quarterly", "BL01", {"nat_tested": 5001}, "nat_tested"),
    ("insurance_exchange", "IX01", {"visits_in_region": 1001}, "visits_in_region"),
    ("insurance_exchange", "IX01", {"admissions_in_region": 91}, "visits_in_region"),
    ("ncms_report", "NC01", {"enrolled": 10001}, "enrolled"),
    ("ncms_report", "NC01F", {"fiscal_subsidy": 322}, "funds_raised"),
    ("ncms_report", "NC02", {"inpatient_paid": 901}, "inpatient_paid"),
    ("ncms_quarterly", "NC02", {"inpatient_paid": 201}, "inpatient_paid"),
    ("finance_annual", "FN01", {"the_social": 402}, "the_total"),
    ("population_denominators", "PD01", {"source_version": None}, "source_version"),
    ("task_progress", "TP03", {"status": "4"}, "audited_value"),
    ("task_progress", "TP03", {"status": "4", "audited_value": 9}, "audited_value"),
    ("task_progress", "TP03", {"status": "4", "target_op": "LE", "audited_value": 11}, "audited_value"),
    ("certification_register", "CR01", {"valid_to": day("2015-04-30")}, "valid_from"),
    ("survey_result", "SV11", {"ci_low": 9.5}, "weighted_rate"),
    ("survey_result", "SV11", {"ci_high": 101}, "weighted_rate"),
]
# Variants that keep every rule.
KEPT: list[tuple[str, Record]] = [
    ("inpatient_front_page", {"discharge_time": at("2015-05-01T20:00"), "los_days": 1}),
    ("inpatient_front_page", {"discharge_mode": "2", "receiving_org": "构造医院"}),
    ("inpatient_front_page", {"readmission_plan_31d": "2", "readmission_purpose": "化疗"}),
    ("inpatient_front_page", {"main_diagnosis": "T90.5", "external_cause": "V89.2"}),
    ("inpatient_front_page", {"age": 0, "age_months": 0.5, "newborn_birth_weight": 3200}),
    ("inpatient_front_page", {"age": 0, "age_months": 1.5}),
    ("inpatient_front_page", {"cost_total": 12000.46}),
    ("task_progress", {"status": "4", "audited_value": 10}),
    ("task_progress", {"status": "4", "target_op": "LE", "audited_value": 9}),
    ("ncms_report", {"fiscal_subsidy": 310, "funds_other": 10}),
    ("certification_register", {"valid_to": None}),
]
# Rules that need another report, another period or the directory; their tests follow below.
BY_CONTEXT = {
    *("IV01", "IA07", "IA07D", "IA07V", "IA07T", "SR01", "SR01N", "SR03"),
    *("FP09", "FP10", "BQ04", "BQ05S", "TP01", "TP02"),
}


def _judge(
    catalogue: Catalogue, code: str, *records: Record, context: CheckContext | None = None, number: int = 1
) -> list[Finding]:
    return check(reading_of(catalogue, code, *records, number=number), context or CheckContext())


def _sums(**values: float) -> pl.DataFrame:
    """What other forms of the same period say: form__field=value."""
    rows = [("LH-001", *name.split("__"), float(value)) for name, value in values.items()]
    schema = {"subject_ref": pl.String, "form_code": pl.String, "field_code": pl.String, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_every_rule_of_these_forms_has_a_test(catalogue: Catalogue) -> None:
    tested = {rule for _, rule, _, _ in BROKEN} | BY_CONTEXT
    assert {rule.id for code in SOUND for rule in catalogue[code].rules} == tested


@pytest.mark.parametrize(("code", "change"), [*((code, {}) for code in SOUND), *KEPT])
def test_a_sound_report_has_no_findings(catalogue: Catalogue, code: str, change: Record) -> None:
    assert _judge(catalogue, code, SOUND[code] | change) == []


@pytest.mark.parametrize(("code", "rule", "change", "field"), BROKEN)
def test_a_broken_rule_names_its_field(
    catalogue: Catalogue, code: str, rule: str, change: Record, field: str
) -> None:
    findings = {one.rule_id: one for one in _judge(catalogue, code, SOUND[code] | change)}
    assert rule in findings
    finding = findings[rule]
    form = catalogue[code]
    assert finding.severity == next(one.severity for one in form.rules if one.id == rule)
    assert finding.field_code == field
    set_aside = form.cards is not None and finding.severity == "hard"
    assert finding.record_no == (1 if set_aside else None)


@pytest.mark.parametrize("code", SOUND)
def test_a_single_number_breaks_no_rule(catalogue: Catalogue, code: str) -> None:
    form = catalogue[code]
    kept = {"status", "source_version", *(field.code for field in form.breakdowns)}
    asks = {"operation_code_1": {"FP05"}}
    for name in SOUND[code]:
        record = {one: value for one, value in SOUND[code].items() if one == name or one in kept}
        found = {one.rule_id for one in _judge(catalogue, code, record)}
        assert found == asks.get(name, set()), name


def test_front_pages_are_counted_against_the_monthly_report(catalogue: Catalogue) -> None:
    pages = [_PAGE, _PAGE | {"discharge_mode": "5"}, _PAGE]
    known = CheckContext(same_period=_sums(hosp_monthly__discharges=3, hosp_monthly__inpatient_deaths=1))
    assert _judge(catalogue, "inpatient_front_page", *pages, context=known) == []
    known = CheckContext(same_period=_sums(hosp_monthly__discharges=4, hosp_monthly__inpatient_deaths=0))
    pages_short, deaths = _judge(catalogue, "inpatient_front_page", *pages, context=known)
    assert (pages_short.rule_id, pages_short.severity, pages_short.level) == ("FP09", "soft", "unit")
    assert "记录数=3" in pages_short.message_zh
    assert "=4" in pages_short.message_zh
    assert (deaths.rule_id, deaths.record_no) == ("FP10", None)


def test_a_page_that_is_set_aside_does_not_count(catalogue: Catalogue) -> None:
    faulty = _PAGE | {"cost_total": 0}
    known = CheckContext(same_period=_sums(hosp_monthly__discharges=1))
    (finding,) = _judge(catalogue, "inpatient_front_page", _PAGE, faulty, context=known)
    assert (finding.rule_id, finding.record_no) == ("FP02", 2)


def test_a_register_is_counted_against_the_annual_report(catalogue: Catalogue) -> None:
    nurse = SOUND["staff_register"]
    people = [
        nurse,
        nurse | {"profession_class": "22"},
        nurse | {"move_type": "24"},
        nurse | {"move_type": "11"},
        nurse | {"profession_class": "11"},
    ]
    known = CheckContext(
        same_period=_sums(inst_annual_hospital__nurses=3, inst_annual_hospital__doctors_licensed=1)
    )
    assert _judge(catalogue, "staff_register", *people, context=known) == []
    known = CheckContext(same_period=_sums(inst_annual_phc__nurses=4, inst_annual_phc__doctors_licensed=2))
    doctors, nurses = _judge(catalogue, "staff_register", *people, context=known)
    assert (doctors.rule_id, nurses.rule_id) == ("SR01", "SR01N")
    assert "符合条件的记录数=3" in nurses.message_zh


def test_a_person_is_in_post_once_and_nobody_is_named(catalogue: Catalogue) -> None:
    one, other = SOUND["staff_register"] | {"id_no": "X1"}, SOUND["staff_register"] | {"id_no": "X2"}
    assert _judge(catalogue, "staff_register", one, other, SOUND["staff_register"]) == []
    again = one | {"#subject": "LH-002"}
    found = _judge(catalogue, "staff_register", one, other, again)
    assert [(finding.rule_id, finding.report_no) for finding in found] == [("SR03", 1), ("SR03", 2)]
    assert not any(
        "X1" in text for one in found for text in (one.message_zh, one.message_en, one.value or "")
    )
    several = again | {"profession_class": "11", "multi_site": True}
    assert [one.report_no for one in _judge(catalogue, "staff_register", one, other, several)] == [1]


def test_departments_add_up_to_the_annual_report(catalogue: Catalogue) -> None:
    medicine, surgery = (
        SOUND["inst_annual_hospital_dept"],
        SOUND["inst_annual_hospital_dept"] | {"department": "04"},
    )
    annual = {
        "inst_annual_hospital__beds_actual": 60,
        "inst_annual_hospital__discharges": 1200,
        "inst_annual_hospital__visits_outpatient": 16000,
        "inst_annual_hospital__visits_emergency": 2000,
    }
    known = CheckContext(same_period=_sums(**annual))
    total = {
        "department": "TOTAL",
        "beds_actual": 60,
        "visits_outpatient_emergency": 18000,
        "discharges": 1200,
    }
    assert _judge(catalogue, "inst_annual_hospital_dept", medicine, surgery, context=known) == []
    assert _judge(catalogue, "inst_annual_hospital_dept", medicine, surgery, total, context=known) == []
    wrong = [surgery | {"beds_actual": 31, "visits_outpatient_emergency": 9001, "discharges": 601}, medicine]
    findings = _judge(catalogue, "inst_annual_hospital_dept", *wrong, context=known)
    assert [one.rule_id for one in findings] == ["IA07", "IA07D", "IA07V"]
    findings = _judge(catalogue, "inst_annual_hospital_dept", *wrong, total)
    assert {(one.rule_id, one.field_code) for one in findings} == {
        ("IA07T", field) for field in ("beds_actual", "visits_outpatient_emergency", "discharges")
    }


def test_village_clinics_are_counted_against_the_directory_once_for_the_file(catalogue: Catalogue) -> None:
    clinics = [SOUND["inst_annual_village"] | {"#subject": f"V-{number}"} for number in range(1, 4)]

    def known(units: int) -> CheckContext:
        subjects = [one["#subject"] for one in clinics]
        return CheckContext(
            active_units=pl.DataFrame(
                {
                    "subject_ref": subjects,
                    "class_code": ["D600"] * 3,
                    "units": [units] * 3,
                    "reporter": [7] * 3,
                }
            )
        )

    assert _judge(catalogue, "inst_annual_village", *clinics) == []
    assert _judge(catalogue, "inst_annual_village", *clinics, context=known(3)) == []
    (finding,) = _judge(catalogue, "inst_annual_village", *clinics, context=known(4))
    assert (finding.rule_id, finding.severity, finding.report_no) == ("IV01", "soft", None)
    assert "本文件报来的单位数=3" in finding.message_zh
    assert "机构目录中的单位数=4" in finding.message_zh


def test_a_cumulative_number_never_falls_within_the_year(catalogue: Catalogue) -> None:
    first = SOUND["bphs_quarterly"] | {"#number": 1}
    second = first | {"#number": 2, "elderly_65_managed": 2099, "hypertension_std_managed": 1900}
    findings = _judge(catalogue, "bphs_quarterly", first, second)
    told = {(one.rule_id, one.field_code, one.report_no) for one in findings}
    assert told == {
        ("BQ04", "elderly_65_managed", 2),
        ("BQ05S", "diabetes_std_managed", 2),
        ("BQ05S", "children_0_6_followed", 2),
    }
    assert "上期接受健康管理的65岁及以上人数=2100" in findings[0].message_zh


def test_a_new_year_starts_from_nothing(catalogue: Catalogue) -> None:
    before = pl.DataFrame(
        {
            "subject_ref": ["LH-001"],
            "period_start": [day("2014-01-01")],
            "period_end": [day("2014-12-31")],
            **{field: [9999] for rule in catalogue["bphs_quarterly"].rules for field in rule.for_each},
        }
    )
    known = CheckContext(previous=before)
    assert _judge(catalogue, "bphs_quarterly", SOUND["bphs_quarterly"], context=known) == []


def test_a_task_keeps_its_unit_and_does_not_go_back(catalogue: Catalogue) -> None:
    first = SOUND["task_progress"] | {"#number": 1}
    assert _judge(catalogue, "task_progress", first, first | {"#number": 2}) == []
    second = first | {"#number": 2, "unit": "%", "done_cumulative": 4}
    back, unit = _judge(catalogue, "task_progress", first, second)
    assert (back.rule_id, back.level, back.field_code) == ("TP01", "history", "done_cumulative")
    assert (unit.rule_id, unit.field_code) == ("TP02", "unit")
    assert [
        one.rule_id
        for one in _judge(catalogue, "task_progress", first, second | {"amendment_reason": "重复"})
    ] == ["TP02"]
