"""A table that an upgrade brought: its first build reads every report, whatever became of the first candidate."""

from datetime import date

from sqlalchemy import text

from warehouse import release
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
