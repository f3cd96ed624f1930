"""The sixteen questions of BI users, asked of the Longhu sample with a few constructed reports beside it."""

import json
from datetime import date
from decimal import Decimal

import pytest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
from reports import Registry
from sqlalchemy import text
from typer.testing import CliRunner

from ingestion import directory, inbox, intake, obligations, raw, site
from ingestion import registry as reports_registry
from ingestion.forms_catalogue import load_forms
from samples import longhu
from warehouse import building
from warehouse.cli import app
from warehouse.database import Role, engine

MARCH = (date(2015, 3, 1), date(2015, 3, 31))
JANUARY = (date(2015, 1, 1), date(2015, 1, 31))
JANUARY_2014 = (date(2014, 1, 1), date(2014, 1, 31))
YEAR = (date(2015, 1, 1), date(2015, 12, 31))
MCH_YEAR = (date(2014, 10, 1), date(2015, 9, 30))
COUNTY = "440507"
NEIGHBOUR = "440511"


@pytest.fixture(scope="module")
def star(module_database):
    """Two releases: the sample with constructed reports, then its amendment and a revised population."""
    raw.prepare(module_database)
    _deliver(module_database, "main")
    registry = Registry(module_database)
    for unit in ("LH-H01", "LH-C01", "LH-C02", "LH-G01"):
        registry.unit(unit)
    registry.file("hosp_monthly", "LH-H01", date(2014, 3, 1), date(2014, 3, 31), {"visits_total": 20000})
    # Thousands of yuan, and in May yuan by mistake.
    for month, revenue in ((1, 10), (3, 11), (5, 10000)):
        registry.file(
            "hosp_monthly",
            "LH-G01",
            date(2015, month, 1),
            date(2015, month, 31),
            {"visits_total": 100, "revenue_medical": revenue},
        )
    _population(registry, 511_000)
    for unit, given in (("LH-C01", 90), ("LH-C02", 96)):
        dose = {"vaccine": "BCG", "dose_no": "1", "residence_class": "0"}
        registry.file("epi_monthly", unit, *MARCH, dose | {"due_basic": 100, "given_basic": given})
    registry.file(
        "mch_nonresident_annual",
        COUNTY,
        *MCH_YEAR,
        {"live_births_nonresident": 701, "systematic_nonresident": 0},
        period_type="mch_year",
    )
    for region, cases in (("320602", 120), ("320611", 80)):
        registry.file("idr_monthly", region, *MARCH, {"disease_code": "AB_TOTAL", "cases": cases})
    registry.file("idr_monthly", "320600", *MARCH, {"disease_code": "AB_TOTAL", "cases": 1051})
    _other_county(registry)
    # Discharges of one January are told later, those of another are taken back.
    registry.file("hosp_monthly", "LH-G01", *JANUARY_2014, {"visits_total": 90, "discharges": 4})
    _cards(module_database)
    first = registry.release()
    assert {test.name: test.status for test in first.tests if test.status != "pass"} == {}
    _deliver(module_database, "amendment")
    _population(registry, 520_000)
    registry.file(
        "survey_result",
        COUNTY,
        *YEAR,
        {"survey_code": "居民健康素养监测", "item": "健康素养水平", "sample_size": 3200, "weighted_rate": 14},
        period_type="year",
    )
    registry.file("hosp_monthly", "LH-G01", *JANUARY_2014, {"visits_total": 90})
    registry.file(
        "hosp_monthly",
        "LH-G01",
        *JANUARY,
        {"visits_total": 100, "revenue_medical": 10, "discharges": 5},
    )
    registry.release()
    return module_database


@pytest.fixture(scope="module")
def ask(star):
    """Runs one question as dbt compiles it, for what is asked about, and returns its rows."""
    compiled = {}

    def rows(number, **about):
        asked = json.dumps(about, sort_keys=True)
        if asked not in compiled:
            told = building._results(star, None, ["compile", "--select", "path:analyses", "--vars", asked])
            compiled[asked] = {result.node.name: result.node.compiled_code for result in told}
            assert len(compiled[asked]) == 16
        name = next(name for name in compiled[asked] if name.startswith(f"question_{number:02}_"))
        with engine(Role.READER).connect() as connection:
            query = compiled[asked][name].replace("%", "%%")
            return [dict(row) for row in connection.exec_driver_sql(query).mappings()]

    return rows


def _deliver(settings, delivery):
    longhu.write(settings.home, delivery=delivery)
    site_folder = site.load_site(settings)
    # The units do not change; those made by hand are in no file.
    if delivery == "main":
        directory.take_in(engine(Role.LOADER), site_folder)
    for source in site_folder.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))
    obligations.mark_due(engine(Role.LOADER), date(2016, 3, 1))


