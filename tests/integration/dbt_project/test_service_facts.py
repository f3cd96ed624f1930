"""Facts on resources, services, money, tasks and population: through the intake, built twice,
counted by hand.

All units, persons and numbers are constructed.
"""

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bureau import Bureau

from ingestion.identifiers import citizen_check_digit

LONGHU = {"region_code": "440507"}
TOWN = {"township_code": "440507001"}
HOSPITAL = {"organization_code": "T-1"}
CENTRE = {"organization_code": "T-2"}
CLINIC = {"organization_code": "T-3"}
BLOOD = {"organization_code": "T-4"}


def nobody(number: int) -> str:
    """A well-formed citizen number of a woman born on 6 May 1980, of a region that does not exist."""
    body = f"44999919800506{2 * number:03}"
    return body + citizen_check_digit(body)


def quarter(number: int, **values: object) -> dict[str, object]:
    """A cumulative quarter of the health centre."""
    base = {"resident_population": 30_000, "health_records_cum": 25_000, "population_65_plus": 3_000}
    return {**CENTRE, "quarter": f"2015年第{number}季度", **base, **values}


def inspection(unit: str, day: str, **values: object) -> dict[str, object]:
    """A supervision card."""
    return {
        "unit_id": unit,
        "specialty": "学校卫生",
        "inspection_date": day,
        "result": "合格",
        "report_date": day,
        **values,
    }


def certificate(subject: str, kind: str, valid_from: str, **values: object) -> dict[str, object]:
    """An entry of the register of certifications."""
    return {
        "subject_type": "2",
        "subject_code": subject,
        "cert_type": kind,
        "valid_from": valid_from,
        **values,
    }


def front_page(number: int, **values: object) -> dict[str, object]:
    """A front page of January."""
    return {
        **HOSPITAL,
        "medical_record_no": f"MR{number}",
        "name": "构造人",
        "sex": "女",
        "birth_date": "1950-02-03",
        "admission_time": f"2015-01-0{number} 09:00",
        "discharge_time": f"2015-01-1{number} 09:00",
        "los_days": 10,
        "main_diagnosis": "I21.9",
        "discharge_mode": "1",
        "cost_total": 1000,
        "cost_item_herbal": 100,
        **values,
    }


def institutions(bureau: Bureau) -> None:
    """Monthly and annual tables of a hospital, a health centre, a village clinic and a blood station."""
    bureau.send(
        "hosp_monthly", "units",
        {**HOSPITAL, "report_month": "2015-01", "staff_technical": 80, "beds_actual": 50, "bed_days_open": 1550,
         "bed_days_occupied": 1000, "revenue_medical": 500, "revenue_tcm_drug": 30, "visits_total": 2000,
         "discharges": 100},
    )  # fmt: skip
    annual = {
        "report_year": 2015, "staff_total": 100, "staff_technical": 80, "doctors_licensed": 20, "doctors_assistant": 5,
        "nurses": 40, "beds_actual": 50, "bed_days_open": 18250, "bed_days_occupied": 12000, "visits_total": 24000,
        "admissions": 1210, "discharges": 1200, "revenue_total": 9000, "assets_total": 20000,
    }  # fmt: skip
    bureau.send("inst_annual_hospital", "units", {**HOSPITAL, **annual})
    bureau.send(
        "inst_annual_phc", "units",
        {**CENTRE, **annual, "served_population": 30000, "health_records_cum": 25000, "tcm_managed_65": 900},
    )  # fmt: skip
    bureau.send(
        "inst_annual_village", "units",
        {**CLINIC, "report_year": 2015, "village_doctors": 2, "visits_total": 900, "tcm_service": "是",
         "subsidy": 12.5},
    )  # fmt: skip
    bureau.send(
        "inst_annual_hospital_dept", "units",
        {**HOSPITAL, "report_year": 2015, "department": "合计", "beds_actual": 50, "discharges": 1200},
        {**HOSPITAL, "report_year": 2015, "department": "内科", "beds_actual": 50, "discharges": 1200},
    )  # fmt: skip
    staff = {**HOSPITAL, "report_year": 2015, "sex": "女", "birth_date": "1980-05-06", "education": "本科",
             "profession_class": "执业医师"}  # fmt: skip
    bureau.send(
        "staff_register", "units",
        {**staff, "name": "构造甲", "id_no": nobody(1), "practice_category": "中医", "post_type": "在编"},
        {**staff, "name": "构造乙", "id_no": nobody(2), "move_type": "毕业生", "gp_registered": "是"},
        {**staff, "name": "构造丙", "id_no": nobody(3), "move_type": "退休"},
    )  # fmt: skip
    bureau.send(
        "equipment_register", "units",
        {**HOSPITAL, "report_year": 2015, "device_code": "0101", "device_name": "CT", "batch_count": 2, "price": 3000,
         "status": "启用"},
    )  # fmt: skip
    bureau.send(
        "contract_monthly", "units",
        {**CENTRE, "report_month": "2016-01", "resident_population": 30000, "contracted": 9000,
         "services_delivered": 70},
    )  # fmt: skip
    bureau.send(
        "blood_quarterly", "units",
        {**BLOOD, "quarter": "2015年第1季度", "donations": 300, "units_collected": 450.5, "nat_tested": 300},
    )  # fmt: skip
    bureau.send(
        "inpatient_front_page", "units",
        front_page(1), front_page(2, discharge_mode="5", cost_total=3000.5),
        front_page(3, main_diagnosis="S52.5", external_cause="W19.9"),
    )  # fmt: skip


