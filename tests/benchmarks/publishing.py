"""What publishing costs, and what reading through the published views costs."""

import time

from sqlalchemy import Connection, Engine, text

from tests.benchmarks.measure import Ratio, best
from warehouse import release, star
from warehouse.database import Role, engine, make_engine
from warehouse.settings import Settings

ROWS = 5_000_000

FACT = f"""
create table star.fct_bench as
select
    1 as release_from, 2147483647 as release_to, (i % 500)::int as organization_key,
    date '2005-01-01' + ((i / 500) % 240) * 30 as period_start, (i / 120000)::int as field,
    (random() * 1000)::int as value
from generate_series(0, {ROWS - 1}) as i
"""

PLAIN = """
create table public.plain as select organization_key, period_start, field, value from star.fct_bench
"""

QUERIES = {
    "one unit, ten years": "select sum(value) from {} where organization_key = 7 and period_start >= '2015-01-01'",
    "all units, one year": (
        "select organization_key, sum(value) from {}"
        " where period_start between '2015-01-01' and '2015-12-31' group by 1"
    ),
    "every month, all rows": "select period_start, sum(value) from {} group by 1",
    "bare count of all rows": "select count(*) from {}",
}


def run(settings: Settings) -> list[Ratio]:
    """Publish time, and each query on the view beside the same query on a plain table."""
    owner = make_engine(settings, Role.OWNER)
    with engine(Role.BUILDER).begin() as connection:
        connection.execute(text(FACT))
        connection.execute(text("create index on star.fct_bench (organization_key, period_start)"))
        star.make_views(connection, "candidate", "candidate_release")
    seconds = min(_publish(owner) for _ in range(5))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(PLAIN))
        connection.execute(text("create index on public.plain (organization_key, period_start)"))
        connection.execute(text("vacuum analyze"))
        ratios = [_view_against_table(connection, name, query) for name, query in QUERIES.items()]
    return [Ratio(f"publish, {ROWS:,} rows in the fact", seconds, None, "not growing"), *ratios]


def _publish(owner: Engine) -> float:
    """Seconds of publishing a candidate that the gate has passed."""
    candidate = release.open_candidate(engine(Role.BUILDER), "bench", force=True)
    assert candidate is not None
    with owner.begin() as connection:
        connection.execute(text("update warehouse.release set verdict = 'passed' where status = 'candidate'"))
    started = time.perf_counter()
    release.publish(engine(Role.PUBLISHER), candidate)
    return time.perf_counter() - started


def _view_against_table(connection: Connection, name: str, query: str) -> Ratio:
    def timed(relation: str) -> float:
        return best(lambda: connection.execute(text(query.format(relation))).all())

    return Ratio(f"published view, {name}", timed("published.fct_bench"), timed("public.plain"), "1.1")
