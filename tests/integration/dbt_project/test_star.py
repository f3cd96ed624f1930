"""What the star says of reports: every number once, reasons for empty cells, three calendars, indicators."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from reports import SHANGHAI
from sqlalchemy import text

from expectations.catalogue import load
from ingestion.obligations import timeliness
from warehouse import building
from warehouse.database import Role, engine

JANUARY = (date(2015, 1, 1), date(2015, 1, 31))
FEBRUARY = (date(2015, 2, 1), date(2015, 2, 28))
YEAR = (date(2015, 1, 1), date(2015, 12, 31))
MCH_YEAR = (date(2014, 10, 1), date(2015, 9, 30))


@pytest.fixture
def template() -> str:
    """A database with the star's tables: what is built here is what the reports of a test change."""
    return "warehouse_built"


def test_dbt_unit_tests_pass(registry):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.candidate()
    assert building.run_unit_tests(registry.settings) == {}


def test_blank_gives_no_row_and_a_reason_gives_a_row_without_value(registry, rows):
    registry.file(
        "hosp_monthly", "H1", *JANUARY,
        {"visits_total": 0, "nurses": None, "null_reasons": {"doctors": "not_collected"}},
    )  # fmt: skip
    registry.release()
    found = rows("select field_code, value, null_reason from published.fct_reported_value order by 1")
    assert found == [
        {"field_code": "doctors", "value": None, "null_reason": "not_collected"},
        {"field_code": "visits_total", "value": 0, "null_reason": None},
    ]


def test_money_is_in_yuan_and_says_where_it_was_read(registry, rows):
    report = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 1, "revenue_medical": 12.5})
    with engine(Role.OWNER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.field_position (arrival_id, sheet, field_code, source_column)"
                " select arrival_id, 's', 'revenue_medical', 28 from registry.arrival"
            )
        )
    registry.release()
    assert rows(
        "select value, source_sheet, source_cell from published.fct_reported_value where field_code = 'revenue_medical'"
    ) == [{"value": 12500, "source_sheet": "s", "source_cell": "AB5"}]
    assert rows("select revenue_medical, report_id from published.fct_institution_finance") == [
        {"revenue_medical": 12500, "report_id": report}
    ]


def test_a_form_that_came_as_data_is_in_the_star_without_new_sql(registry, rows):
    with engine(Role.OWNER).begin() as connection:
        for statement in (
            "insert into registry.form (form_code, edition, name_zh, name_en, period_type, subject_type, definition,"
            " definition_hash) values ('dog_bites', '1', '犬伤月报', 'Dog bites', 'month', 'organization', '{}', 'x')",
            "insert into registry.form_field (form_code, field_code, ordinal, role, data_type, name_zh) values"
            " ('dog_bites', 'wound_grade', 1, 'breakdown', 'code', '暴露分级'),"
            " ('dog_bites', 'people', 2, 'measure', 'int', '人数'),"
            " ('dog_bites', 'doses', 3, 'measure', 'int', '针次')",
            "create table raw.dog_bites (revision_id bigint, record_no int, wound_grade text, people bigint,"
            " doses bigint, null_reasons jsonb, source_sheet text, source_row int, source_column int,"
            " primary key (revision_id, record_no))",
            f"grant select on raw.dog_bites to {engine(Role.BUILDER).url.username}",
        ):
            connection.execute(text(statement))
    registry.file(
        "dog_bites", "H1", *JANUARY,
        {"wound_grade": "II", "people": 4, "doses": 20}, {"wound_grade": "III", "people": 1},
    )  # fmt: skip
    registry.release()
    found = rows("select field_code, breakdown, value from published.fct_reported_value order by 1, 2")
    assert found == [
        {"field_code": "doses", "breakdown": "II", "value": 20},
        {"field_code": "people", "breakdown": "II", "value": 4},
        {"field_code": "people", "breakdown": "III", "value": 1},
    ]


