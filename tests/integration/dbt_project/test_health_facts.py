"""Facts on diseases, prevention, mothers and children: from files through the intake, built twice, counted by hand."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bureau import Bureau

LONGHU = {"region_code": "440507"}
T1 = {"organization_code": "T-1"}


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
    """The first quarter of the cancer project comes late."""
    bureau.send(
        "women_screening_quarterly", "county",
        {**LONGHU, "quarter": "2015年第1季度", "women_screened": 120, "cervical_screened": 100, "breast_screened": 90},
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
