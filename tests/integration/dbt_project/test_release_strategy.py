"""The release strategy: what a candidate writes into the star, and that doing it again changes nothing."""

from datetime import date

import pytest
from sqlalchemy import text

from warehouse import building, release
from warehouse.database import Role, engine, make_engine
from warehouse.release import OPEN_END

JANUARY = (date(2015, 1, 1), date(2015, 1, 31))
FEBRUARY = (date(2015, 2, 1), date(2015, 2, 28))
VALUES = (
    "select field_code, value, release_from, release_to from star.fct_reported_value"
    " where report_id = :report order by field_code, release_from"
)


@pytest.fixture
def template() -> str:
    """A database with the star's tables, published empty as release 1."""
    return "warehouse_built"


@pytest.fixture
def few_models(registry, monkeypatch):
    """Builds of the few models that a test looks at; the others keep what they have."""
    chosen = {"dim_report", "dim_organization", "fct_reported_value", "fct_hospital_service"}
    select = building._selection
    monkeypatch.setattr(
        building, "_selection", lambda *arguments: [name for name in select(*arguments) if name in chosen]
    )


def contents(rows):
    """Every row of the star, without the order in which it was written."""
    names = rows(
        "select relname as name from pg_class where relnamespace = 'star'::regnamespace and relkind = 'r'"
    )
    return {
        name: sorted(
            row["content"] for row in rows(f"select to_jsonb(t)::text as content from star.{name} as t")
        )
        for name in sorted(row["name"] for row in names)
    }


def test_an_amendment_closes_what_changed_or_vanished_and_leaves_the_rest(registry, rows):
    report = registry.file(
        "hosp_monthly", "H1", *JANUARY, {"visits_total": 100, "beds_actual": 10, "nurses": 7}
    )
    other = registry.file("hosp_monthly", "P1", *JANUARY, {"visits_total": 50})
    first = registry.release()
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 101, "beds_actual": 10, "doctors": 3})
    second = registry.release()
    assert (first.release_id, second.release_id) == (2, 3)
    assert rows(VALUES, report=report) == [
        {"field_code": "beds_actual", "value": 10, "release_from": 2, "release_to": OPEN_END},
        {"field_code": "doctors", "value": 3, "release_from": 3, "release_to": OPEN_END},
        {"field_code": "nurses", "value": 7, "release_from": 2, "release_to": 3},
        {"field_code": "visits_total", "value": 100, "release_from": 2, "release_to": 3},
        {"field_code": "visits_total", "value": 101, "release_from": 3, "release_to": OPEN_END},
    ]
    assert [row["release_from"] for row in rows(VALUES, report=other)] == [2]
    changed = {model.name: (model.inserted, model.closed) for model in second.models}
    assert changed["fct_reported_value"] == (2, 2)
    assert changed["fct_hospital_service"] == (1, 1)
    assert changed["dim_organization"] == changed["dim_date"] == changed["fct_maternal_care"] == (0, 0)
    assert [test.status for test in second.tests] == ["pass"] * len(second.tests)


def test_building_a_candidate_again_changes_nothing(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100, "beds_actual": 10})
    registry.release()
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 101})
    registry.file("hosp_monthly", "H1", *FEBRUARY, {"visits_total": 90})
    registry.candidate()
    before = contents(rows)
    again = building.build(registry.settings, registry.opened)
    assert contents(rows) == before
    assert again.inserted > 0


@pytest.mark.usefixtures("few_models")
def test_what_an_earlier_try_of_the_candidate_wrote_is_put_right(registry, rows):
    report = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100, "beds_actual": 10})
    registry.release()
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 999})
    registry.candidate()
    # The report is put back before the candidate is built to the end.
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100, "beds_actual": 10})
    building.build(registry.settings, registry.opened)
    assert rows(VALUES, report=report) == [
        {"field_code": "beds_actual", "value": 10, "release_from": 2, "release_to": OPEN_END},
        {"field_code": "visits_total", "value": 100, "release_from": 2, "release_to": OPEN_END},
    ]


