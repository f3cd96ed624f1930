"""A night with one amended report, over one year of history and over twenty."""

import shutil
import time
from datetime import date

from dags import stages
from tests.benchmarks import generate
from tests.benchmarks.instance import instance
from tests.benchmarks.measure import Ratio
from warehouse.settings import Settings

UNITS = 20
LAST_YEAR = 2015
AMENDED = date(LAST_YEAR, 7, 1)
NIGHTS = 3


def run(settings: Settings) -> list[Ratio]:
    """Seconds of the night with twenty years behind it, beside the same night with one."""
    seconds = {}
    for years in (1, 20):
        home = settings.home / f"history-{years}"
        home.mkdir()
        with instance(home) as own:
            seconds[years] = _amended_nights(own, years)
        shutil.rmtree(home, ignore_errors=True)
    note = f"(20 years × {UNITS} units)"
    return [
        Ratio(
            f"one amended report, {what}, 1 year of history", seconds[20][what], seconds[1][what], "1.2", note
        )
        for what in seconds[1]
    ]


def _amended_nights(settings: Settings, years: int) -> dict[str, float]:
    """Fastest seconds of receive, build, audit and the whole of several nights, one amendment each."""
    generate.write_site(settings, UNITS)
    for year in range(LAST_YEAR - years + 1, LAST_YEAR + 1):
        reports = generate.monthly_reports(UNITS, generate.months_of(year, year))
        generate.write_reports(settings, reports, f"{year}.csv")
    _night("first")
    nights = []
    for number in range(1, NIGHTS + 1):
        report = generate.monthly_reports(UNITS, [AMENDED]).filter(organization_code="U0007")
        amended = report.with_columns(visits_total=report["visits_total"] + number)
        generate.write_reports(settings, amended, f"amended-{number}.csv")
        nights.append(_night(f"amended-{number}"))
    return {what: min(night[what] for night in nights) for what in nights[0]}


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
