"""Facts on diseases, prevention, mothers and children: from files through the intake, built twice, counted by hand."""

import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bureau import Bureau

from ingestion.registry import withdraw
from warehouse.database import Role, engine

LONGHU = {"region_code": "440507"}
T1 = {"organization_code": "T-1"}


def card(number: int, disease: str, **values: object) -> dict[str, object]:
    """A card of a confirmed case, in time; the person is made up."""
    return {
        "card_no": f"K{number}",
        "card_category": "初次报告",
        "name": "构造人",
        "birth_date": "1980-05-07",
        "phone": f"1380000{number:04}",
        "sex": "女",
        "address_code": "440507001",
        "occupation": "农民",
        "case_class_1": "确诊病例",
        "disease_code": disease,
        "onset_date": "2015-01-03",
        "diagnosis_time": "2015-01-05 08:30",
        "fill_date": "2015-01-05",
        "entry_time": "2015-01-05 10:00",
        "county_audit_time": "2015-01-05 12:00",
        **values,
    }


def newborn(number: int, **values: object) -> dict[str, object]:
    """A birth card; mother and child are made up."""
    return {
        "card_no": f"B{number}",
        "mother_name": "构造母亲",
        "mother_birth_date": "1988-03-04",
        "mother_phone": f"1390000{number:04}",
        "address_code": "440507001",
        "birth_time": "2015-01-06 03:10",
        "birth_order": 1,
        "sex": "男",
        "gestational_weeks": 39,
        "birth_weight": 3300,
        "place": "医院",
        **values,
    }


def cards(bureau: Bureau) -> None:
    """First batches: four cards that count and one set aside, births, deaths."""
    bureau.send(
        "idr_card", "county",
        card(1, "麻疹"),
        card(2, "手足口病", case_class_1="疑似病例", entry_time="2015-01-06 14:30"),
        card(3, "艾滋病"),
        card(4, "霍乱", entry_time="2015-01-05 11:30"),
        card(5, "麻疹", occupation="学生"),
        card(6, "梅毒", diagnosis_time="2015-02-01 09:00", fill_date="2015-02-01", entry_time="2015-02-01 10:00"),
    )  # fmt: skip
    bureau.send(
        "birth_card", "county",
        newborn(1),
        newborn(2, birth_weight=2400, gestational_weeks=36),
        newborn(3, sex="女", place="家中", birth_weight=4100),
    )  # fmt: skip
    bureau.send(
        "birth_defect_card", "county",
        newborn(1, card_no="D1", defect_codes_1="Q35.9"), newborn(2, card_no="D2", defect_codes_1="Q36.0"),
        newborn(3, card_no="D3", sex="男", defect_codes_1="Q35.1"),
    )  # fmt: skip
    death = {
        "sex": "男",
        "death_time": "2015-01-07 05:00",
        "residence_code": "440507001000",
        "name": "构造人",
    }
    bureau.send(
        "death_card", "county",
        {**death, "card_no": "S1", "birth_date": "1940-01-01", "underlying_cause": "C34.9", "place_of_death": "家中"},
        {**death, "card_no": "S2", "birth_date": "1940-02-01", "underlying_cause": "C22.0", "place_of_death": "医院"},
        {**death, "card_no": "S3", "birth_date": "1941-02-01", "underlying_cause": "I50.9"},
        {**death, "card_no": "S4", "birth_date": "2014-12-30", "underlying_cause": "P22.0"},
    )  # fmt: skip
    child = newborn(1, birth_time="2015-01-02 10:00", sex="女", death_cause="P22.0")
    del child["mother_birth_date"]
    bureau.send(
        "child_death_card", "county",
        {**child, "card_no": "C1", "death_time": "2015-01-08 09:00"},
        {**child, "card_no": "C2", "death_time": "2015-01-09 09:00"},
        {**child, "card_no": "C3", "birth_time": "2013-01-31 10:00", "death_time": "2015-01-31 09:00"},
    )  # fmt: skip
    mother = {"mother_name": "构造母亲", "mother_birth_date": "1988-03-04", "mother_phone": "13900000001"}
    bureau.send(
        "maternal_death_card", "county",
        {**mother, "card_no": "M1", "delivery_time": "2014-12-01 08:00", "death_time": "2015-01-12 08:00",
         "death_cause": "O72.1"},
        {**mother, "card_no": "M2", "delivery_time": "2014-12-01 08:00", "death_time": "2015-01-13 08:00",
         "death_cause": "O99.4"},
        {**mother, "card_no": "M3", "death_time": "2015-01-20 08:00", "death_cause": "V43.5"},
    )  # fmt: skip