def regions(bureau: Bureau) -> None:
    """What a county files on itself."""
    bureau.send(
        "finance_annual", "county",
        {**LONGHU, "report_year": 2015, "the_total": 1000, "the_government": 300, "the_social": 400,
         "the_personal": 300},
    )  # fmt: skip
    bureau.send(
        "insurance_exchange", "county",
        {**LONGHU, "month": "2018-01", "insured": 9000, "visits_in_region": 800, "visits_total": 1000,
         "fund_paid": 500},
    )  # fmt: skip
    bureau.send(
        "ncms_report", "county", {**LONGHU, "report_year": 2015, "enrolled": 5000, "funds_raised": 200.5}
    )
    bureau.send("ncms_quarterly", "county", {**LONGHU, "quarter": "2015年第1季度", "fund_paid": 40})
    bureau.send(
        "occupational_reports", "county",
        {**LONGHU, "year": 2015, "enterprise_id": "E1", "hazard": "噪声", "workers_exposed": 30, "workers_checked": 25},
    )  # fmt: skip
    bureau.send(
        "survey_result", "county",
        {**LONGHU, "report_year": 2015, "survey_code": "HL", "item": "总体", "sample_size": 1200, "weighted_rate": 9.5,
         "ci_low": 8.1, "ci_high": 10.9},
    )  # fmt: skip
    for year, people in ((2014, 1000), (2015, 1100)):
        bureau.send(
            "population_denominators", "county",
            {**LONGHU, "year": year, "definition": "年末常住", "population": people, "source_version": "快报"},
            {**LONGHU, "year": year, "definition": "年平均常住", "population": people - 7, "source_version": "快报"},
        )  # fmt: skip
    toilets = {**TOWN, "households": 4000, "toilets_cum": 3500}
    bureau.send("toilet_quarterly", "county", {**toilets, "quarter": "2015年第1季度", "toilets_new": 50})
    bureau.send("toilet_quarterly", "county", {**toilets, "quarter": "2015年第2季度", "toilets_new": 80})


