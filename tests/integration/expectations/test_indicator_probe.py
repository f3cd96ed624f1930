"""The probe over indicators: what each is held against."""

from sqlalchemy import text

from expectations import probes
from expectations.scope import EVERYTHING
from warehouse.database import Role, engine
from warehouse.release import open_candidate
from warehouse.settings import Settings
from warehouse.star import make_views

RELEASES = "release_from int default 1, release_to int default 2147483647"
QUARTERS = """
insert into star.fct_indicator
select
    'region', '440507', 9, '440507', 'managed', 'all', 'cumulative_quarter', make_date(year, 1, 1),
    (make_date(year, 1, 1) + make_interval(months => 3 * quarter) - interval '1 day')::date,
    250 * quarter * share, 1000, 25 * quarter * share, 'computed'
from (values (2014, 1.0), (2015, 1.0), (2016, 0.5)) as y (year, share)
cross join generate_series(1, 4) as quarter
"""


def test_an_accumulating_quarter_is_held_against_the_same_quarter_of_the_year_before(settings: Settings):
    with engine(Role.BUILDER).begin() as connection:
        connection.execute(
            text(
                "create table star.dim_indicator (indicator_code text, unit text, scale numeric,"
                f" aggregation_class text, {RELEASES})"
            )
        )
        connection.execute(
            text(
                "create table star.fct_indicator (subject_type text, subject_code text, organization_key int,"
                " region_code text, indicator_code text, slice text, period_type text, period_start date,"
                f" period_end date, numerator numeric, denominator numeric, value numeric, status text, {RELEASES})"
            )
        )
        connection.execute(text("insert into star.dim_indicator values ('managed', '%', 100, 'RS')"))
        connection.execute(text(QUARTERS))
    assert open_candidate(engine(Role.BUILDER), "test", force=True) is not None
    with engine(Role.BUILDER).begin() as connection:
        make_views(connection, "candidate", "candidate_release")
    query = EVERYTHING.render((probes.PROBES / "indicators.sql").read_text(encoding="utf-8"))
    with engine(Role.AUDITOR).connect() as connection:
        found = connection.exec_driver_sql(query.replace("%", "%%")).mappings().all()
    # Each against its own quarter: what fell in 2016 fell by half.
    jumps = [(f"{row['period_start']:%Y}", row["place"][5:7]) for row in found if row["kind"] == "jump"]
    assert sorted(jumps) == [("2016", month) for month in ("03", "06", "09", "12")]
    assert [row["looked"] for row in found if row["kind"] is None] == [12]
