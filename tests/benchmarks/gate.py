"""The gate over a generated prefecture with errors of entry: its time beside one plain scan, and what it finds.

``BENCH_GATE_UNITS``, ``BENCH_GATE_YEARS`` and ``BENCH_GATE_SEED`` set the prefecture (60 units over 3 years; 500 over 5
for the aim of the table). All but the last month is published first; the reports of the last month are the candidate.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import polars as pl
from sqlalchemy import Connection, Engine, text

from expectations import fitness, gate
from expectations.catalogue import Catalogue, Suite, Task
from expectations.declared import declared
from expectations.generated import reconciliation
from expectations.kinds import NoRowsWhere, NotNull
from expectations.results import Verdict
from expectations.scope import EVERYTHING
from expectations.validation import Auditor
from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import Site, load_site
from samples.generator import Options, write
from tests.benchmarks.findable import hard_errors
from tests.benchmarks.measure import Ratio, best
from warehouse import building
from warehouse.database import Role, engine, make_engine, url
from warehouse.release import open_candidate, publish
from warehouse.settings import Settings

UNITS = int(os.environ.get("BENCH_GATE_UNITS", "60"))
YEARS = int(os.environ.get("BENCH_GATE_YEARS", "3"))
SEED = int(os.environ.get("BENCH_GATE_SEED", "11"))
ERRORS = 0.02
SINGLE = 10
"""Expectations that are also run one by one, as plain Great Expectations does."""

ASKED = 1000
"""Checks that have something to ask: fields get one each until there are so many."""

_HARD = """
select distinct report.form_code, report.subject_code, report.period_start, report.period_end
from registry.revision as revision
inner join registry.report as report on revision.report_id = report.report_id
where revision.status = 'quarantined'
"""

_FOUND = """
select distinct finding.form_code, finding.subject_code, finding.period_start,
    coalesce(report.period_end, missing.period_end), finding.check_id
from audit.finding as finding
left join registry.report as report on finding.report_id = report.report_id
left join lateral (
    select due.period_end
    from registry.obligation as duty
    inner join registry.report as due on duty.report_id = due.report_id
    where due.form_code = finding.form_code and due.subject_code = finding.subject_code
        and due.period_start = finding.period_start and due.current_revision_id is null
        and finding.report_id is null
) as missing on true
where finding.release_id = (select max(release_id) from audit.finding) and finding.attempt > 0
    and finding.score > finding.threshold and finding.waiver is null
    and (finding.suite = 'series' or finding.check_id like 'reporting.missing%')
"""

_FIELDS = """
select distinct form_code, field_code from candidate.fct_reported_value order by form_code, field_code
"""

Place = tuple[str, str, date, date]


def run(settings: Settings) -> list[Ratio]:
    """Audit everything, then a month's candidate, then count what was found against the truth."""
    options = Options(UNITS, YEARS, seed=SEED, errors=ERRORS)
    write(settings.home, options, file_format="parquet")
    last = _hold_back(settings, f"{options.last_year}-12")
    raw.prepare(settings)
    site = load_site(settings)
    directory.take_in(engine(Role.LOADER), site)
    auditor = make_engine(settings, Role.AUDITOR)
    everything, seconds_of_all = _audited(settings, site)
    for path, rows in last.items():
        target = settings.inbox / path
        target.parent.mkdir(parents=True, exist_ok=True)
        rows.write_parquet(target)
    month, seconds = _audited(settings, site)
    with auditor.connect() as connection:
        scan = best(lambda: _scan(connection), tries=2)
        values = connection.scalar(text("select count(*) from candidate.fct_reported_value"))
    answered = [
        sum(one.status in ("passed", "failed") for one in verdict.results) for verdict in (month, everything)
    ]
    ratios = [
        Ratio(
            f"audit of a month of {UNITS} units after {YEARS} years: {len(month.results):,} checks, {answered[0]:,} of"
            f" them with something to ask, {values:,} values",
            seconds,
            scan,
            "< 30 s",
            f"({1000 * seconds / answered[0]:.1f} ms a check)",
        ),
        Ratio(f"audit of everything, {answered[1]:,} checks with something to ask", seconds_of_all, scan, ""),
        _one_by_one(settings, auditor),
        *_against_the_truth(auditor, options),
    ]
    auditor.dispose()
    return ratios


def _hold_back(settings: Settings, month: str) -> dict[str, pl.DataFrame]:
    """Take the reports of a month out of the files that wait; returns what comes later, by path below the inbox."""
    later = {}
    for path in sorted(settings.inbox.rglob("*.parquet")):
        rows = pl.read_parquet(path)
        of_month = pl.col(rows.columns[2]) == month
        if rows.select(of_month.any()).item():
            later[str(path.relative_to(settings.inbox).with_stem(f"{path.stem}_{month}"))] = rows.filter(
                of_month
            )
            rest = rows.filter(~of_month)
            if rest.is_empty():
                path.unlink()
            else:
                rest.write_parquet(path)
    return later


