"""The Longhu sample through the real intake: the star says what the plan prints, and what an amendment changes."""

import json
from datetime import date

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from ingestion import directory, inbox, intake, obligations, raw, site
from samples import longhu
from warehouse import building, release
from warehouse.cli import app
from warehouse.database import Role, engine
from warehouse.difference import diff

FIGURE = text(
    "select numerator, denominator, value, status from published.mart_indicator where indicator_code = :indicator"
    " and slice = :slice and period_type = :period_type and period_start = :period_start and region_code = '440507'"
    " and organization_code is null"
)


def night(settings, delivery):
    """Deliver, take in, build and publish; returns what the build did."""
    longhu.write(settings.home, delivery=delivery)
    site_folder = site.load_site(settings)
    directory.take_in(engine(Role.LOADER), site_folder)
    for source in site_folder.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))
    obligations.mark_due(engine(Role.LOADER), date(2016, 3, 1))
    candidate = release.open_candidate(engine(Role.BUILDER), "test")
    with release.holding(engine(Role.BUILDER), candidate):
        result = building.build(settings, candidate)
    with engine(Role.AUDITOR).begin() as connection:
        connection.execute(
            text("update warehouse.release set verdict = 'passed' where release_id = :id"),
            {"id": candidate.release_id},
        )
    release.publish(engine(Role.PUBLISHER), candidate)
    return result


def figures():
    """Each figure of the plan as the reader sees it."""
    with engine(Role.READER).connect() as connection:
        return {
            figure: connection.execute(
                FIGURE,
                {
                    "indicator": figure.indicator,
                    "slice": figure.slice,
                    "period_type": figure.period_type,
                    "period_start": figure.period_start,
                },
            ).one_or_none()
            for figure in longhu.EXPECTED
            if figure.period_type != "plan"
        }


VERDICT = text(
    "select indicator_code, slice, printed_value::float, verdict from published.mart_plan_reconciliation"
    " where plan_code = 'longhu_13_5' and kind in ('actual', 'baseline') order by figure_no"
)


def verdicts():
    """What the star says of each figure that the plan prints for 2015."""
    with engine(Role.READER).connect() as connection:
        return {row[:3]: row.verdict for row in connection.execute(VERDICT)}


IN_THE_MART = {longhu.Verdict.TRUNCATED: "rounding"}
"""The mart asks whether the last digit differs, the page also how it came about."""


def judged_differently(printed):
    """Figures of the page of which the mart says something else, and those that it does not have."""
    said = {
        (figure.indicator, figure.slice, float(figure.printed) * figure.printed_in): IN_THE_MART.get(
            figure.verdict, figure.verdict.value
        )
        for figure in longhu.EXPECTED
    }
    return {key: printed.get(key) for key, verdict in said.items() if printed.get(key) != verdict}


def asked(query):
    with engine(Role.READER).connect() as connection:
        return connection.execute(text(query)).all()


def reporting_rates():
    """Rates of the year that were computed: (numerator, denominator) by subject, form, year and rate."""
    query = (
        "select subject_type, subject_code, form_code, period_start, rate_code, numerator, denominator"
        " from published.mart_reporting_rate where period_type = 'year' and status = 'computed'"
    )
    return {tuple(row[:5]): tuple(row[5:]) for row in asked(query)}


def test_the_star_says_what_the_plan_prints_and_an_amendment_changes_what_follows(settings):
    raw.prepare(settings)
    first = night(settings, "main")
    assert {test.name: test.status for test in first.tests if test.status != "pass"} == {}
    for figure, row in figures().items():
        assert row is not None, figure
        assert row.status == "computed", figure
        assert row.numerator == figure.numerator, figure
        assert float(row.value) == pytest.approx(float(figure.value), abs=1e-6), figure
    printed = verdicts()
    assert [figure for figure, verdict in printed.items() if verdict == "impossible"] == [
        ("life_expectancy", "all", 76.3),
        ("under5_mortality_rate", "all", 1.01),
        ("infant_mortality_rate", "all", 1.01),
        ("maternal_mortality_ratio", "all", 1.26),
        ("bed_occupancy_rate", "hospital", 76.5),
        ("health_personnel", "all", 1889),
    ]
    assert printed["visit_share_public_hospital", "all", 78.83] == "rounding"
    assert printed["hypertension_std_mgmt_rate", "all", 92.03] == "agrees"
    assert printed["hypertension_std_mgmt_rate", "all", 68.93] == "conflict"
    assert printed["institutions", "village_clinic", 33] == "conflict"
    # The plan's list knows the area by its level.
    assert judged_differently(printed) == {("chronic_demo_areas", "all", 1.0): None}
    assert printed["chronic_demo_areas", "provincial", 1] == "agrees"
    counted = json.loads(CliRunner().invoke(app, ["indicators", "--json"]).output)["plans"]
    (told,) = [plan for plan in counted if plan["plan_code"] == "longhu_13_5"]
    assert (told["impossible"], told["conflict"], told["rounding"]) == (8, 18, 7)
    looser = (
        "select distinct figure_no from published.mart_plan_progress where is_looser_than_baseline order by 1"
    )
    as_printed = (
        "select figure_no from published.mart_plan_contradiction where kind = 'target_improves' order by 1"
    )
    assert asked(looser) == asked(as_printed) == [(7,), (10,), (120,), (182,)]
    over_five_years = [figure for figure in longhu.EXPECTED if figure.period_type == "plan"]
    assert {printed[figure.indicator, figure.slice, float(figure.printed)] for figure in over_five_years} == {
        "agrees"
    }
    told = reporting_rates()
    months = "hosp_monthly", date(2015, 1, 1)
    # Eleven institutions, twelve months; one was late, one sent a broken month again, one the same month again.
    assert told["region", "440507", *months, "reporting"] == (132, 132)
    assert told["region", "440507", *months, "timeliness"] == (131, 132)
    assert told["region", "440507", *months, "return"] == (1, 133)
    assert told["region", "440507", *months, "amendment"] == (0, 132)
    assert told["region", "440507", *months, "silent_counties"] == (0, 12)
    assert told["organization", longhu.LATE.subject, *months, "timeliness"] == (11, 12)
    assert told["organization", longhu.BROKEN.subject, *months, "return"] == (1, 13)
    assert told["organization", longhu.RESENT.subject, *months, "return"] == (0, 12)
    second = night(settings, "amendment")
    told = reporting_rates()
    assert told["organization", longhu.AMENDMENT.subject, *months, "amendment"] == (1, 12)
    assert told["region", "440507", *months, "amendment"] == (1, 132)
    changed = {table.table: (table.added, table.removed) for table in diff(engine(Role.PUBLISHER), 1, 2)}
    assert set(changed) == {
        "dim_report", "dim_revision", "fct_hospital_service", "fct_indicator", "fct_institution_finance",
        "fct_report_quality", "fct_reported_value", "mart_headline", "mart_indicator", "mart_institution_comparison",
        "mart_monthly_bulletin", "mart_plan_progress", "mart_plan_reconciliation", "mart_reporting_quality",
        "mart_reporting_rate",
    }  # fmt: skip
    # The new revision is one row more; the one before stays, as numbers still lead to it.
    assert changed.pop("dim_revision") == (1, 0)
    assert set(changed.values()) == {(0, 0)}
    assert second.inserted == second.closed + 1 < 300
    by_code = {(figure.indicator, figure.slice): row for figure, row in figures().items()}
    assert by_code["total_visits", "all"].value == 1_261_543 + longhu.AMENDED_VISITS
    assert by_code["beds_actual", "all"].value == 787