def first_night(bureau: Bureau) -> None:
    """What stands after an ordinary intake; the first quarter of the cancer project is missing."""
    maternal = {
        "live_births": 100,
        "women_delivered": 98,
        "live_births_in_hospital": 99,
        "women_systematic_managed": 90,
        "maternal_deaths": 0,
    }
    bureau.send(
        "mch_maternal_annual", "county", {**LONGHU, "mch_year": 2015, **maternal, "prenatal_screened": -2}
    )
    bureau.send(
        "mch_maternal_quarterly",
        "county",
        {**LONGHU, "quarter": "2015年第4季度", **maternal, "live_births": 30},
    )
    child = {
        "children_lt7": 700,
        "children_lt5": 500,
        "children_lt3": 300,
        "deaths_under5": 3,
        "deaths_infant": 2,
    }
    bureau.send("mch_child_annual", "county", {**LONGHU, "mch_year": 2015, **child})
    bureau.send(
        "mch_child_quarterly", "county", {**LONGHU, "quarter": "2015年第1季度", **child, "deaths_under5": 2}
    )
    bureau.send(
        "mch_nonresident_annual", "county",
        {**LONGHU, "mch_year": 2015, "live_births_nonresident": 20, "women_nonresident": 19},
    )  # fmt: skip
    bureau.send(
        "newborn_screening_monthly", "units",
        {**T1, "month": "2015-01", "live_births_at_hospital": 50, "metabolic_screened": 49, "hearing_screened": 48},
    )  # fmt: skip
    bureau.send(
        "premarital_annual",
        "county",
        {**LONGHU, "mch_year": 2015, "married_male": 80, "married_female": 81, "checked_male": 40},
    )
    bureau.send("fp_services_annual", "county", {**LONGHU, "mch_year": 2015, "iud_insert": 5, "abortion": 7})
    bureau.send(
        "women_screening_annual",
        "county",
        {**LONGHU, "mch_year": 2015, "women_due": 900, "women_screened": 800},
    )
    cancer = {"women_due": 1000, "women_screened": 300, "cervical_screened": 250, "breast_screened": 200}
    bureau.send("women_screening_quarterly", "county", {**LONGHU, "quarter": "2015年第2季度", **cancer})
    bureau.send(
        "women_screening_quarterly",
        "county",
        {**LONGHU, "quarter": "2015年第3季度", **cancer, "women_screened": 290},
    )
    bureau.send(
        "childcare_quarterly",
        "units",
        {**T1, "quarter": "2019年第2季度", "places": 60, "children": 50, "is_inclusive": "是"},
    )
    bureau.send(
        "smi_quarterly", "county",
        {**LONGHU, "quarter": "2015年第1季度", "smi_registered": 40, "smi_managed": 36, "resident_population": 10000},
    )  # fmt: skip
    bureau.send(
        "tb_quarterly",
        "county",
        {**LONGHU, "quarter": "2015年第1季度", "tb_registered_active": 9, "tb_cohort_cured": 8},
    )
    bureau.send(
        "hiv_test_monthly", "units",
        {**T1, "month": "2015-01", "test_site_type": "合计", "tests": 30, "positives_screen": 1},
        {**T1, "month": "2015-01", "test_site_type": "术前检测", "tests": 20, "positives_screen": 1},
        {**T1, "month": "2015-01", "test_site_type": "孕产期检查", "tests": 10, "positives_screen": 0},
    )  # fmt: skip
    bureau.send(
        "epi_monthly", "units",
        *(
            {"org_code": "T-2", "month": "2015-01", "vaccine": vaccine, "dose_no": "第1剂",
             "residence_class": residence, "due_basic": due, "given_basic": due - 1}
            for vaccine, residence, due in (
                ("乙肝疫苗", "本地", 20), ("乙肝疫苗", "流动", 10), ("卡介苗", "合计", 30), ("脊灰疫苗", "合计", 25),
                ("脊灰灭活疫苗", "合计", 25),
            )
        ),
    )  # fmt: skip


