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
from typer.testing import CliRunner

from ingestion import directory, inbox, intake, obligations, raw, site
from samples import longhu
from warehouse import building
from warehouse.cli import app
from warehouse.database import Role, engine

MARCH = (date(2015, 3, 1), date(2015, 3, 31))
YEAR = (date(2015, 1, 1), date(2015, 12, 31))
MCH_YEAR = (date(2014, 10, 1), date(2015, 9, 30))
COUNTY = "440507"


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
    first = registry.release()
    assert {test.name: test.status for test in first.tests if test.status != "pass"} == {}
    _deliver(module_database, "amendment")
    _population(registry, 520_000)
    registry.release()
    return module_database


@pytest.fixture(scope="module")
def ask(star):
    """Runs one question as dbt compiles it and returns its rows."""
    compiled = {
        result.node.name: result.node.compiled_code
        for result in building._results(star, None, ["compile", "--select", "path:analyses"])
    }
    assert len(compiled) == 16

    def rows(number):
        name = next(name for name in compiled if name.startswith(f"question_{number:02}_"))
        query = compiled[name]
        with engine(Role.READER).connect() as connection:
            return [dict(row) for row in connection.exec_driver_sql(query.replace("%", "%%")).mappings()]

    return rows


def _deliver(settings, delivery):
    longhu.write(settings.home, delivery=delivery)
    site_folder = site.load_site(settings)
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


def only(rows, **wanted):
    """The one row that has these values."""
    (found,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return found


def test_visits_beside_last_year_and_among_those_that_reported_in_both(ask):
    whole = only(ask(1), class_group=None)
    assert (whole["visits"], whole["visits_last_year"], whole["institutions_in_both"]) == (107_002, 20_000, 1)
    assert only(ask(1), class_group="hospital", township_code=None)["institutions"] == 6


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
    assert [(row["township_code"], row["vaccine"], row["rate"]) for row in ask(6)] == [
        ("440507001", "BCG", 90)
    ]


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


def test_districts_on_the_map_of_2015_and_of_2024(ask):
    shown = {(row["map_year"], row["region_code"]): (row["cases"], row["is_exact"]) for row in ask(12)}
    assert shown == {
        (2015, "320602"): (120, True),
        (2015, "320611"): (80, True),
        (2024, "320613"): (200, True),
    }


def test_whose_corrections_changed_a_published_number(ask):
    changed = {row["organization_code"]: row["published_numbers_changed"] for row in ask(13)}
    assert max(changed[code] for code in changed if code) == 4


def test_what_changes_if_a_report_is_withdrawn(ask):
    visits = only(ask(14), indicator_code="total_visits", period_type="month")
    assert 0 < visits["numerator_without"] < visits["numerator"] == 107_002
    assert "bed_occupancy_rate" in {row["indicator_code"] for row in ask(14)}


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