def _population(registry, residents):
    registry.file(
        "population_denominators",
        COUNTY,
        *YEAR,
        {"definition": "RESIDENT_END", "population": residents, "source_version": f"版{residents}"},
        {"definition": "REGISTERED_END", "population": 410_000, "source_version": "公安年报"},
        period_type="year",
    )


def _other_county(registry):
    """A neighbour: a centre that was a hospital a year before, a hospital, a village station."""
    opened = {"event_date": date(2010, 1, 1), "event_type": "open", "region_code": NEIGHBOUR}
    registry.unit(
        "JP-C01",
        opened | {"name_zh": "构造中心", "class_code": "A100"},
        {"event_date": date(2015, 1, 1), "event_type": "reclass", "class_code": "B100"},
    )
    registry.unit("JP-H01", opened | {"name_zh": "构造医院", "class_code": "A100"})
    registry.unit("JP-V01", opened | {"name_zh": "构造卫生站", "class_code": "D600"})
    march_2014 = (date(2014, 3, 1), date(2014, 3, 31))
    registry.file("hosp_monthly", "JP-C01", *march_2014, {"visits_total": 200})
    told_for_others = {"proxy_clinic_visits": 20, "proxy_village_clinic_visits": 50}
    registry.file("hosp_monthly", "JP-C01", *MARCH, {"visits_total": 300} | told_for_others)
    registry.file("hosp_monthly", "JP-H01", *MARCH, {"visits_total": 700})
    registry.file("inst_annual_village", "JP-V01", *YEAR, {"visits_total": 500}, period_type="year")


def _cards(settings):
    """Cards of constructed persons, through the intake."""
    audited = {"final_audit_time": "2015-03-06 09:00"}
    april = {
        "diagnosis_time": "2015-04-01 08:30",
        "fill_date": "2015-04-01",
        "entry_time": "2015-04-01 10:00",
    }
    cards = [
        {"disease_code": "麻疹", "onset_date": "2015-03-02", **audited},
        {"disease_code": "麻疹", "onset_date": "2015-02-27"},
        {"disease_code": "麻疹", "onset_date": "2015-03-03"},
        {"disease_code": "麻疹", "onset_date": "2015-03-30", **april, "final_audit_time": "2015-04-02 09:00"},
        # None of these counts as a single case of the county in classes A and B.
        {"disease_code": "手足口病", "onset_date": "2015-03-02", **audited},
        {"disease_code": "麻疹", "onset_date": "2015-03-02", **audited, "case_class_1": "疑似病例"},
        {"disease_code": "麻疹", "onset_date": "2015-03-02", **audited, "address_code": "440511001"},
        # A case, of which no single card is told.
        {"disease_code": "梅毒", "onset_date": "2015-03-02", **audited},
    ]
    rows = [
        {
            "card_no": f"K{number}",
            "card_category": "初次报告",
            "name": "构造人",
            "birth_date": "1980-05-07",
            "phone": f"1380000{number:04}",
            "sex": "女",
            "address_code": "440507001",
            "occupation": "农民",
            "case_class_1": "确诊病例",
            "diagnosis_time": "2015-03-05 08:30",
            "fill_date": "2015-03-05",
            "entry_time": "2015-03-05 10:00",
            "county_audit_time": "",
            "final_audit_time": "",
            **card,
        }
        for number, card in enumerate(cards, start=1)
    ]
    form = load_forms()["idr_card"]
    lines = [[form.by_code[code].name_zh for code in rows[0]]]
    lines += [[row[code] for code in rows[0]] for row in rows]
    path = settings.inbox / "cdc" / "构造_传染病报告卡.csv"
    path.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding="utf-8")
    for source in site.load_site(settings).sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))


