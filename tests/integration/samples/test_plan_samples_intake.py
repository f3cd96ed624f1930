"""Reports behind Nantong 2015 and Hai'an 2024 through the real intake: what the star says of each target."""

from datetime import date

import pytest
from sqlalchemy import text

from ingestion import directory, inbox, intake, obligations, raw, registry, site
from samples import haian, longhu, nantong, progress, reported
from samples.nantong import units
from warehouse import building, release
from warehouse.database import Role, engine

PROGRESS = text(
    "select figure_no, numerator, denominator, computed_value, units_measured, units_expected, status"
    " from published.mart_plan_progress where plan_code = :plan"
    " and extract(year from period_end) = target_year"
)
WITHOUT_NUMBER_OR_FORM = {
    "nantong_2015": {7, 8, 9, 16, 17, 51, 80},
    "haian_2024": set(),
}


def taken_in(settings):
    """Take in what waits; returns for each source what happened to its reports."""
    site_folder = site.load_site(settings)
    directory.take_in(engine(Role.LOADER), site_folder)
    happened = {
        source.code: intake.take_in(settings, source, inbox.waiting(settings, source)).reports
        for source in site_folder.sources
    }
    obligations.mark_due(engine(Role.LOADER), date(2025, 3, 1))
    return happened


def delivered(settings):
    """Put the sample and both plans on top of it where nights find them, and take them in."""
    longhu.write(settings.home)
    for plan in (nantong, haian):
        progress.deliver(
            settings.home,
            plan.events(),
            plan.deliveries(),
            towns=plan.towns(),
            duties=plan.duties(),
            source=plan.SOURCE,
        )
    raw.prepare(settings)
    return taken_in(settings)


@pytest.fixture
def star(settings):
    """Asks the star after a night with all deliveries."""
    happened = delivered(settings)
    assert set(happened["nantong"]) == set(happened["bureau"]) == {"new"}
    candidate = release.open_candidate(engine(Role.BUILDER), "test")
    with release.holding(engine(Role.BUILDER), candidate):
        result = building.build(settings, candidate)
    assert {test.name: test.status for test in result.tests if test.status != "pass"} == {}
    with engine(Role.AUDITOR).begin() as connection:
        connection.execute(
            text("update warehouse.release set verdict = 'passed' where release_id = :id"),
            {"id": candidate.release_id},
        )
    release.publish(engine(Role.PUBLISHER), candidate)

    def ask(query, **parameters):
        with engine(Role.READER).connect() as connection:
            return connection.execute(query, parameters).all()

    return ask


def records(form):
    """Records of a form as Nantong's units delivered them."""
    return [record for _, name, delivered in units.tables() if name == form for record in delivered]


def test_each_report_has_a_duty_and_each_duty_its_report(settings):
    delivered(settings)
    rules = {finding.rule_id for finding in registry.findings(engine(Role.LOADER))}
    # One broken report of Longhu, and Nantong's few deaths; nobody reports what nobody owes.
    assert rules == {"HM01", "MM07S"}
    with engine(Role.LOADER).connect() as connection:
        owed = connection.execute(
            text(
                "select left(subject_code, 2), count(*), count(revision_id) from registry.fulfilment group by 1"
            )
        ).all()
        of_regions = connection.execute(
            text(
                "select r.region_code, count(*), count(f.revision_id) from registry.fulfilment as f"
                " inner join registry.report as r on f.report_id = r.report_id"
                " where r.subject_type = 'region' group by r.region_code"
            )
        ).all()
    units_of_nantong = 12 * (len(units.HOSPITALS) + 2 * len(units.CENTRES) + 1) + 1 + len(units.COOPERATING)
    told = {place: counts for place, *counts in owed}
    assert told["NT"] == [units_of_nantong] * 2
    assert told["HA"] == [1, 1]
    # Twelve months of diseases, four quarters and a year of screening, two tables, a quarter of patients.
    assert {place: counts for place, *counts in of_regions if place != "440507"} == {
        "320600": [20, 20],
        "320685": [6, 6],
    }
    assert sum(due for _, due, _ in owed) == 290 + units_of_nantong + 20 + 1 + 6


def test_each_target_is_told_as_the_page_says(star):
    for plan, unmeasured in WITHOUT_NUMBER_OR_FORM.items():
        rows = {row.figure_no: row for row in star(PROGRESS, plan=plan)}
        told = reported.told(plan)
        assert set(rows) == set(told)
        for number, row in rows.items():
            expected = told[number]
            assert row.status == expected.status, (plan, number)
            for value, said in ((row.numerator, expected.numerator), (row.denominator, expected.denominator)):
                assert (value is None) == (said == ""), (plan, number)
                assert value is None or float(value) == pytest.approx(float(said)), (plan, number)
        assert {number for number, row in rows.items() if row.status == "not_measured"} == unmeasured
        assert {number for name, number in reported.LEFT if name == plan} == unmeasured
    rows = {row.figure_no: row for row in star(PROGRESS, plan="nantong_2015")}
    this_year = [one for one in records("hosp_monthly") if one["report_month"].startswith("2015")]
    seen_by_centres = [one["visits_total"] for one in this_year if one["organization_code"] in units.CENTRES]
    for number in (5, 6):
        assert rows[number].numerator == sum(seen_by_centres)
        assert rows[number].denominator == sum(one["visits_total"] for one in this_year)
    assert rows[45].numerator == sum(one["tests"] for one in records("hiv_test_monthly"))
    doses = [
        (
            one["month"],
            one.get("due_basic", one.get("due_booster")),
            one.get("given_basic", one.get("given_booster")),
        )
        for one in records("epi_monthly")
    ]
    # Who was left over is due again: due in the year were those vaccinated before December, and those due then.
    due = sum(due if month == "2015-12" else given for month, due, given in doses)
    assert (rows[37].numerator, rows[37].denominator) == (sum(given for *_, given in doses), due)
    assert rows[3].numerator == len(records("birth_defect_card"))
    assert (rows[63].units_measured, rows[63].units_expected) == (8, 8)
    assert rows[74].numerator == 15_240
    # Each hospital, town and partner of Shanghai is judged by itself: the least of them is shown.
    for number, least, units_of_it in ((22, 30, 5), (29, 22, 8), (85, 2, 2)):
        assert rows[number].computed_value == least, number
        assert (rows[number].units_measured, rows[number].units_expected) == (units_of_it, units_of_it)
    unknown = text("select region_code from published.dim_region where level = 'unknown'")
    assert star(unknown) == []
    unlisted = text(
        "select organization_code from published.dim_organization where class_name_zh is null and organization_key <> 0"
    )
    assert star(unlisted) == []
