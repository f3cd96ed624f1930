"""The gate: runs every declared check over the candidate and gives the verdict that publishing requires.

It fails closed. A candidate passes only when every declared check has an answer, and every critical one is a pass
over a table that was not empty when it must not be. A check that breaks, a check without a result and an audit that
dies leave the candidate unpublished.
"""

from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine

from expectations import dbt_tests, findings, fitness, ground, waivers
from expectations.catalogue import Catalogue, Task
from expectations.declared import declared as all_declared
from expectations.generated import reconciliation
from expectations.judging import Judge
from expectations.probes import Probe
from expectations.results import CheckResult, Outcome, Verdict, record, store, withdraw_verdict
from expectations.scope import EVERYTHING, Look, rebuilt
from warehouse.database import Role, make_engine, url
from warehouse.release import Candidate, holding
from warehouse.settings import Settings

__all__ = ["CheckResult", "Verdict", "audit", "record"]

log = structlog.get_logger()


def audit(settings: Settings, candidate: Candidate, *, catalogue: Catalogue | None = None) -> Verdict:
    """Run every declared check over the candidate, store the results, and set the release's verdict."""
    auditor = make_engine(settings, Role.AUDITOR)
    try:
        with holding(auditor, candidate):
            withdraw_verdict(auditor, candidate)
            declared = catalogue.with_suite(reconciliation(auditor)) if catalogue else all_declared(auditor)
            basis = ground.basis(auditor, declared)
            everything = ground.must_look_at_everything(auditor, candidate, basis)
            with auditor.begin() as connection:
                findings.withdraw(connection, candidate)
            look = EVERYTHING if everything else rebuilt(auditor)
            results, seconds = run_checks(settings, auditor, candidate, look, declared)
            with auditor.connect() as connection:
                results += dbt_tests.results(connection, candidate)
            with auditor.begin() as connection:
                spoiled = fitness.spoil(connection, candidate, results)
            facts = {"ground": basis, "everything": everything, "seconds": seconds, "spoiled_cells": spoiled}
            verdict = store(auditor, candidate, results, facts)
    finally:
        auditor.dispose()
    log.info(
        "candidate audited",
        release=candidate.release_id,
        verdict="passed" if verdict.passed else "failed",
        **verdict.counts,
    )
    for result in verdict.failed:
        log.warning("check not passed", check=result.check_id, status=result.status, rows=result.failing_rows)
    return verdict


def run_checks(
    settings: Settings, auditor: Engine, candidate: Candidate, look: Look, catalogue: Catalogue
) -> tuple[list[CheckResult], dict[str, float]]:
    """Run the checks of a catalogue and keep their findings; returns a result for each, and seconds by suite."""
    run = _Run(settings, auditor, candidate, look)
    return run.results(catalogue), run.seconds


class _Run:
    """One audit: suites, then probes, then the verdict on what they left."""

    def __init__(self, settings: Settings, auditor: Engine, candidate: Candidate, look: Look) -> None:
        self._settings, self._auditor, self._candidate, self._look = settings, auditor, candidate, look
        self.seconds: dict[str, float] = {}

    def results(self, catalogue: Catalogue) -> list[CheckResult]:
        """One result for every declared check."""
        begun = perf_counter()
        # Imported here: Great Expectations takes seconds, and a DAG file that imports the gate must not.
        from expectations import validation  # noqa: PLC0415

        running = validation.Auditor(url(self._settings, Role.AUDITOR))
        self.seconds["start"] = round(perf_counter() - begun, 2)
        judge = Judge(self._auditor, self._candidate, whole=self._look.reports is None)
        results: list[CheckResult] = []
        try:
            for suite in catalogue.suites:
                begun = perf_counter()
                task = suite.task(self._look)
                results += judge.suite(task, running.run(task))
                self.seconds[suite.table] = round(perf_counter() - begun, 2)
            looked = {probe.name: self._collect(probe) for probe in catalogue.probes}
            with self._auditor.begin() as connection:
                warnings = [check.id for check in catalogue.checks if check.severity == "warning"]
                findings.settle(connection, self._candidate, self._waivers(), warnings)
            for probe in catalogue.probes:
                begun = perf_counter()
                results += self._judged(judge, probe, running, looked[probe.name])
                self.seconds[f"{probe.name} judged"] = round(perf_counter() - begun, 2)
        finally:
            running.close()
        return judge.weighed(results)

    def _collect(self, probe: Probe) -> dict[str, int] | Exception:
        """How much a probe looked at, or what stopped it: that is the outcome of all its checks."""
        begun = perf_counter()
        try:
            with self._auditor.begin() as connection:
                looked = findings.collect(connection, self._candidate, probe, self._look)
            if self._look.reports is not None:
                with self._auditor.begin() as connection:
                    findings.carry(connection, self._candidate, probe)
        except Exception as error:
            log.error("probe broke", probe=probe.name, error=type(error).__name__)  # noqa: TRY400 - no values
            return error
        else:
            return looked
        finally:
            self.seconds[probe.name] = round(perf_counter() - begun, 2)

    def _judged(
        self, judge: Judge, probe: Probe, running: Any, looked: dict[str, int] | Exception
    ) -> list[CheckResult]:
        task = _task(probe, self._candidate)
        if isinstance(looked, Exception):
            message = f"{type(looked).__name__}: {looked}".split("[SQL:", maxsplit=1)[0]
            broken = Outcome(False, error=" ".join(message.split())[:500])
            return judge.probe(task, probe, {check.id: broken for check in task.checks}, {})
        with self._auditor.connect() as connection:
            tallies = findings.tally(connection, self._candidate.release_id, self._candidate.attempt)
        # Where nothing was looked at and nothing was found, there is nothing to ask.
        idle = {check_id for check_id, rows in looked.items() if rows == 0 and check_id not in tallies}
        asked = replace(task, checks=tuple(check for check in task.checks if check.id not in idle))
        outcomes = running.run(asked) if asked.checks else {}
        return judge.probe(task, probe, outcomes | dict.fromkeys(idle, Outcome(True)), looked)

    def _waivers(self) -> list[waivers.Waiver]:
        today = datetime.now(ZoneInfo(self._settings.timezone)).date()
        return waivers.open_on(self._settings, today)


def _task(probe: Probe, candidate: Candidate) -> Task:
    """The probe's checks over the findings it left."""
    suite = probe.suite
    rows = (
        "(select finding.* from audit.finding as finding"  # noqa: S608 - numbers and a name of our own
        f" where finding.release_id = {candidate.release_id} and finding.attempt = {candidate.attempt}"
        f" and finding.suite = '{probe.name}') as looked"
    )
    return Task(suite=suite, rows=rows, whole=False, checks=suite.declared)
