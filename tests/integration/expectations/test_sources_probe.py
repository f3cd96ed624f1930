"""The probe over sources: rules that no single report can show, each asked of what all reports and cards say."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from expectations import probes
from expectations.scope import EVERYTHING
from warehouse.database import Role, engine
from warehouse.release import open_candidate
from warehouse.settings import Settings
from warehouse.star import make_views

LONGHU, CHENGHAI, CHAONAN = "440507", "440515", "440514"
MCH_YEAR = {"period_type": "mch_year", "period_start": date(2014, 10, 1), "period_end": date(2015, 9, 30)}
YEAR = {"period_type": "year", "period_start": date(2015, 1, 1), "period_end": date(2015, 12, 31)}
BATCH = {"period_type": "event", "period_start": date(2015, 1, 1), "period_end": date(2015, 12, 31)}

Found = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def template() -> str:
    """A database with the star's tables."""
    return "warehouse_built"


@pytest.fixture
def found(settings: Settings) -> Iterable[Found]:
    """Asks the probe for findings of a kind, and last how many places it looked at."""
    assert open_candidate(engine(Role.BUILDER), "test", force=True) is not None
    with engine(Role.BUILDER).begin() as connection:
        make_views(connection, "candidate", "candidate_release")
    query = EVERYTHING.render((probes.PROBES / "sources.sql").read_text(encoding="utf-8")).replace("%", "%%")

    def ask(kind: str) -> list[tuple[object, ...]]:
        with engine(Role.AUDITOR).connect() as connection:
            rows = connection.exec_driver_sql(query).mappings().all()
        told = [
            (row["subject_code"], row["field_code"], float(row["score"]), row["observed"], row["expected"])
            for row in rows
            if row["kind"] == kind and row["looked"] is None
        ]
        looked = [row["looked"] for row in rows if row["kind"] == kind and row["looked"] is not None]
        return [*sorted(told), *looked]

    return ask


def put(table: str, *rows: dict[str, Any]) -> None:
    with engine(Role.BUILDER).begin() as connection:
        for number, row in enumerate(rows, start=1):
            whole = {"organization_key": 0, "report_id": number, "release_from": 1, "release_to": 2147483647}
            whole |= row
            names, values = ", ".join(whole), ", ".join(f":{name}" for name in whole)
            connection.execute(text(f"insert into star.{table} ({names}) values ({values})"), whole)


def value(
    form: str, field: str, region: str, number: int, breakdown: str = "", **more: Any
) -> dict[str, Any]:
    return {
        "form_code": form,
        "field_code": field,
        "breakdown": breakdown,
        "subject_type": "region",
        "subject_code": region,
        "region_code": region,
        "value": number,
        "revision_id": 1,
        **more,
    }


def test_deaths_of_the_annual_tables_are_held_against_the_cards_of_the_region_and_year(found: Found):
    cards = {"region_code": LONGHU, **BATCH, "month_start": date(2015, 5, 1), "mch_year": 2015}
    child = {"sex": "1", "deaths_neonatal": 1, "deaths_early_neonatal": 0}
    put(
        "fct_child_death",
        cards | child | {"cause_chapter": "XVI", "deaths_under5": 2, "deaths_infant": 2},
        cards | child | {"cause_chapter": "XX", "deaths_under5": 1, "deaths_infant": 0},
        # Of the next maternal-child year.
        cards | child | {"cause_chapter": "I", "deaths_under5": 1, "deaths_infant": 0, "mch_year": 2016},
    )
    # The second died of an accident, so she is no maternal death.
    put("fct_maternal_death", cards | {"cards": 2, "maternal_deaths": 1})
    put(
        "fct_reported_value",
        value("mch_child_annual", "deaths_under5", LONGHU, 4, **MCH_YEAR),
        value("mch_child_annual", "deaths_infant", LONGHU, 2, **MCH_YEAR),
        value("mch_maternal_annual", "maternal_deaths", LONGHU, 1, **MCH_YEAR),
        # A region whose cards do not come here.
        value("mch_child_annual", "deaths_under5", CHENGHAI, 5, **MCH_YEAR),
    )
    assert found("death_cards") == [(LONGHU, "deaths_under5", 1, 4, 3), 3]


def test_fewer_than_six_deaths_of_a_thousand_residents_are_told(found: Found):
    kinds = ("in_institution", "cancer", "circulatory", "chronic_respiratory", "diabetes", "ill_defined")
    place = {"township_code": "", "sex": "", "age_band": "", "cause_chapter": "", **BATCH}
    place |= {f"deaths_{kind}": 0 for kind in kinds}
    put(
        "fct_death",
        *(
            place | {"region_code": region, "death_date": date(2015, month, 9), "deaths": deaths}
            # 480 and 600 deaths; of the third no certificate of December came.
            for region, deaths, months in ((LONGHU, 40, 12), (CHENGHAI, 50, 12), (CHAONAN, 10, 11))
            for month in range(1, months + 1)
        ),
    )
    put(
        "fct_reported_value",
        *(
            value("population_denominators", "population", region, 100_000, "RESIDENT_END", **YEAR)
            for region in (LONGHU, CHENGHAI, CHAONAN)
        ),
    )
    assert found("crude_death_rate") == [(LONGHU, None, pytest.approx(1.2), 480, 600), 2]


def test_tests_of_pregnant_women_are_held_against_the_women_tested(found: Found):
    months = [date(2014 + number // 12, number % 12 + 1, 1) for number in range(9, 21)]

    def tested(region: str, hospital: int, months: list[date]) -> list[dict[str, Any]]:
        return [
            value("hiv_test_monthly", "tests", region, 40, "MATERNAL", subject_type="organization")
            | {"subject_code": f"H{hospital}", "organization_key": hospital}
            | {"period_type": "month", "period_start": month, "period_end": month.replace(day=28)}
            for month in months
        ]

    put(
        "fct_reported_value",
        *tested(LONGHU, 1, months),
        *tested(LONGHU, 2, months),
        *tested(CHENGHAI, 3, months),
        *tested(CHAONAN, 4, months[1:]),
        *(
            value("mch_maternal_annual", "pmtct_hiv_tested", region, 1_000, **MCH_YEAR)
            for region in (LONGHU, CHENGHAI, CHAONAN)
        ),
    )
    # 960 tests are within the threshold of five in a hundred.
    assert found("pregnant_hiv_tests") == [
        (LONGHU, "pmtct_hiv_tested", pytest.approx(4), 1000, 960),
        (CHENGHAI, "pmtct_hiv_tested", pytest.approx(52), 1000, 480),
        2,
    ]


def test_cards_that_tell_a_person_and_disease_again_are_told_by_region_and_month(found: Found):
    cards = {"region_code": LONGHU, **BATCH}
    put(
        "fct_disease_card_repeat",
        cards | {"month_start": date(2015, 5, 1), "cards_compared": 30, "cards_repeated": 2},
        cards | {"month_start": date(2015, 5, 1), "cards_compared": 20, "cards_repeated": 1},
        cards | {"month_start": date(2015, 6, 1), "cards_compared": 20, "cards_repeated": 0},
    )
    assert found("repeated_cards") == [(LONGHU, None, 3, 3, 0), 3]