def first_night(bureau: Bureau) -> None:
    """What stands after an ordinary intake; the second quarter of the health centre is missing."""
    institutions(bureau)
    regions(bureau)
    bureau.send("bphs_quarterly", "units", quarter(1, elderly_65_managed=100, tcm_65_managed=40))
    bureau.send("bphs_quarterly", "units", quarter(3, elderly_65_managed=250, tcm_65_managed=90))
    task = {**HOSPITAL, "task_code": "R-1", "unit": "人次"}
    bureau.send(
        "task_progress", "units", {**task, "quarter": "2015年第1季度", "done_cumulative": 10, "target_value": 40}
    )  # fmt: skip
    bureau.send(
        "task_progress", "units",
        {**task, "quarter": "2015年第2季度", "done_cumulative": 8, "target_value": 40, "amendment_reason": "重复计数"},
    )  # fmt: skip
    bureau.send(
        "supervision_cards", "county",
        inspection("U1", "2015-01-05"), inspection("U2", "2015-01-06", report_date="2015-03-06"),
        inspection("U3", "2015-01-07"),
    )  # fmt: skip
    case = {
        "sex": "男",
        "name": "构造工",
        "birth_date": "1970-01-01",
        "hazard": "矽尘",
        "disease_category": "尘肺病",
    }
    bureau.send(
        "occupational_case_card", "county",
        {**case, "card_no": "Z1", "case_diagnosis": "矽肺", "diagnosis_date": "2015-02-03", "exposure_years": 10},
        {**case, "card_no": "Z2", "case_diagnosis": "矽肺", "diagnosis_date": "2015-02-20", "exposure_years": 12},
    )  # fmt: skip
    bureau.send(
        "certification_register", "county",
        certificate("440507001", "国家卫生镇", "2010-03-01", valid_to="2014-12-31"),
        certificate("440507002", "国家卫生镇", "2012-03-01"),
    )  # fmt: skip