def _audited(settings: Settings, site: Site) -> tuple[Verdict, float]:
    """Take in what waits, build, audit and publish; the verdict and the seconds that the audit took."""
    for source in site.sources:
        intake.take_in(settings, source, inbox.waiting(settings, source))
    obligations.mark_due(engine(Role.LOADER), max(duty.valid_to for duty in site.duties if duty.valid_to))
    candidate = open_candidate(engine(Role.BUILDER), "benchmark")
    assert candidate is not None
    building.build(settings, candidate)
    started = time.perf_counter()
    verdict = gate.audit(settings, candidate, catalogue=_catalogue(engine(Role.AUDITOR)))
    seconds = time.perf_counter() - started
    told = {name: taken for name, taken in verdict.facts["seconds"].items() if taken >= 1}
    print(f"audit {seconds:.1f} s, of which {told}; everything: {verdict.facts['everything']}")  # noqa: T201
    assert verdict.passed, verdict.line()
    if candidate.base_release == 0:
        fitness.mark(engine(Role.BUILDER), candidate)
        publish(engine(Role.PUBLISHER), candidate)
    return verdict, seconds


def _catalogue(auditor: Engine) -> Catalogue:
    """What is declared, and a check for each field that is reported until enough have something to ask."""
    whole = declared(auditor)
    # The audit itself adds those that compare each form with the star.
    made = {check.id for check in reconciliation(auditor).checks}
    suites = [
        one.model_copy(update={"checks": [check for check in one.checks if check.id not in made]})
        for one in whole.suites
    ]
    catalogue = replace(whole, suites=tuple(suites))
    with auditor.connect() as connection:
        fields = connection.execute(text(_FIELDS)).all()
    suite = next(suite for suite in catalogue.suites if suite.table == "fct_reported_value")
    pattern = suite.checks[0]
    more = [
        pattern.model_copy(
            update={
                "id": f"fct_reported_value.finite_{form}_{field}",
                "severity": "warning",
                "expectation": NoRowsWhere(
                    type="ExpectNoRowsWhere",
                    condition=f"form_code = '{form}' and field_code = '{field}' and abs(value) >= 1e15",
                ),
            }
        )
        for form, field in fields[: ASKED // 4]
    ]
    return catalogue.with_suite(suite.model_copy(update={"checks": more}))


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

    def ask(tasks: list[Task]) -> float:
        seconds = 0.0
        for task in tasks:
            # One asset of a table is all that an auditor takes.
            running = Auditor(url(settings, Role.AUDITOR))
            started = time.perf_counter()
            outcomes = running.run(task)
            seconds += time.perf_counter() - started
            running.close()
            assert all(outcome.error is None for outcome in outcomes.values()), outcomes
        return seconds

    single = [replace(one.task(EVERYTHING), checks=tuple(one.checks)) for one in several]
    ask([together])
    return Ratio(f"{SINGLE} expectations in one batch, and one by one", ask([together]), ask(single), "")


def _against_the_truth(auditor: Engine, options: Options) -> Iterator[Ratio]:
    truth = hard_errors(options)
    wrong = {place: kind for place, (kind, _) in truth.items()}
    with auditor.connect() as connection:
        held: set[Place] = {(row[0], row[1], row[2], row[3]) for row in connection.execute(text(_HARD))}
        found: dict[Place, set[str]] = defaultdict(set)
        for form, subject, start, end, check_id in connection.execute(text(_FOUND)):
            found[form, subject, start, end].add(check_id)
        reports = connection.scalar(
            text("select count(*) from registry.report where current_revision_id is not null")
        )
    hard = Counter(kind for kind, is_hard in truth.values() if is_hard)
    found_hard = Counter(
        kind for place, (kind, is_hard) in truth.items() if is_hard and (place in held or place in found)
    )
    injected = Counter(wrong.values())
    caught: Counter[str] = Counter()
    by_gate: Counter[str] = Counter()
    for place, kind in wrong.items():
        caught[kind] += place in held or place in found
        by_gate[kind] += place in found
    for kind, number in sorted(injected.items()):
        yield Ratio(
            f"recall: {kind}",
            None,
            None,
            "≥ 90 %",
            f"{caught[kind]} of {number} ({100 * caught[kind] / number:.0f} %), the gate {by_gate[kind]}; of hard ones"
            f" {found_hard[kind]} of {hard[kind]}",
        )
    total = sum(injected.values())
    yield Ratio(
        "recall: hard errors",
        None,
        None,
        "≥ 90 %",
        f"{sum(found_hard.values())} of {sum(hard.values())}"
        f" ({100 * sum(found_hard.values()) / max(sum(hard.values()), 1):.0f} %)",
    )
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