def test_facts_keep_the_unit_as_it_was_in_their_period(registry, rows):
    registry.unit(
        "H1", {"event_date": date(2015, 6, 1), "event_type": "ownership", "economic_type_code": "171"}
    )
    for month in (1, 7):
        start = date(2015, month, 1)
        registry.file("hosp_monthly", "H1", start, date(2015, month, 31), {"visits_total": month})
    registry.release()
    assert rows(
        "select f.period_start, d.ownership from published.fct_hospital_service as f"
        " join published.dim_organization as d using (organization_version_key) order by 1"
    ) == [
        {"period_start": date(2015, 1, 1), "ownership": "public"},
        {"period_start": date(2015, 7, 1), "ownership": "private"},
    ]


def test_the_maternal_child_year_begins_in_october(registry, rows):
    registry.file(
        "mch_maternal_annual", "440507", *MCH_YEAR,
        {"live_births": 7196, "women_systematic_managed": 7036, "maternal_deaths": 0},
        period_type="mch_year", reporter="P1",
    )  # fmt: skip
    registry.release()
    assert rows(
        "select date_key, mch_year, mch_quarter, plan_period from published.dim_date"
        " where date_key in ('2014-09-30', '2014-10-01', '2015-09-30', '2015-10-01') order by 1"
    ) == [
        {"date_key": date(2014, 9, 30), "mch_year": 2014, "mch_quarter": 4, "plan_period": "十二五"},
        {"date_key": date(2014, 10, 1), "mch_year": 2015, "mch_quarter": 1, "plan_period": "十二五"},
        {"date_key": date(2015, 9, 30), "mch_year": 2015, "mch_quarter": 4, "plan_period": "十二五"},
        {"date_key": date(2015, 10, 1), "mch_year": 2016, "mch_quarter": 1, "plan_period": "十二五"},
    ]
    assert rows("select mch_year, live_births from published.fct_maternal_care") == [
        {"mch_year": 2015, "live_births": 7196}
    ]
    assert rows(
        "select indicator_code, numerator, denominator, round(value, 2) as value, status from published.mart_indicator"
        " where indicator_code in ('maternal_systematic_mgmt_rate', 'maternal_mortality_ratio') order by 1"
    ) == [
        {"indicator_code": "maternal_mortality_ratio", "numerator": 0, "denominator": 7196, "value": 0,
         "status": "computed"},
        {"indicator_code": "maternal_systematic_mgmt_rate", "numerator": 7036, "denominator": 7196,
         "value": Decimal("97.78"), "status": "computed"},
    ]  # fmt: skip


def test_an_unknown_reporter_and_an_unknown_region_dangle_nowhere(registry, rows):
    registry.file("idr_monthly", "659900", *JANUARY, {"disease_code": "0300", "cases": 3})
    result = registry.release()
    assert rows("select organization_key, cases from published.fct_notifiable_disease") == [
        {"organization_key": 0, "cases": 3}
    ]
    assert rows("select level from published.dim_region where region_code = '659900'") == [
        {"level": "unknown"}
    ]
    assert {test.name: test.status for test in result.tests}["keys_resolve"] == "pass"


def test_the_gate_says_which_reports_name_a_region_that_no_list_has(registry, rows):
    registry.file("idr_monthly", "659900", *JANUARY, {"disease_code": "0300", "cases": 3})
    registry.file("idr_monthly", "659900", *FEBRUARY, {"disease_code": "0300", "cases": 4})
    registry.candidate()
    (known,) = (check for check in load().checks if check.id == "dim_region.known")
    assert rows(known.expectation.failing_rows("dim_region")) == [
        {"region_code": "659900", "valid_from": date(1900, 1, 1), "forms": "法定传染病月统计报表",
         "first_period": JANUARY[0], "units": None},
    ]  # fmt: skip
    assert "regions.csv" in known.message_zh