def second_night(bureau: Bureau) -> None:
    """The first quarter of the cancer project comes late, and a batch corrects cards of the first one."""
    bureau.send(
        "idr_card", "county",
        card(1, "风疹", card_category="订正报告", corrected_disease="麻疹"),
        card(2, "手足口病", card_category="订正报告", entry_time="2015-01-06 14:30", death_date="2015-01-13"),
        card(3, "肺结核", card_category="订正报告", corrected_disease="艾滋病"),
        card(4, "霍乱", card_category="订正报告", entry_time="2015-01-05 11:30", deleted_flag="已注销"),
    )  # fmt: skip
    bureau.send(
        "women_screening_quarterly", "county",
        {**LONGHU, "quarter": "2015年第1季度", "women_screened": 120, "cervical_screened": 100, "breast_screened": 90},
    )  # fmt: skip
    # The second child's card once more, with another weight.
    bureau.send(
        "birth_defect_card", "county", newborn(2, card_no="D2", defect_codes_1="Q36.0", birth_weight=2900)
    )


@pytest.fixture(scope="module")
def bureau(module_database) -> Bureau:
    """Three nights of a constructed county; before the last one the batch of corrections is withdrawn."""
    made = Bureau(module_database)
    first_night(made)
    cards(made)
    made.first = made.night()
    second_night(made)
    made.second = made.night(audited=True)
    (corrections,) = made.rows("select distinct report_id from published.fct_disease_case")
    withdraw(engine(Role.LOADER), corrections["report_id"], "test", "test")
    made.third = made.night()
    return made


def test_every_data_test_passes_over_all_facts(bureau):
    assert [
        (test.name, test.message)
        for test in (*bureau.first.tests, *bureau.second.tests)
        if test.status != "pass"
    ] == []


def test_a_year_and_its_quarters_stand_side_by_side(bureau):
    assert bureau.rows(
        "select form_code, period_type, mch_year, live_births, prenatal_screened, region_code"
        " from published.fct_maternal_care order by 1"
    ) == [
        {"form_code": "mch_maternal_annual", "period_type": "mch_year", "mch_year": 2015, "live_births": 100,
         "prenatal_screened": None, "region_code": "440507"},
        # October to December belongs to the maternal-child year that follows.
        {"form_code": "mch_maternal_quarterly", "period_type": "quarter", "mch_year": 2016, "live_births": 30,
         "prenatal_screened": None, "region_code": "440507"},
    ]  # fmt: skip
    assert bureau.rows(
        "select null_reason from published.fct_reported_value where field_code = 'prenatal_screened'"
    ) == [{"null_reason": "not_carried_out"}]
    assert bureau.rows(
        "select period_type, mch_year, deaths_under5, children_lt7 from published.fct_child_health order by 1"
    ) == [
        {"period_type": "mch_year", "mch_year": 2015, "deaths_under5": 3, "children_lt7": 700},
        {"period_type": "quarter", "mch_year": 2015, "deaths_under5": 2, "children_lt7": 700},
    ]


