"""The gate over a generated prefecture with errors of entry: its time beside one plain scan, and what it finds.

``BENCH_GATE_UNITS`` and ``BENCH_GATE_YEARS`` set the size (60 units over 3 years; 500 over 5 for the aim of the table).
"""

import csv
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection, Engine, text

from expectations import gate
from expectations.catalogue import Suite
from expectations.declared import declared
from expectations.kinds import NotNull
from expectations.scope import EVERYTHING
from expectations.validation import Auditor
from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.generator import Options, write
from tests.benchmarks.measure import Ratio, best
from warehouse import building
from warehouse.database import Role, engine, make_engine, url
from warehouse.release import Candidate, open_candidate
from warehouse.settings import Settings

UNITS = int(os.environ.get("BENCH_GATE_UNITS", "60"))
YEARS = int(os.environ.get("BENCH_GATE_YEARS", "3"))
ERRORS = 0.02
SINGLE = 10
"""Expectations that are also run one by one, as plain Great Expectations does."""

_HARD = """
select distinct report.form_code, report.subject_code, report.period_start::text
from registry.revision as revision
inner join registry.report as report on revision.report_id = report.report_id
where revision.status = 'quarantined'
"""

_FOUND = """
select distinct finding.form_code, finding.subject_code, finding.period_start::text, finding.check_id
from audit.finding as finding
where finding.attempt > 0 and finding.score > finding.threshold and finding.waiver is null
    and (finding.suite = 'series' or finding.check_id like 'reporting.missing%')
"""

Place = tuple[str, str, str]


def run(settings: Settings) -> list[Ratio]:
    """Audit the whole candidate, then count what was found against the truth."""
    candidate = _built(settings)
    auditor = make_engine(settings, Role.AUDITOR)
    started = time.perf_counter()
    verdict = gate.audit(settings, candidate)
    seconds = time.perf_counter() - started
    with auditor.connect() as connection:
        scan = best(lambda: _scan(connection), tries=2)
        values = connection.scalar(text("select count(*) from candidate.fct_reported_value"))
    checks = len(verdict.results)
    asked = seconds - verdict.facts["seconds"]["start"]
    ratios = [
        Ratio(
            f"audit of everything, {checks:,} checks, {values:,} values",
            seconds,
            scan,
            "< 30 s",
            f"({1000 * asked / checks:.1f} ms a check)",
        ),
        _one_by_one(settings, auditor),
        *_against_the_truth(settings, auditor),
    ]
    auditor.dispose()
    return ratios


def _built(settings: Settings) -> Candidate:
    write(settings.home, Options(UNITS, YEARS, seed=11, errors=ERRORS), file_format="parquet")
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    for source in site.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))
    obligations.mark_due(engine(Role.LOADER), max(duty.valid_to for duty in site.duties if duty.valid_to))
    candidate = open_candidate(engine(Role.BUILDER), "benchmark")
    assert candidate is not None
    building.build(settings, candidate)
    return candidate


def _scan(connection: Connection) -> None:
    """One plain scan of what the probes read."""
    for table in ("fct_reported_value", "fct_indicator", "fct_report_timeliness", "dim_report"):
        connection.execute(text(f"select count(*), max(t::text) from candidate.{table} as t"))


def _one_by_one(settings: Settings, auditor: Engine) -> Ratio:
    """The same expectations in one batch, and each in a batch of its own."""
    suite = next(suite for suite in declared(auditor).suites if suite.table == "fct_reported_value")
    columns = ("report_id", "form_code", "field_code", "breakdown", "subject_type", "subject_code")
    pattern = suite.checks[0]
    made = [
        pattern.model_copy(
            update={
                "id": f"fct_reported_value.plain_{number}",
                "expectation": NotNull(
                    type="ExpectColumnValuesToNotBeNull", column=columns[number % len(columns)]
                ),
            }
        )
        for number in range(SINGLE)
    ]
    several: list[Suite] = [
        suite.model_copy(update={"checks": [check], "rows": "optional"}) for check in made
    ]
    together = suite.model_copy(update={"checks": made, "rows": "optional"}).task(EVERYTHING)

    def ask(tasks: list) -> float:
        running = Auditor(url(settings, Role.AUDITOR))
        started = time.perf_counter()
        for task in tasks:
            running.run(task)
        running.close()
        return time.perf_counter() - started

    single = [replace(one.task(EVERYTHING), checks=tuple(one.checks)) for one in several]
    ask([together])
    return Ratio(f"{SINGLE} expectations in one batch, and one by one", ask([together]), ask(single), "")


def _against_the_truth(settings: Settings, auditor: Engine) -> Iterator[Ratio]:
    with (settings.home / "truth" / "truth.csv").open(encoding="utf-8", newline="") as table:
        wrong: dict[Place, str] = {
            (row["form"], row["subject"], row["period_start"]): row["kind"] for row in csv.DictReader(table)
        }
    with auditor.connect() as connection:
        held = {tuple(row) for row in connection.execute(text(_HARD))}
        found: dict[Place, set[str]] = defaultdict(set)
        for form, subject, start, check_id in connection.execute(text(_FOUND)):
            found[form, subject, start].add(check_id)
        reports = connection.scalar(
            text("select count(*) from registry.report where current_revision_id is not null")
        )
    injected, caught, by_gate = Counter(wrong.values()), Counter(), Counter()
    for place, kind in wrong.items():
        caught[kind] += place in held or place in found
        by_gate[kind] += place in found
    for kind, number in sorted(injected.items()):
        yield Ratio(
            f"recall: {kind}",
            None,
            None,
            "≥ 90 %",
            f"{caught[kind]} of {number} ({100 * caught[kind] / number:.0f} %), the gate {by_gate[kind]}",
        )
    total = sum(injected.values())
    yield Ratio(
        "recall: all",
        None,
        None,
        "≥ 90 %",
        f"{sum(caught.values())} of {total} ({100 * sum(caught.values()) / total:.0f} %)",
    )
    false = [place for place in found if place not in wrong]
    kinds = Counter(check.split(".")[1].split("_")[0] for place in false for check in found[place])
    clean = reports - len(wrong)
    flagged = len(found) - len(false)
    yield Ratio(
        "false alarms on clean reports",
        None,
        None,
        "< 1 in 1,000",
        f"{len(false)} of {clean:,} ({1000 * len(false) / clean:.2f} in 1,000) {dict(kinds)}",
    )
    yield Ratio(
        "precision of flagged reports",
        None,
        None,
        "",
        f"{flagged} of {len(found)} ({100 * flagged / max(len(found), 1):.0f} %)",
    )