def test_a_zone_counts_in_the_district_that_the_site_names_and_all_sums_hold(registry, rows):
    with engine(Role.OWNER).begin() as connection:
        connection.execute(
            text(
                "insert into registry.region_event (region_code, event_date, event_type, statistics_from, name_zh,"
                " level, parent_code) values"
                " ('440591', '2010-01-01', 'open', '2010-01-01', '构造开发区', 'county', '440507')"
            )
        )
    opened = {"event_date": date(2010, 1, 1), "event_type": "open", "class_code": "A100"}
    registry.unit("Z1", {**opened, "name_zh": "区内医院", "region_code": "440591"})
    registry.unit("J1", {**opened, "name_zh": "邻区医院", "region_code": "440511"})
    for unit, discharges in (("H1", 5), ("Z1", 3), ("J1", 7)):
        registry.file(
            "hosp_monthly",
            unit,
            *JANUARY,
            {"discharges": discharges, "bed_days_of_discharged": 8 * discharges},
        )
    result = registry.release()
    assert {test.name: test.status for test in result.tests if test.status != "pass"} == {}
    sums = rows(
        "select subject_code, denominator::int from published.fct_indicator where subject_type = 'region'"
        " and indicator_code = 'average_length_of_stay' and slice = 'all' and period_type = 'month' order by 1"
    )
    # The prefecture has the zone within its district, and not once more.
    assert [tuple(row.values()) for row in sums] == [
        ("440500", 15),
        ("440507", 8),
        ("440511", 7),
        ("440591", 3),
    ]


def test_a_long_region_code_is_a_region_as_well(registry, rows):
    registry.file("idr_monthly", "440507001000", *JANUARY, {"disease_code": "0300", "cases": 3})
    result = registry.release()
    assert rows("select region_key from published.dim_region where level = 'unknown'") == [
        {"region_key": -440507001000}
    ]
    assert {test.status for test in result.tests} == {"pass"}


def test_an_amended_month_reaches_the_year_and_no_other_month(registry, rows):
    for month in range(1, 13):
        start = date(2015, month, 1)
        end = date(2015, month + 1, 1) if month < 12 else date(2016, 1, 1)
        registry.file(
            "hosp_monthly", "H1", start, date.fromordinal(end.toordinal() - 1), {"visits_total": 10}
        )
    registry.release()
    registry.file("hosp_monthly", "H1", date(2015, 3, 1), date(2015, 3, 31), {"visits_total": 15})
    registry.release()
    visits = (
        "select period_type, period_start, value from star.fct_indicator where indicator_code = 'total_visits'"
        " and subject_type = 'region' and slice = 'all' and release_from = 3 order by 1"
    )
    assert rows(visits) == [
        {"period_type": "month", "period_start": date(2015, 3, 1), "value": 15},
        {"period_type": "year", "period_start": date(2015, 1, 1), "value": 125},
    ]


def test_a_running_total_of_the_year_is_its_last_quarter_and_never_a_sum(registry, rows):
    for month, managed in ((3, 10), (6, 25), (9, 30), (12, 44)):
        registry.file(
            "bphs_quarterly",
            "P1",
            date(2015, 1, 1),
            date(2015, month, 31 if month in (3, 12) else 30),
            {"elderly_65_managed": managed, "population_65_plus": 50},
            period_type="cumulative_quarter",
        )
    registry.release()
    managed = (
        "select period_type, period_end, numerator, value from star.fct_indicator"
        " where indicator_code = 'elderly_health_mgmt_rate' and subject_type = 'region' order by 1, 2"
    )
    assert [(row["period_type"], row["period_end"].month, row["value"]) for row in rows(managed)] == [
        ("cumulative_quarter", 3, 20),
        ("cumulative_quarter", 6, 50),
        ("cumulative_quarter", 9, 60),
        ("cumulative_quarter", 12, 88),
        ("year", 12, 88),
    ]