def test_a_late_first_quarter_gives_the_second_its_own_number(bureau):
    assert bureau.rows(
        "select extract(quarter from period_end)::int as quarter, women_screened, women_screened_of_quarter,"
        " cervical_screened_of_quarter, is_restated from published.fct_cancer_screening order by 1"
    ) == [
        {"quarter": 1, "women_screened": 120, "women_screened_of_quarter": 120, "cervical_screened_of_quarter": 100,
         "is_restated": False},
        {"quarter": 2, "women_screened": 300, "women_screened_of_quarter": 180, "cervical_screened_of_quarter": 150,
         "is_restated": False},
        {"quarter": 3, "women_screened": 290, "women_screened_of_quarter": -10, "cervical_screened_of_quarter": 0,
         "is_restated": True},
    ]  # fmt: skip
    changed = {model.name: (model.inserted, model.closed) for model in bureau.second.models}
    # The third quarter rests on the second, which stayed as it was.
    assert changed["fct_cancer_screening"] == (2, 1)


def test_totals_beside_their_parts_are_marked(bureau):
    assert bureau.rows(
        "select test_site_type, tests, is_subtotal from published.fct_hiv_test order by 2"
    ) == [
        {"test_site_type": "MATERNAL", "tests": 10, "is_subtotal": False},
        {"test_site_type": "PRE_OPERATION", "tests": 20, "is_subtotal": False},
        {"test_site_type": "TOTAL", "tests": 30, "is_subtotal": True},
    ]
    assert bureau.rows(
        "select vaccine, residence_class, due_basic, given_basic, region_code"
        " from published.fct_immunisation where not is_subtotal order by 1, 2"
    ) == [
        # Only a total was reported: it counts.
        {
            "vaccine": "BCG",
            "residence_class": "0",
            "due_basic": 30,
            "given_basic": 29,
            "region_code": "440507",
        },
        {
            "vaccine": "HepB",
            "residence_class": "1",
            "due_basic": 20,
            "given_basic": 19,
            "region_code": "440507",
        },
        {
            "vaccine": "HepB",
            "residence_class": "2",
            "due_basic": 10,
            "given_basic": 9,
            "region_code": "440507",
        },
        # One of the types of a vaccine stands beside the vaccine's total.
        {
            "vaccine": "IPV",
            "residence_class": "0",
            "due_basic": 25,
            "given_basic": 24,
            "region_code": "440507",
        },
    ]


def test_every_report_has_its_row(bureau):
    facts = (
        "fct_nonresident_care", "fct_newborn_screening", "fct_premarital_care", "fct_family_planning",
        "fct_women_screening", "fct_childcare", "fct_severe_mental_illness", "fct_tuberculosis",
    )  # fmt: skip
    for fact in facts:
        (row,) = bureau.rows(f"select organization_key, region_code, report_id from published.{fact}")
        assert row["region_code"] == "440507", fact
        assert bureau.rows(
            "select file_name from published.dim_report where report_id = :id and revision_id is not null",
            id=row["report_id"],
        ), fact
    assert bureau.rows(
        "select smi_registered, smi_managed, smi_stable from published.fct_severe_mental_illness"
    ) == [{"smi_registered": 40, "smi_managed": 36, "smi_stable": None}]
    assert bureau.rows("select places, children, is_inclusive from published.fct_childcare") == [
        {"places": 60, "children": 50, "is_inclusive": True}
    ]


CASES = (
    "select disease_code, corrected_disease, first_disease_code, first_case_class, case_class_1, versions,"
    " is_class_changed, cases, deaths, is_deleted, corrected_date from star.fct_disease_case"
    " where release_from <= {release} and release_to > {release} order by 1"
)


