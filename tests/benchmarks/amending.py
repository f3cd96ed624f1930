"""A night with one amended report, over one year of history and over all of it."""

import shutil
import time
from datetime import date
from pathlib import Path

import polars as pl

from dags import stages
from samples import labels
from samples.generator import Options, generate, write
from tests.benchmarks.instance import instance
from tests.benchmarks.measure import Ratio
from warehouse.settings import Settings

NIGHTS = 3
MOST_UNITS = 60
"""The nights are many and their cost is to hang on neither units nor years, so there are never more units."""


def compare(settings: Settings, options: Options) -> list[Ratio]:
    """Seconds of the night with all years behind it, beside the same night with one."""
    units = min(options.units, MOST_UNITS)
    seconds = {}
    for years in (1, options.years):
        home = settings.home / f"amended-{years}"
        home.mkdir()
        with instance(home) as own:
            seconds[years] = _nights(own, Options(units, years, seed=1))
        shutil.rmtree(home, ignore_errors=True)
    note = f"({options.years} years × {units} units)"
    return [
        Ratio(
            f"one amended report, {what}: 1 year of history",
            seconds[options.years][what],
            seconds[1][what],
            "1.2",
            note,
        )
        for what in seconds[1]
    ]


def _nights(settings: Settings, options: Options) -> dict[str, float]:
    """Fastest seconds of receive, build, audit and the whole of several nights, one amendment each."""
    write(settings.home, options, file_format="parquet")
    _night("first")
    nights = []
    for number in range(1, NIGHTS + 1):
        _amend(settings, options, number)
        nights.append(_night(f"amended-{number}"))
    return {what: min(night[what] for night in nights) for what in nights[0]}


def _amend(settings: Settings, options: Options, number: int) -> None:
    """One unit's July of the last year with a few more visits, as a file of its own."""
    _, reports, _ = generate(options)
    monthly = next(one for one in reports if one.form == "hosp_monthly").frame
    july = monthly.filter(pl.col("start") == date(options.last_year, 7, 1)).head(1)
    known = labels.columns("hosp_monthly")
    fields = [field for field in known if field in july.columns]
    amended = july.with_columns(pl.col("visits_total") + number).select(
        pl.col("subject").alias(labels.alone(known["organization_code"])),
        pl.lit(f"{options.last_year}-07").alias(labels.alone(known["report_month"])),
        *[pl.col(field).alias(labels.alone(known[field])) for field in fields],
    )
    folder: Path = settings.inbox / "hospital"
    part = folder / f".amended-{number}.csv"
    amended.write_csv(part)
    part.rename(folder / f"构造_订正_{number}.csv")


def _night(run_id: str) -> dict[str, float]:
    times: dict[str, float] = {}

    def timed(what: str, action, *arguments):
        started = time.perf_counter()
        result = action(run_id, *arguments)
        times[what] = times.get(what, 0) + time.perf_counter() - started
        return result

    stages.begin(run_id, "nightly")
    for source in timed("prepare", stages.prepare):
        timed("receive", stages.receive, source)
    candidate = timed("open", stages.open_candidate)
    timed("build", stages.build, candidate)
    timed("audit", stages.audit, candidate)
    timed("publish", stages.publish, candidate)
    stages.finish(run_id, [])
    return {
        **{what: times[what] for what in ("receive", "build", "audit")},
        "whole night": sum(times.values()),
    }
