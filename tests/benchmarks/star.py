"""The whole star over many years of a generated prefecture: building it, amending it, asking it, keeping it.

``BENCH_UNITS`` and ``BENCH_YEARS`` set the size (40 units over 5 years, a few minutes; 500 over 20 give more than ten
million rows in the largest fact).
"""

import os
import time

from sqlalchemy import Connection, text

from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.generator import Options, write
from tests.benchmarks import amending, dashboards, plain_sql
from tests.benchmarks.measure import Ratio
from warehouse import building, release
from warehouse.database import Role, engine, make_engine
from warehouse.settings import Settings

UNITS = int(os.environ.get("BENCH_UNITS", "40"))
YEARS = int(os.environ.get("BENCH_YEARS", "5"))


def run(settings: Settings) -> list[Ratio]:
    """Everything about one prefecture of the size that is asked for, and amended nights with little behind them."""
    options = Options(UNITS, YEARS, seed=1)
    size = f"{UNITS} units × {YEARS} years"
    reports, seconds = _take_in(settings, options)
    built = _first_release(settings)
    ratios = [
        Ratio(
            f"take in {size}: {reports:,} reports", seconds, None, "", f"({reports / seconds:,.0f} a second)"
        ),
        Ratio(f"build the whole star, {size}", built.seconds, None, "", f"({len(built.models)} tables)"),
    ]
    with (
        make_engine(settings, Role.OWNER)
        .connect()
        .execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        connection.execute(text("vacuum analyze"))
        ratios += plain_sql.compare(connection, settings, built)
        ratios += dashboards.compare(connection, options)
        ratios += _kept(connection, reports)
    ratios += amending.compare(settings, options)
    return ratios


def _take_in(settings: Settings, options: Options) -> tuple[int, float]:
    """Reports of the prefecture through the real intake, and its seconds."""
    written = write(settings.home, options, file_format="parquet")
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    started = time.perf_counter()
    for source in site.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))
    seconds = time.perf_counter() - started
    obligations.mark_due(engine(Role.LOADER), max(duty.valid_to for duty in site.duties if duty.valid_to))
    return written.reports, seconds


def _first_release(settings: Settings) -> building.BuildResult:
    """The first build, published as if the gate had passed it.

    One table after the other, for the statements that they are held against run one after the other too.
    """
    settings = settings.model_copy(update={"build_threads": 1})
    candidate = release.open_candidate(engine(Role.BUILDER), "star")
    assert candidate is not None
    with release.holding(engine(Role.BUILDER), candidate):
        built = building.build(settings, candidate)
    with make_engine(settings, Role.OWNER).begin() as connection:
        connection.execute(text("update warehouse.release set verdict = 'passed' where status = 'candidate'"))
    release.publish(engine(Role.PUBLISHER), candidate)
    return built


def _kept(connection: Connection, reports: int) -> list[Ratio]:
    """Rows and bytes that a report costs, by room."""
    lines = []
    for schema in ("registry", "raw", "star"):
        rows, size = connection.execute(
            text(
                "select sum(greatest(c.reltuples, 0)), sum(pg_total_relation_size(c.oid)) from pg_class c"
                " join pg_namespace n on n.oid = c.relnamespace where n.nspname = :schema and c.relkind = 'r'"
            ),
            {"schema": schema},
        ).one()
        told = f"{rows / reports:,.1f} rows, {size / reports:,.0f} bytes"
        lines.append(Ratio(f"kept for a report in {schema}", None, None, "", told))
    return lines