def test_a_card_is_what_its_newest_version_says(bureau):
    shown = bureau.rows(CASES.format(release=2))
    received = date(2015, 2, 10) + timedelta(days=bureau.sent - 2)
    assert [tuple(row.values()) for row in shown] == [
        # Cholera, cancelled.
        ("0200", None, "0200", "3", "3", 2, False, 0, 0, True, received),
        # Was AIDS: nothing of that is told.
        ("2600", None, None, "3", "3", 2, False, 1, 0, False, received),
        # Measles became rubella.
        ("3700", "1000", "1000", "3", "3", 2, False, 1, 0, False, received),
        # Suspected became confirmed.
        ("4000", None, "4000", "1", "3", 2, True, 1, 1, False, received),
    ]


def test_dates_of_a_card_and_how_long_each_step_took(bureau):
    assert bureau.rows(
        "select onset_date, diagnosis_date, entry_date, county_audit_date, final_audit_date, death_date,"
        " days_to_diagnosis, hours_to_entry, hours_to_audit, days_to_death, is_entered_late, is_audited_late,"
        " age_band, sex, residence_county, residence_township from star.fct_disease_case"
        " where release_from = 2 and disease_code = '4000'"
    ) == [
        {
            "onset_date": date(2015, 1, 3), "diagnosis_date": date(2015, 1, 5), "entry_date": date(2015, 1, 6),
            "county_audit_date": date(2015, 1, 5), "final_audit_date": None, "death_date": date(2015, 1, 13),
            "days_to_diagnosis": 2, "hours_to_entry": 30, "hours_to_audit": Decimal("-26.5"), "days_to_death": 10,
            "is_entered_late": True, "is_audited_late": False, "age_band": "30-34", "sex": "2",
            "residence_county": "440507", "residence_township": "440507001",
        }
    ]  # fmt: skip
    # Cholera has two hours, other diseases a day.
    assert bureau.rows(
        "select disease_code, hours_to_entry, is_entered_late from star.fct_disease_case"
        " where release_from = 2 and disease_code <> '4000' order by 1"
    ) == [
        {"disease_code": "0200", "hours_to_entry": 3, "is_entered_late": True},
        {"disease_code": "2600", "hours_to_entry": Decimal("1.5"), "is_entered_late": False},
        {"disease_code": "3700", "hours_to_entry": Decimal("1.5"), "is_entered_late": False},
    ]


def test_a_withdrawn_batch_gives_its_cards_back_to_the_batch_before(bureau):
    first = [
        ("0200", None, "0200", "3", "3", 1, False, 1, 0, False, None),
        ("1000", None, "1000", "3", "3", 1, False, 1, 0, False, None),
        ("4000", None, "4000", "1", "1", 1, False, 0, 0, False, None),
    ]
    for release in (1, 3):
        assert [tuple(row.values()) for row in bureau.rows(CASES.format(release=release))] == first


def test_a_card_leads_to_the_row_of_its_file(bureau):
    (row,) = bureau.rows(
        "select report.file_name, fact.source_row from published.fct_disease_case as fact"
        " inner join published.dim_report as report on fact.report_id = report.report_id"
        " where fact.disease_code = '4000'"
    )
    assert row["file_name"].endswith("传染病报告卡.csv")
    assert row["source_row"] == 3


def test_a_card_keeps_its_key_through_its_versions(bureau):
    keys = "select count(*) as rows, count(distinct card_key) as keys from star.fct_disease_case"
    assert bureau.rows(keys + " where disease_code = '4000'") == [{"rows": 3, "keys": 1}]
    assert bureau.rows(keys + " where release_from <= 2 and release_to > 2") == [{"rows": 4, "keys": 4}]