@pytest.mark.parametrize("template", ["warehouse_prepared"])
def test_a_rejected_first_candidate_leaves_nothing_and_the_next_is_whole(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.candidate()
    release.reject(engine(Role.BUILDER), registry.opened, "test")
    assert not any(contents(rows).values())
    result = registry.release()
    assert {model.name for model in result.models if model.inserted} >= {
        "dim_date",
        "dim_indicator",
        "mart_indicator",
    }


def test_a_dead_runs_candidate_is_built_again_whole(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.candidate()
    before = contents(rows)
    registry.candidate()
    assert registry.opened.attempt == 2
    assert contents(rows) == before


def test_a_withdrawn_report_is_gone_from_the_next_release(registry, rows):
    report = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.file("hosp_monthly", "P1", *JANUARY, {"visits_total": 50})
    february = date(2015, 2, 1), date(2015, 2, 28)
    due = registry.file("hosp_monthly", "H1", *february, {"visits_total": 90})
    registry.due("hosp_monthly", "H1", *february, date(2015, 3, 20))
    registry.release()
    for withdrawn in (report, due):
        registry.withdraw(withdrawn)
    registry.release()
    shown = "select report_id, status from published.dim_report where report_id in (:report, :due)"
    assert rows("select 1 from published.fct_reported_value where report_id = :report", report=report) == []
    # One that is due stays, as missing.
    assert rows(shown, report=report, due=due) == [{"report_id": due, "status": "not_received"}]
    total = (
        "select value from published.mart_indicator where indicator_code = 'total_visits' and slice = 'all'"
        " and period_type = 'month' and period_start = '2015-01-01'"
        " and region_code = '440507' and organization_code is null"
    )
    assert rows(total) == [{"value": 50}]


@pytest.mark.usefixtures("few_models")
def test_many_changes_give_the_same_as_few(registry, rows, monkeypatch):
    """Beyond the literal limit the scope is a range and a semi-join."""
    for unit, visits in (("H1", 100), ("P1", 50)):
        registry.file("hosp_monthly", unit, *JANUARY, {"visits_total": visits})
    registry.release()
    with engine(Role.OWNER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.report (form_code, subject_type, subject_code, organization_key, period_type,"
                " period_start, period_end) select 'hosp_monthly', 'organization', 'H1', organization_key, 'month',"
                " date '1960-01-01' + n * interval '1 month', date '1960-01-31' + n * interval '1 month'"
                " from registry.organization, generate_series(1, 520) as n where organization_code = 'H1'"
            )
        )
        connection.execute(
            text(
                "insert into registry.obligation (report_id, due_on, reporter_key)"
                " select report_id, period_end + 20, organization_key from registry.report"
                " where period_start < '2010-01-01'"
            )
        )
        connection.execute(
            text(
                "insert into registry.change (report_id, cause) select report_id, 'test' from registry.report"
            )
        )
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 101})
    result = registry.release()
    changed = {model.name: (model.inserted, model.closed) for model in result.models}
    assert changed["fct_reported_value"] == (1, 1)
    assert changed["dim_report"] == (521, 1)


@pytest.mark.usefixtures("few_models")
def test_a_report_that_changes_during_the_build_is_built_into_the_same_candidate(registry, rows, monkeypatch):
    report = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.release()
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 101})
    run = building._run
    rounds = []

    def amended_meanwhile(*arguments):
        seconds = run(*arguments)
        if not rounds:
            registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 102})
        rounds.append(seconds)
        return seconds

    monkeypatch.setattr(building, "_run", amended_meanwhile)
    registry.release()
    assert len(rounds) == 2
    assert [row["value"] for row in rows(VALUES, report=report)] == [100, 102]
    assert rows("select 1 from registry.change where release_id is null") == []


def test_a_failing_model_is_named_with_its_cause(registry):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    with engine(Role.OWNER).begin() as connection:
        connection.execute(text("alter table raw.hosp_monthly rename column visits_total to visits_gone"))
    with pytest.raises(building.BuildFailed) as failed:
        registry.candidate()
    assert "stg_raw__hosp_monthly" in failed.value.message or "fct_reported_value" in failed.value.message
    assert "visits_total" in failed.value.message
    assert "dbt_project/models" in failed.value.mend


@pytest.mark.usefixtures("few_models")
def test_a_release_that_is_not_the_open_candidate_is_refused(registry):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.release()
    with pytest.raises(building.BuildFailed, match="not the open candidate"):
        building.build(registry.settings, release.Candidate(7, 1, "test", 1, 1))


@pytest.mark.usefixtures("few_models")
def test_no_password_is_written_to_disk(registry):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.release()
    secret = make_engine(registry.settings, Role.BUILDER).url.password
    written = [file for file in (registry.settings.home / "dbt").rglob("*") if file.is_file()]
    assert written
    assert secret
    assert not [file for file in written if secret.encode() in file.read_bytes()]


@pytest.mark.usefixtures("few_models")
def test_the_planner_knows_what_was_received_before_the_build(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    known = "select reltuples::int as rows from pg_class where oid = 'raw.hosp_monthly'::regclass"
    assert rows(known) == [{"rows": -1}]
    registry.candidate()
    assert rows(known) == [{"rows": 1}]


@pytest.mark.usefixtures("few_models")
def test_the_summary_keeps_models_and_tests_for_the_gate(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    result = registry.candidate()
    kept = rows("select summary from warehouse.release where release_id = 2")[0]["summary"]
    assert {test["name"] for test in kept["dbt_tests"]} == {test.name for test in result.tests}
    assert {model["name"]: model["inserted"] for model in kept["models"]}["dim_report"] == 1


@pytest.mark.usefixtures("few_models")
def test_documentation_is_one_page(registry):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.candidate()
    page = building.docs(registry.settings)
    assert page.is_file()
    shown = page.read_text()
    assert "fct_indicator" in shown
    for place in (registry.settings.home, building.PROJECT):
        assert str(place) not in shown