def only(rows, **wanted):
    """The one row that has these values."""
    (found,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return found


def test_visits_beside_last_year_and_among_those_that_reported_in_both(ask):
    whole = only(ask(1), class_group=None)
    assert (whole["visits"], whole["visits_last_year"], whole["institutions_in_both"]) == (107_002, 20_000, 1)
    assert only(ask(1), class_group="hospital", township_code=None)["institutions"] == 6


def test_a_unit_that_changed_its_class_is_compared_with_itself(ask):
    rows = ask(1, region=NEIGHBOUR)
    whole = only(rows, grouped_by="all")
    assert (whole["institutions"], whole["institutions_in_both"], whole["change_percent_in_both"]) == (
        2,
        1,
        50,
    )
    centre = only(rows, grouped_by="class", class_group="primary_care")
    assert (centre["visits"], centre["visits_last_year"], centre["institutions_in_both"]) == (300, 200, 1)


def test_primary_care_share_counts_what_village_stations_file(ask):
    told = {row["rule"]: (row["primary_care_visits"], row["visits"]) for row in ask(2, region=NEIGHBOUR)}
    assert told["by class"] == (300, 1000)
    # 20 visits of clinics that the centre tells; of villages the station's own 500, not the 50 told for it besides.
    assert told["with clinics and stations"] == (820, 1520)


def test_primary_care_share_by_three_rules(ask):
    shares = {row["rule"]: row["share"] for row in ask(2)}
    assert shares == {
        "by class": Decimal("36.39"),
        "second names as primary care": Decimal("86.51"),
        "with clinics and stations": Decimal("36.39"),
    }


def test_bed_use_of_institutions_beside_their_peers(ask):
    rows = ask(3)
    assert only(rows, organization_code="LH-P02")["bed_use_alert"] == "below_60"
    first = only(rows, organization_code="LH-H01")
    assert (round(first["bed_use"], 2), first["bed_use_alert"]) == (Decimal("78.00"), None)
    assert round(first["bed_use_of_peers"], 2) == Decimal("76.34")


def test_rates_that_moved_because_the_population_was_revised(ask):
    moved = only(ask(4), indicator_code="beds_per_1000", slice="all")
    assert (moved["denominator_before"], moved["denominator_after"], moved["moved_by"]) == (
        511_000,
        520_000,
        "denominator",
    )


def test_binding_targets_on_their_straight_line(ask):
    rows = ask(5)
    assert len(rows) == 13
    doctors = only(rows, indicator_code="doctors_per_1000")
    assert (round(doctors["computed_value"], 4), doctors["path_value"], doctors["status"]) == (
        Decimal("1.4058"),
        Decimal("1.58"),
        "behind",
    )


def test_towns_below_95_percent_by_vaccine_and_dose(ask):
    below = [row for row in ask(6) if row["status"] == "below_95"]
    assert [(row["township_code"], row["vaccine"], row["rate"]) for row in below] == [
        ("440507001", "BCG", 90)
    ]


def test_towns_without_a_report_are_shown_as_not_measured(ask):
    unknown = [row for row in ask(6) if row["status"] == "not_measured" and row["vaccine"] == "BCG"]
    assert {"440507004", "440507005", "440507008"} <= {row["township_code"] for row in unknown}
    assert {row["rate"] for row in unknown} == {None}


def test_systematic_management_over_residents_and_over_all_women(ask):
    by_code = {
        row["indicator_code"]: (row["denominator"], row["value"], row["distance_to_90"]) for row in ask(7)
    }
    assert by_code == {
        "maternal_systematic_mgmt_rate": (7196, Decimal("97.78"), Decimal("7.78")),
        "maternal_systematic_mgmt_rate_all_women": (7897, Decimal("89.10"), Decimal("-0.90")),
    }


def test_deaths_with_exact_limits(ask):
    mothers = only(ask(8), indicator_code="maternal_mortality_ratio")
    assert (mothers["deaths"], mothers["ci_low"], mothers["ci_high"]) == (0, 0, Decimal("51.262916"))
    assert mothers["small_numbers"] == "numerator_under_5 denominator_small"


def test_cases_of_a_month_from_the_bulletin(ask):
    told = only(ask(9), counted_by="bulletin")
    assert (told["cases"], told["cases_ex_covid"]) == (81, 81)


def test_cards_count_in_classes_a_and_b_where_the_patient_lives(ask):
    told = {
        (row["counted_by"], row["state"]): row["cases"] for row in ask(9) if row["counted_by"] != "bulletin"
    }
    assert told == {
        ("cards by onset", "provisional"): 3,
        ("cards by onset", "final"): 2,
        ("cards by diagnosis", "provisional"): 3,
        ("cards by diagnosis", "final"): 1,
        ("cards by final audit", "provisional"): 1,
        ("cards by final audit", "final"): 1,
        ("cards by diagnosis, all diseases", "provisional"): 4,
    }


def test_incidence_is_over_the_residents_of_the_year_before(ask):
    told = only(ask(9), counted_by="cards by onset", state="provisional")
    assert (told["residents_of_year_before"], told["incidence"]) == (546_000, Decimal("0.55"))
    assert only(ask(9), counted_by="bulletin")["incidence_ex_covid"] == Decimal("14.84")


def test_doctors_per_thousand_of_two_populations_and_two_editions(ask):
    doctors = [
        (row["release_from"], row["population"], row["source_version"])
        for row in ask(10)
        if row["indicator_code"] == "doctors_per_1000"
    ]
    assert doctors == [(1, 511_000, "版511000"), (2, 520_000, "版520000")]
    registered = only(ask(10), indicator_code="doctors_per_1000_registered")
    assert round(registered["value"], 4) == Decimal("1.7829")


def test_what_was_published_and_what_is_known(ask):
    visits = only(ask(11), indicator_code="total_visits", slice="all")
    assert visits["difference"] == longhu.AMENDED_VISITS


def test_a_value_that_was_not_printed_is_shown(ask):
    literacy = only(ask(11), indicator_code="health_literacy_level", slice="all")
    assert (literacy["value_as_published"], literacy["value_as_known"]) == (None, 14)


def test_districts_on_the_map_of_2015_and_of_2024(ask):
    shown = {(row["map_year"], row["region_code"]): (row["cases"], row["is_exact"]) for row in ask(12)}
    assert shown == {
        (2015, "320600"): (1051, True),
        (2015, "320602"): (120, True),
        (2015, "320611"): (80, True),
        (2024, "320600"): (1051, True),
        (2024, "320613"): (200, True),
    }


def test_whose_corrections_changed_a_published_number(ask):
    changed = {row["organization_code"]: row["published_numbers_changed"] for row in ask(13)}
    assert max(changed[code] for code in changed if code) == 4
    # A number that came later and one that went.
    assert changed["LH-G01"] == 2


def test_who_is_late_and_whose_reports_were_returned(ask):
    rows = ask(13)
    late = only(rows, organization_code=longhu.LATE.subject)
    assert (late["reports_late"], late["returned_percent"]) == (1, 0)
    assert late["quality_index"] < 100
    # What came too late to be right is not late; the one file of the year that was broken is told.
    returned = [row["organization_code"] for row in rows if row["returned_percent"]]
    assert returned == [longhu.BROKEN.subject]


def test_what_changes_if_a_report_is_withdrawn(ask):
    rows = ask(14)
    visits = only(rows, indicator_code="total_visits", slice="all", period_type="month", subject_code=COUNTY)
    assert (visits["numerator"], visits["numerator_without"]) == (107_002, 107_002 - 18_209)
    private = only(
        rows, indicator_code="visit_share_private_hospital", period_type="month", subject_code=COUNTY
    )
    assert private["numerator"] == private["numerator_without"] == 14_386
    assert private["denominator"] - private["denominator_without"] == 18_209
    assert {"bed_occupancy_rate", "clinical_pathway_hospital_coverage"} <= {
        row["indicator_code"] for row in rows
    }


def test_months_beside_the_year(ask):
    differences = [row["difference_of_visits"] for row in ask(15) if row["difference_of_visits"] is not None]
    assert sum(differences) == longhu.AMENDED_VISITS
    assert only(ask(15), organization_code="LH-H01")["months"] == 12


def test_amounts_in_the_wrong_unit_are_marked(ask):
    marked = [(row["organization_code"], row["period_start"]) for row in ask(16) if row["unit_alarm"]]
    assert marked == [("LH-G01", date(2015, 5, 1))]


def test_counts_by_plan_and_one_indicator_are_printed(star):
    counted = json.loads(CliRunner().invoke(app, ["indicators", "--json"]).output)
    assert counted["catalogue"]["indicators"] == counted["catalogue"]["computable"] + 1
    plans = {plan["plan_code"]: plan for plan in counted["plans"]}
    assert sum(plan["figures"] for plan in plans.values()) == 318
    assert plans["longhu_13_5"]["impossible"] >= 3
    shown = json.loads(CliRunner().invoke(app, ["indicators", "show", "beds_per_1000", "--json"]).output)
    assert shown["definition"]["aggregation_class"] == "RS_END"
    assert {part["form_code"] for part in shown["parts"]} == {
        "inst_annual_hospital",
        "inst_annual_phc",
        "population_denominators",
    }
    assert 787 in [row["numerator"] for row in shown["computed"]]


def test_codes_of_facts_have_names(star):
    named = "select name_zh, used_by from published.dim_code_label where code_list = %s and code = %s"
    with engine(Role.READER).connect() as connection:
        nurse = connection.exec_driver_sql(named, ("profession_class", "21")).one()
        lists = connection.exec_driver_sql(
            "select count(distinct code_list) from published.dim_code_label"
        ).scalar_one()
    assert (nurse.name_zh, nurse.used_by) == ("注册护士", "staff_register.profession_class")
    assert lists > 50


def test_every_contradiction_that_people_described_is_found_by_the_mart(star):
    told = json.loads(CliRunner().invoke(app, ["indicators", "contradictions", "--json"]).output)
    with engine(Role.OWNER).connect() as connection:
        described = connection.exec_driver_sql(
            "select reference, kind, indicator_code from staging.plan_contradiction"
        ).all()
    found = {(row["reference"], row["kind"], row["indicator_code"]) for row in told}
    assert {tuple(row) for row in described} - found == set()
    assert {row["reference"][0] for row in told if row["reference"]} == set("ABCDEFGHI")
    staff = next(row for row in told if row["indicator_code"] == "health_personnel")
    assert (staff["printed_value"], staff["expected_value"], staff["verdict"]) == (1889, 1945, "impossible")


class Postgres:
    """What MetricFlow has to know of the database to write SQL for it; the tests run the SQL themselves."""

    sql_engine_type = SqlEngine.POSTGRES
    sql_plan_renderer = PostgresSQLSqlPlanRenderer()


def test_metrics_agree_with_the_fact_to_the_last_digit(star):
    building._call(star, None, ["parse"])
    written = (star.home / "dbt" / "target" / "semantic_manifest.json").read_text()
    manifest = parse_manifest_from_dbt_generated_manifest(written)
    asked = MetricFlowEngine(SemanticManifestLookup(manifest), Postgres())
    core = [metric.name for metric in manifest.metrics if not metric.name.startswith("indicator_")]
    assert len(core) == 25
    group = ["subject_type", "subject_code", "slice", "period_type"]
    compared = 0
    with engine(Role.OWNER).connect() as connection:
        for metric in core:
            request = MetricFlowQueryRequest.create(
                metric_names=[metric],
                group_by_names=[*(f"indicator_row__{name}" for name in group), "metric_time__day"],
            )
            query = asked.explain(request).sql_statement.sql.replace("%", "%%")
            told = {
                tuple(row[:-1]): round(row[-1], 8)
                for row in connection.exec_driver_sql(
                    f"select {', '.join('indicator_row__' + name for name in group)}, metric_time__day::date,"
                    f" {metric} from ({query}) as told"
                )
            }
            held = {
                tuple(row[:-1]): row[-1]
                for row in connection.exec_driver_sql(
                    f"select {', '.join(group)}, period_end, value from star.fct_indicator"
                    f" where indicator_code = '{metric}' and status = 'computed' and release_to = 2147483647"
                )
            }
            assert told == held, metric
            compared += len(held)
    assert compared > 1000


# Releases follow in the tests below: what the tests above read is no longer the newest.

WITHDRAWN = [
    ("hosp_monthly", "LH-H02", "2015-03-01"),
    ("hosp_monthly", "LH-C01", "2015-12-01"),
    ("inst_annual_hospital", "LH-H01", "2015-01-01"),
]


@pytest.mark.parametrize(("form", "unit", "start"), WITHDRAWN)
def test_the_next_release_is_what_the_question_told(star, ask, form, unit, start):
    told = ask(14, form=form, unit=unit, month=start)
    with engine(Role.OWNER).connect() as connection:
        report = connection.scalar(
            text(
                "select report_id from published.dim_report where form_code = :form and subject_code = :unit"
                " and period_start = :start"
            ),
            {"form": form, "unit": unit, "start": start},
        )
    before = _indicators()
    reports_registry.withdraw(engine(Role.LOADER), report, "构造的撤回", "test")
    Registry(star).release()
    after = _indicators()
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    # The beds of a year's form class the hospitals that are counted; the question leaves these counts out.
    changed = {key for key in changed if not key[3].startswith("hospital_beds_")}
    expected = {}
    untold = set()
    for row in told:
        key = tuple(row[name] for name in INDICATOR_KEY)
        assert (row["numerator"], row["denominator"], row["value"]) == before[key]
        if row["not_told"]:
            untold.add(key)
        else:
            expected[key] = tuple(row[f"{name}_without"] for name in ("numerator", "denominator", "value"))
    assert expected == {key: after.get(key, (None, None, None)) for key in changed - untold}
    assert len(expected) > 20


INDICATOR_KEY = ("subject_type", "subject_code", "indicator_code", "slice", "period_type", "period_start")


def _indicators():
    """Numerator, denominator and value of every published indicator."""
    query = f"select {', '.join(INDICATOR_KEY)}, numerator, denominator, value from published.fct_indicator"
    with engine(Role.READER).connect() as connection:
        return {tuple(row[:-3]): tuple(row[-3:]) for row in connection.exec_driver_sql(query)}