def test_diseases_that_brand_a_person_are_counted_by_month_alone(bureau):
    assert bureau.rows(
        "select month_start, disease_code, case_class, cards, cases, deaths, cards_corrected, cards_deleted,"
        " cards_entry_timed, cards_entered_late from star.fct_disease_card_count"
        " where release_from <= 2 and release_to > 2 and disease_code in ('0800', '0600', '0200') order by 2"
    ) == [
        {"month_start": date(2015, 1, 1), "disease_code": "0200", "case_class": "3", "cards": 1, "cases": 0,
         "deaths": 0, "cards_corrected": 1, "cards_deleted": 1, "cards_entry_timed": 1, "cards_entered_late": 1},
        {"month_start": date(2015, 2, 1), "disease_code": "0800", "case_class": "3", "cards": 1, "cases": 1,
         "deaths": 0, "cards_corrected": 0, "cards_deleted": 0, "cards_entry_timed": 1, "cards_entered_late": 0},
    ]  # fmt: skip
    assert not bureau.rows("select from star.fct_disease_case where disease_code in ('0600', '0800')")
    # The card that was set aside counts nowhere.
    assert bureau.rows("select sum(cards) as cards from published.fct_disease_card_count") == [{"cards": 5}]
    assert bureau.rows("select cases from published.fct_disease_card_count where disease_code = '0600'") == [
        {"cases": 1}
    ]


def test_no_hash_of_a_person_and_no_card_number_is_published(bureau):
    columns = bureau.rows(
        "select table_name, column_name from information_schema.columns where table_schema in ('published', 'star')"
        " and (column_name like '%patient_key%' or column_name like '%mother_key%' or column_name like '%child_key%'"
        " or column_name like '%deceased_key%' or column_name = 'card_no')"
    )
    assert columns == []


def test_births_are_counted_by_day_township_sex_and_age_of_the_mother(bureau):
    assert [
        tuple(row.values())
        for row in bureau.rows(
            "select birth_date, township_code, sex, mother_age_band, births, births_in_institution, preterm,"
            " low_birth_weight, macrosomia from published.fct_birth order by sex"
        )
    ] == [
        (date(2015, 1, 6), "440507001", "1", "25-29", 2, 2, 1, 1, 0),
        (date(2015, 1, 6), "440507001", "2", "25-29", 1, 0, 0, 0, 1),
    ]
    assert [
        tuple(row.values())
        for row in bureau.rows(
            "select month_start, mch_year, sex, defect_group, children from published.fct_birth_defect order by 4"
        )
    ] == [(date(2015, 1, 1), 2015, "1", "Q35", 2), (date(2015, 1, 1), 2015, "1", "Q36", 1)]
    # A card that came twice is one child, in the indicator too.
    (rate,) = bureau.rows(
        "select numerator, denominator from published.fct_indicator where indicator_code = 'birth_defect_rate'"
        " and subject_code = '440507' and slice = 'all' and period_type = 'mch_year'"
    )
    assert (rate["numerator"], rate["denominator"]) == (3, None)


def test_deaths_are_counted_by_cause_and_children_and_mothers_never_by_township(bureau):
    assert [
        tuple(row.values())
        for row in bureau.rows(
            "select township_code, age_band, cause_chapter, deaths, deaths_in_institution, deaths_cancer,"
            " deaths_circulatory, deaths_ill_defined from published.fct_death order by cause_chapter, age_band"
        )
    ] == [
        ("440507001", "70-74", "II", 1, 1, 1, 0, 0),
        ("440507001", "75-79", "II", 1, 0, 1, 0, 0),
        ("440507001", "70-74", "IX", 1, 0, 0, 1, 1),
        ("", "<1", "XVI", 1, 0, 0, 0, 0),
    ]
    assert [
        tuple(row.values())
        for row in bureau.rows(
            "select mch_year, cause_chapter, deaths_under5, deaths_infant, deaths_neonatal, deaths_early_neonatal"
            " from published.fct_child_death"
        )
    ] == [(2015, "XVI", 3, 2, 2, 1)]
    # The 42nd day still counts, the 43rd does not, and an accident is no maternal death.
    assert bureau.rows("select mch_year, cards, maternal_deaths from published.fct_maternal_death") == [
        {"mch_year": 2015, "cards": 3, "maternal_deaths": 1}
    ]
