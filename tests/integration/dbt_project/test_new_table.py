"""A table that an upgrade brought: its first build reads every report, whatever became of the first candidate."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from warehouse import migrate, release
from warehouse.database import Role, engine

JANUARY = (date(2015, 1, 1), date(2015, 1, 31))


def test_a_new_table_is_whole_after_its_first_candidate_was_rejected(registry, rows):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.release()
    with engine(Role.OWNER).begin() as connection:
        connection.execute(text("drop table star.fct_hospital_service cascade"))
    registry.file("hosp_monthly", "P1", *JANUARY, {"visits_total": 50})
    registry.candidate()
    release.reject(engine(Role.BUILDER), registry.opened, "test")
    registry.release()
    assert rows("select visits_total from published.fct_hospital_service order by 1") == [
        {"visits_total": 50},
        {"visits_total": 100},
    ]


def test_an_instance_from_before_doses_led_to_schedules_takes_the_key(registry, rows):
    def dose(given: int) -> dict[str, object]:
        return {"vaccine": "POLIO", "dose_no": "1", "residence_class": "0", "given_basic": given}

    registry.file("epi_monthly", "P1", *JANUARY, dose(10))
    registry.release()
    with engine(Role.OWNER).begin() as connection:
        for statement in (
            "alter table star.fct_immunisation drop column vaccine_dose_key cascade",
            "alter table star.dim_vaccine_dose drop column vaccine_dose_key cascade, drop column due_from cascade,"
            " drop column due_to cascade, drop column counts_to cascade, drop column alone_from cascade",
            "update warehouse.migration set version_num = '0017'",
            # The lists of a version that did not have the columns were of another content.
            "delete from staging.built where part in ('lists', 'views')",
        ):
            connection.execute(text(statement))
    migrate.up(registry.settings)
    registry.file("epi_monthly", "P1", *JANUARY, dose(12))
    registry.release()
    assert rows(
        "select f.given_basic, d.schedule, d.age_zh from published.fct_immunisation as f"
        " inner join published.dim_vaccine_dose as d using (vaccine_dose_key)"
    ) == [{"given_basic": 12, "schedule": "2008", "age_zh": "2月龄"}]


def test_an_instance_whose_regions_might_have_gaps_refuses_them_after_the_next_build(registry, rows):
    """The trigger of before, on units alone, gives way to the present one; regions had none."""
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 100})
    registry.release()
    with engine(Role.OWNER).begin() as connection:
        for statement in (
            "drop trigger dim_region__no_gap on star.dim_region",
            "drop trigger dim_organization__no_gap on star.dim_organization",
            "create constraint trigger dim_organization__no_gap after insert or update or delete"
            " on star.dim_organization deferrable initially deferred"
            " for each row execute function warehouse.spells_meet('organization_key')",
            "alter table star.dim_region drop column lapses_until cascade",
            "update warehouse.migration set version_num = '0017'",
        ):
            connection.execute(text(statement))
    migrate.up(registry.settings)
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 101})
    registry.release()
    assert [
        row["arguments"]
        for row in rows(
            "select encode(tgargs, 'escape') as arguments from pg_trigger"
            " where tgname like 'dim%__no_gap' order by tgname"
        )
    ] == [
        "organization_key\\000\\000s.applies_from = '0001-01-01'\\000",
        "region_code\\000lapses_until\\000\\000",
    ]
    gap = "update star.dim_region set valid_to = '2021-06-01' where region_code = '330102' and valid_to = '2022-01-01'"
    with pytest.raises(DBAPIError, match="do not follow"), engine(Role.BUILDER).begin() as connection:
        connection.execute(text(gap))
    # A trigger that says what it should is left alone: a build takes no lock for it.
    before = rows("select oid from pg_trigger where tgname like 'dim%__no_gap' order by 1")
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 102})
    registry.release()
    assert rows("select oid from pg_trigger where tgname like 'dim%__no_gap' order by 1") == before