def second_night(bureau: Bureau) -> None:
    """What comes late, and what corrects numbers and cards of the first night in files of its own."""
    bureau.send("bphs_quarterly", "units", quarter(2, elderly_65_managed=180, tcm_65_managed=95))
    bureau.send(
        "population_denominators", "county",
        {**LONGHU, "year": 2014, "definition": "年末常住", "population": 1020, "source_version": "普查修订"},
        {**LONGHU, "year": 2014, "definition": "年平均常住", "population": 993, "source_version": "快报"},
    )  # fmt: skip
    bureau.send("supervision_cards", "county", inspection("U1", "2015-01-05", result="立案", penalty=2000))
    bureau.send(
        "certification_register", "county",
        certificate("440507001", "国家卫生镇", "2014-06-01"),
        certificate("440507002", "国家卫生镇", "2012-03-01", revoked="是"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def bureau(module_database) -> Bureau:
    """Two nights of a constructed county."""
    made = Bureau(module_database)
    first_night(made)
    made.first = made.night()
    second_night(made)
    made.second = made.night()
    return made


def test_every_data_test_passes_over_all_facts(bureau):
    tests = [*bureau.first.tests, *bureau.second.tests]
    assert [(test.name, test.message) for test in tests if test.status != "pass"] == []


def test_services_resources_and_money_of_one_report_are_facts_of_their_own(bureau):
    shown = bureau.rows(
        "select form_code, service.visits_total, service.bed_days_open, resource.beds_actual, resource.doctors,"
        " resource.village_doctors, money.revenue_medical, money.revenue_total, money.subsidy"
        " from published.fct_hospital_service as service"
        " join published.fct_institution_resource as resource using (organization_key, report_id, form_code)"
        " join published.fct_institution_finance as money using (organization_key, report_id, form_code) order by 1"
    )
    assert [tuple(row.values()) for row in shown] == [
        ("hosp_monthly", 2000, 1550, 50, None, None, 500_000, None, None),
        ("inst_annual_hospital", 24000, 18250, 50, 25, None, None, 9_000_000, None),
        ("inst_annual_phc", 24000, 18250, 50, 25, None, None, 9_000_000, None),
        ("inst_annual_village", 900, None, None, None, 2, None, None, 12_500),
    ]


def test_a_quarter_is_the_difference_to_the_one_before_and_unknown_without_it(bureau):
    """The second quarter came in the second night, so that the third one's own number appeared."""
    query = (
        "select period_end, elderly_65_managed as until_now, elderly_65_managed_of_quarter as own, is_restated"
        " from star.fct_public_health_service where form_code = 'bphs_quarterly' and release_from <= :release"
        " and release_to > :release order by 1"
    )
    march, june, september = date(2015, 3, 31), date(2015, 6, 30), date(2015, 9, 30)
    assert bureau.rows(query, release=1) == [
        {"period_end": march, "until_now": 100, "own": 100, "is_restated": False},
        {"period_end": september, "until_now": 250, "own": None, "is_restated": False},
    ]
    assert bureau.rows(query, release=2) == [
        {"period_end": march, "until_now": 100, "own": 100, "is_restated": False},
        {"period_end": june, "until_now": 180, "own": 80, "is_restated": False},
        {"period_end": september, "until_now": 250, "own": 70, "is_restated": False},
    ]
    assert bureau.rows(
        "select period_end, tcm_65_managed_of_quarter as own, is_restated from published.fct_tcm_service"
        " where form_code = 'bphs_quarterly' order by 1"
    ) == [
        {"period_end": march, "own": 40, "is_restated": False},
        {"period_end": june, "own": 55, "is_restated": False},
        {"period_end": september, "own": -5, "is_restated": True},
    ]


def test_a_report_that_did_not_change_keeps_its_row(bureau):
    inserted = {model.name: model.inserted for model in bureau.second.models}
    assert inserted["fct_public_health_service"] == 2
    assert inserted["fct_hospital_service"] == inserted["fct_task_progress"] == inserted["fct_staff"] == 0


def test_tasks_and_sanitation_are_differenced_too(bureau):
    assert bureau.rows(
        "select task_code, done_cumulative::int, done_of_quarter::int, is_restated, amendment_reason, unit"
        " from published.fct_task_progress order by period_end"
    ) == [
        {"task_code": "R-1", "done_cumulative": 10, "done_of_quarter": 10, "is_restated": False,
         "amendment_reason": None, "unit": "人次"},
        {"task_code": "R-1", "done_cumulative": 8, "done_of_quarter": -2, "is_restated": True,
         "amendment_reason": "重复计数", "unit": "人次"},
    ]  # fmt: skip
    assert bureau.rows(
        "select township_code, toilets_new, toilets_new_of_quarter from published.fct_rural_sanitation"
        " order by period_end"
    ) == [
        {"township_code": "440507001", "toilets_new": 50, "toilets_new_of_quarter": 50},
        {"township_code": "440507001", "toilets_new": 80, "toilets_new_of_quarter": 30},
    ]


def test_a_card_counts_in_its_newest_version_wherever_it_lies(bureau):
    query = (
        "select unit_id, result, penalty::int from star.fct_supervision"
        " where release_from <= :release and release_to > :release order by 1"
    )
    # U2 was reported too late and set aside.
    assert bureau.rows(query, release=1) == [
        {"unit_id": "U1", "result": "1", "penalty": None},
        {"unit_id": "U3", "result": "1", "penalty": None},
    ]
    assert bureau.rows(query, release=2) == [
        {"unit_id": "U1", "result": "4", "penalty": 2000},
        {"unit_id": "U3", "result": "1", "penalty": None},
    ]


def test_a_certificate_holds_until_it_ends_is_renewed_or_revoked(bureau):
    query = (
        "select certified_code, in_force_from, in_force_to, is_revoked from star.fct_certification"
        " where release_from <= :release and release_to > :release order by 1, 2"
    )
    never = date(9999, 12, 31)
    assert [tuple(row.values()) for row in bureau.rows(query, release=1)] == [
        ("440507001", date(2010, 3, 1), date(2015, 1, 1), False),
        ("440507002", date(2012, 3, 1), never, False),
    ]
    delivered = bureau.rows("select max(received_at)::date as day from registry.revision")[0]["day"]
    assert [tuple(row.values()) for row in bureau.rows(query, release=2)] == [
        ("440507001", date(2010, 3, 1), date(2014, 6, 1), False),
        ("440507001", date(2014, 6, 1), never, False),
        ("440507002", date(2012, 3, 1), delivered, True),
    ]


def test_persons_are_counted_in_cells_and_never_shown(bureau):
    assert bureau.rows(
        "select age_band, sum(staff)::int as staff, sum(moved_in)::int as moved_in, sum(moved_out)::int as moved_out,"
        " sum(tcm_practitioners)::int as tcm, sum(gp_registered)::int as gp, sum(staff_on_establishment)::int as posts"
        " from published.fct_staff group by 1"
    ) == [{"age_band": "35-39", "staff": 2, "moved_in": 1, "moved_out": 1, "tcm": 1, "gp": 1, "posts": 1}]
    assert bureau.rows(
        "select diagnosis_chapter, discharge_mode, age_band, discharges, deaths, bed_days::int, cost_total,"
        " cost_herbal::int from published.fct_inpatient_discharge order by 1, 2"
    ) == [
        {"diagnosis_chapter": "IX", "discharge_mode": "1", "age_band": "60-64", "discharges": 1, "deaths": 0,
         "bed_days": 10, "cost_total": 1000, "cost_herbal": 100},
        {"diagnosis_chapter": "IX", "discharge_mode": "5", "age_band": "60-64", "discharges": 1, "deaths": 1,
         "bed_days": 10, "cost_total": Decimal("3000.5"), "cost_herbal": 100},
        {"diagnosis_chapter": "XIX", "discharge_mode": "1", "age_band": "60-64", "discharges": 1, "deaths": 0,
         "bed_days": 10, "cost_total": 1000, "cost_herbal": 100},
    ]  # fmt: skip
    assert bureau.rows(
        "select month_start, cases, exposure_years::int from published.fct_occupational_case"
    ) == [{"month_start": date(2015, 2, 1), "cases": 2, "exposure_years": 22}]


def test_population_knows_the_year_before_and_follows_its_revision(bureau):
    query = (
        "select date_part('year', period_end)::int as year, definition, population,"
        " population_previous_year_end as before, population_mid_year::float as middle, source_version"
        " from star.fct_population where release_from <= :release and release_to > :release order by 2, 1"
    )
    assert [tuple(row.values()) for row in bureau.rows(query, release=1)] == [
        (2014, "RESIDENT_AVERAGE", 993, None, 993, "快报"),
        (2015, "RESIDENT_AVERAGE", 1093, None, 1093, "快报"),
        (2014, "RESIDENT_END", 1000, None, None, "快报"),
        (2015, "RESIDENT_END", 1100, 1000, 1050, "快报"),
    ]
    assert [tuple(row.values()) for row in bureau.rows(query, release=2)] == [
        (2014, "RESIDENT_AVERAGE", 993, None, 993, "快报"),
        (2015, "RESIDENT_AVERAGE", 1093, None, 1093, "快报"),
        (2014, "RESIDENT_END", 1020, None, None, "普查修订"),
        (2015, "RESIDENT_END", 1100, 1020, 1060, "快报"),
    ]


def test_every_other_form_has_its_rows_in_the_units_of_the_star(bureau):
    def one(query: str) -> list[tuple]:
        return [tuple(row.values()) for row in bureau.rows(query)]

    assert one("select donations, units_collected::float, nat_tested from published.fct_blood_supply") == [
        (300, 450.5, 300)
    ]
    assert one("select contracted, services_delivered, region_code from published.fct_family_doctor") == [
        (9000, 70, "440507")
    ]
    assert one(
        "select department, is_total, discharges from published.fct_department_service order by 2"
    ) == [("03", False, 1200), ("TOTAL", True, 1200)]
    assert one("select device_name, devices, purchase_value, source_row from published.fct_equipment") == [
        ("CT", 2, 6_000_000, 2)
    ]
    assert one("select the_total, the_personal from published.fct_health_expenditure") == [
        (10_000_000, 3_000_000)
    ]
    assert one("select insured, visits_in_region, fund_paid from published.fct_insured_care") == [
        (9000, 800, 500)
    ]
    assert one(
        "select form_code, enrolled, funds_raised, fund_paid from published.fct_ncms_fund order by 1"
    ) == [
        ("ncms_quarterly", None, None, 400_000),
        ("ncms_report", 5000, 2_005_000, None),
    ]
    assert one(
        "select enterprise_id, hazard, workers_exposed from published.fct_occupational_monitoring"
    ) == [("E1", "301", 30)]
    assert one(
        "select survey_code, item, weighted_rate::float, ci_low::float from published.fct_survey_result"
    ) == [("HL", "总体", 9.5, 8.1)]
    assert one(
        "select tcm_service from published.fct_tcm_service where form_code = 'inst_annual_village'"
    ) == [(True,)]


def test_every_row_leads_back_to_revision_and_file(bureau):
    assert bureau.rows(
        "select report.file_name, report.revision_no from published.fct_equipment as fact"
        " join published.dim_report as report using (report_id)"
    ) == [{"file_name": "07_医用设备调查表.csv", "revision_no": 1}]