def test_a_rate_over_last_years_residents_follows_their_table(registry, rows):
    for month in range(1, 13):
        start = date(2015, month, 1)
        end = date(2015, month + 1, 1) if month < 12 else date(2016, 1, 1)
        registry.file(
            "idr_monthly",
            "440507",
            start,
            date.fromordinal(end.toordinal() - 1),
            {"disease_code": "AB_TOTAL", "cases": 1},
            reporter="H1",
        )

    def residents(number):
        registry.file(
            "population_denominators",
            "440507",
            date(2014, 1, 1),
            date(2014, 12, 31),
            {"definition": "RESIDENT_END", "population": number},
            period_type="year",
            reporter="H1",
        )
        registry.release()

    residents(120_000)
    residents(240_000)
    incidence = (
        "select release_from, period_start, denominator, value from star.fct_indicator"
        " where indicator_code = 'notifiable_ab_incidence' and status = 'computed' order by 1"
    )
    assert rows(incidence) == [
        {"release_from": 2, "period_start": date(2015, 1, 1), "denominator": 120_000, "value": 10},
        {"release_from": 3, "period_start": date(2015, 1, 1), "denominator": 240_000, "value": 5},
    ]


def test_timeliness_follows_the_first_acceptable_revision(registry, rows):
    due = date(2015, 2, 20)
    registry.file(
        "hosp_monthly",
        "H1",
        *JANUARY,
        {"visits_total": 1},
        received_at=datetime(2015, 2, 20, 23, 0, tzinfo=SHANGHAI),
    )
    registry.due("hosp_monthly", "H1", *JANUARY, due)
    registry.due("hosp_monthly", "P1", *JANUARY, due)
    registry.release()
    status = (
        "select subject_code, status, days_late from published.fct_report_timeliness order by subject_code"
    )
    assert rows(status) == [
        {"subject_code": "H1", "status": "on_time", "days_late": 0},
        {"subject_code": "P1", "status": "missing", "days_late": None},
    ]
    # An amendment after the due date does not make the report late; the missing one comes two days late.
    late = datetime(2015, 2, 22, 9, 0, tzinfo=SHANGHAI)
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 2}, received_at=late)
    registry.file("hosp_monthly", "P1", *JANUARY, {"visits_total": 2}, received_at=late)
    registry.release()
    assert rows(status) == [
        {"subject_code": "H1", "status": "on_time", "days_late": 0},
        {"subject_code": "P1", "status": "late", "days_late": 2},
    ]


def test_a_report_that_was_in_quarantine_on_its_due_date_is_late(registry, rows):
    on_time = datetime(2015, 2, 19, 9, 0, tzinfo=SHANGHAI)
    report = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 1}, received_at=on_time)
    with registry.owner.begin() as connection:
        connection.execute(
            text(
                "update registry.revision_status set status = 'quarantined' where revision_id ="
                " (select current_revision_id from registry.report where report_id = :report)"
            ),
            {"report": report},
        )
    mended = datetime(2015, 2, 25, 9, 0, tzinfo=SHANGHAI)
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 2}, received_at=mended)
    registry.due("hosp_monthly", "H1", *JANUARY, date(2015, 2, 20))
    registry.release()
    assert rows("select status, days_late from published.fct_report_timeliness") == [
        {"status": "late", "days_late": 5}
    ]


def test_a_form_that_comes_in_parts_is_there_when_all_of_them_are(registry, rows, settings):
    status = "select status, days_late from published.fct_report_timeliness where form_code = 'idr_monthly'"
    whole = registry.due(
        "idr_monthly", "440507", *JANUARY, date(2015, 2, 10), reporter="H1", parts=["cases", "deaths"]
    )

    def send(part: str, day: int) -> None:
        record = {"disease_code": "0300", part: 3}
        received = datetime(2015, 2, day, 9, 0, tzinfo=SHANGHAI)
        registry.file(
            "idr_monthly", "440507", *JANUARY, record, part=part, reporter="H1", received_at=received
        )
        with registry.owner.begin() as connection:
            registry.change(connection, whole)
        registry.release()

    send("cases", 9)
    assert rows(status) == [{"status": "missing", "days_late": None}]
    send("deaths", 12)
    assert rows(status) == [{"status": "late", "days_late": 2}]
    (counted,) = timeliness(settings, registry.owner)
    assert (counted.due, counted.late) == (1, 1)


