"""Ten queries of dashboards through the published views, over five years and over all; views beside plain tables."""

import statistics
import time
from datetime import date

from sqlalchemy import Connection, text

from samples.generator import Options
from tests.benchmarks.measure import Ratio

TRIES = 8

QUERIES = {
    "visits of a district, month by month": (
        "select slice, period_start, numerator from published.mart_indicator where indicator_code = 'total_visits'"
        " and region_code = '990101' and organization_code is null and period_type = 'month'"
        " and period_start between :first and :last order by 1, 2"
    ),
    "one hospital, every indicator by month": (
        "select indicator_code, period_start, value from published.mart_indicator where subject_type = 'organization'"
        " and subject_code = 'GZ0001' and period_type = 'month' and period_start between :first and :last"
    ),
    "bed use of all units in the last year, ranked": (
        "select organization_code, value, rank() over (order by value desc) from published.mart_indicator"
        " where indicator_code = 'bed_occupancy_rate' and organization_code is not null and slice = 'all'"
        " and period_type = 'year' and period_start = :last_year"
    ),
    "bed use by kind of institution and year": (
        "select slice, period_start, numerator, denominator, value from published.mart_indicator"
        " where indicator_code = 'bed_occupancy_rate' and region_code = '990101' and organization_code is null"
        " and period_type = 'year' and period_start between :first and :last"
    ),
    "hand, foot and mouth disease by month, all districts": (
        "select period_start, sum(cases), sum(deaths) from published.fct_notifiable_disease"
        " where disease_code = '4000' and period_start between :first and :last group by 1 order by 1"
    ),
    "the ten most frequent diseases": (
        "select disease_code, sum(cases) from published.fct_notifiable_disease where not is_subtotal and not is_type"
        " and period_start between :first and :last group by 1 order by 2 desc limit 10"
    ),
    "coverage by vaccine and dose in the last year": (
        "select vaccine, dose_no, sum(coalesce(given_basic, given_booster))::float"
        " / nullif(sum(coalesce(due_basic, due_booster)), 0) from published.fct_immunisation"
        " where period_start between :last_year and :last group by 1, 2"
    ),
    "timeliness by form and year": (
        "select form_code, date_trunc('year', period_start),"
        " count(*) filter (where status = 'on_time')::float / count(*)"
        " from published.fct_report_timeliness where period_start between :first and :last group by 1, 2"
    ),
    "visits by class and ownership of the institutions": (
        "select o.class_group, o.ownership, date_trunc('year', f.period_start), sum(f.visits_total)"
        " from published.fct_hospital_service f"
        " join published.dim_organization o using (organization_key, organization_version_key)"
        " where f.period_type = 'month' and f.period_start between :first and :last group by 1, 2, 3"
    ),
    "every number of one report, with its cell": (
        "select v.field_code, v.value, v.source_cell, r.file_name from published.fct_reported_value v"
        " join published.dim_report r using (report_id) where v.organization_key = (select organization_key from"
        " published.dim_organization where organization_code = 'GZ0001' limit 1) and v.form_code = 'hosp_monthly'"
        " and v.period_start = :last_month"
    ),
}

VIEWS = {
    "one unit's numbers": "select sum(value) from {} where organization_key = 2 and period_start >= '2010-01-01'",
    "one field, all units, by year": (
        "select date_trunc('year', period_start), sum(value) from {} where form_code = 'hosp_monthly'"
        " and field_code = 'visits_total' group by 1"
    ),
    "every row": "select form_code, count(value) from {} group by 1",
    "bare count": "select count(*) from {}",
}


def compare(connection: Connection, options: Options) -> list[Ratio]:
    """Median and 95th percentile of the ten over the last five years and over all; then view against table."""
    ratios = []
    spans = {min(5, options.years): "100 ms", options.years: "300 ms"}
    for years, aim in spans.items():
        times = {name: _times(connection, query, options, years) for name, query in QUERIES.items()}
        every = sorted(seconds for of_one in times.values() for seconds in of_one)
        slowest = max(times, key=lambda name: statistics.median(times[name]))
        over = f"ten dashboard queries over {years} years"
        ratios += [
            Ratio(f"{over}: median", statistics.median(every), None, ""),
            Ratio(
                f"{over}: 95th percentile", every[int(0.95 * (len(every) - 1))], None, aim,
                f"(slowest: {slowest}, {statistics.median(times[slowest]) * 1000:.0f} ms)",
            ),
        ]  # fmt: skip
    for name, query in VIEWS.items():
        view, table = _best_of_both(connection, query)
        ratios.append(Ratio(f"published view, {name}: plain table", view, table, "1.1"))
    return ratios


def _times(connection: Connection, query: str, options: Options, years: int) -> list[float]:
    values = {
        "first": date(options.last_year - years + 1, 1, 1),
        "last": date(options.last_year, 12, 31),
        "last_year": date(options.last_year, 1, 1),
        "last_month": date(options.last_year, 12, 1),
    }
    asked = {name: value for name, value in values.items() if f":{name}" in query}
    times = []
    for _ in range(TRIES):
        started = time.perf_counter()
        rows = connection.execute(text(query), asked).all()
        times.append(time.perf_counter() - started)
    assert rows, query
    # The first one reads what the others find in memory.
    return times[1:]


def _best_of_both(connection: Connection, query: str) -> tuple[float, float]:
    """Fastest seconds on the published view and on the plain table, by turns: both meet the same neighbours."""
    seconds: dict[str, list[float]] = {"published": [], "plain": []}
    for _ in range(TRIES):
        for schema, times in seconds.items():
            started = time.perf_counter()
            connection.execute(text(query.format(f"{schema}.fct_reported_value"))).all()
            times.append(time.perf_counter() - started)
    return min(seconds["published"]), min(seconds["plain"])