def test_a_number_that_a_bulletin_and_a_file_of_one_measure_both_bring_counts_once_the_newest(registry, rows):
    early, later = (datetime(2015, 2, day, 9, 0, tzinfo=SHANGHAI) for day in (9, 12))
    total = {"disease_code": "AB_TOTAL", "cases": 10}
    registry.file("idr_monthly", "440507", *JANUARY, total, reporter="C1", received_at=early)
    registry.file(
        "idr_monthly",
        "440507",
        *JANUARY,
        total | {"cases": 11},
        reporter="C1",
        received_at=later,
        part="cases",
    )
    registry.release()
    assert rows("select cases from published.fct_notifiable_disease") == [{"cases": 11}]
    assert rows(
        "select value from published.mart_indicator where indicator_code = 'notifiable_ab_cases'"
        " and period_type = 'month'"
    ) == [{"value": 11}]


def test_a_due_report_that_never_came_is_not_reported_rather_than_zero(registry, rows):
    registry.due("hosp_monthly", "H1", *JANUARY, date(2015, 2, 20))
    registry.release()
    assert rows(
        "select numerator, value, status from published.mart_indicator where indicator_code = 'total_visits'"
        " and period_type = 'month' and slice = 'all' and subject_type = 'region'"
    ) == [{"numerator": None, "value": None, "status": "not_reported"}]


def test_doctors_of_the_year_need_both_kinds(registry, rows):
    registry.file("inst_annual_hospital", "H1", *YEAR, {"doctors_licensed": 5}, period_type="year")
    registry.release()
    assert rows(
        "select value, status from published.mart_indicator"
        " where indicator_code = 'doctors' and organization_code = 'H1'"
    ) == [{"value": None, "status": "not_reported"}]


def test_every_seed_and_view_is_built_only_when_it_changed(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 1})
    registry.release()
    built = rows("select part, built_at from staging.built")
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 2})
    registry.release()
    assert rows("select part, built_at from staging.built") == built
    assert Path(building.PROJECT / "seeds").is_dir()


def test_parts_that_are_no_sums_of_those_below_are_told(registry):
    """A county's rate is held against its units', a prefecture's against its counties', in every slice."""
    registry.unit(
        "H2",
        {"event_date": date(2000, 1, 1), "event_type": "open", "class_code": "A100", "region_code": "440511"},
    )
    for unit, days in (("H1", 200), ("P1", 30), ("H2", 50)):
        registry.file(
            "hosp_monthly", unit, *JANUARY, {"bed_days_occupied": days, "bed_days_open": 310},
        )  # fmt: skip
    built = registry.candidate()

    def rates() -> int:
        (test,) = [
            test
            for test in building._test(registry.settings, registry.opened)
            if test.name == "rates_are_ratios_of_sums"
        ]
        return test.failures

    assert {test.status for test in built.tests} == {"pass"}
    moved = (
        "update star.fct_indicator set numerator = numerator + :by,"
        " value = round((numerator + :by) * 100 / denominator, 8) where indicator_code = 'bed_occupancy_rate'"
        " and period_type = 'month' and subject_code = :subject and slice = :slice"
    )
    for subject, slice_ in (("440507", "all"), ("440500", "all"), ("440500", "hospital")):
        for by, is_told in ((1, True), (-1, False)):
            with engine(Role.OWNER).begin() as connection:
                given = {"subject": subject, "slice": slice_, "by": by}
                assert connection.execute(text(moved), given).rowcount == 1
            assert bool(rates()) == is_told, (subject, slice_)
