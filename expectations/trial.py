"""Checks run by hand, over the open candidate or else over the current release: nothing is published or held back."""

from dataclasses import replace
from fnmatch import fnmatchcase

from sqlalchemy import text

from expectations import findings
from expectations.catalogue import Catalogue, Check
from expectations.declared import declared
from expectations.errors import CatalogueError
from expectations.gate import run_checks
from expectations.results import CheckResult
from expectations.scope import EVERYTHING
from warehouse.database import Role, engine
from warehouse.release import Candidate
from warehouse.settings import Settings

BY_HAND = 0
"""Attempt under which findings of a run by hand are kept until the next one."""


def catalogue(only: str = "*") -> Catalogue:
    """The declared checks whose ids match a pattern; raises :class:`CatalogueError` when none does."""
    found = narrowed(declared(engine(Role.AUDITOR)), only)
    if not found.checks:
        raise CatalogueError(f"No check matches {only!r}.", mend="See the ids: warehouse checks list")
    return found


def narrowed(whole: Catalogue, only: str) -> Catalogue:
    """The part of a catalogue whose ids match; checks on emptiness come with their suites."""
    suites = [
        suite.model_copy(
            update={"checks": kept, "rows": suite.rows if _wants_rows(suite.table, only) else "optional"}
        )
        for suite in whole.suites
        if (kept := [check for check in suite.checks if fnmatchcase(check.id, only)])
        or _wants_rows(suite.table, only)
    ]
    probes = [
        replace(probe, only=only)
        for probe in whole.probes
        if any(fnmatchcase(check.id, only) for check in probe.suite.checks)
    ]
    return Catalogue(tuple(suites), tuple(probes))


def run(settings: Settings, only: str = "*") -> list[CheckResult]:
    """Run the checks that match a pattern over all rows; their findings stay until the next run by hand."""
    auditor = engine(Role.AUDITOR)
    with auditor.begin() as connection:
        row = connection.execute(
            text(
                "select pointer.candidate_release, release.base_release from warehouse.pointer as pointer"
                " left join warehouse.release as release on release.release_id = pointer.candidate_release"
            )
        ).one()
        looked = Candidate(row.candidate_release, row.base_release or 0, "", BY_HAND, 0)
        findings.withdraw(connection, looked, by_hand=True)
    results, _ = run_checks(settings, auditor, looked, EVERYTHING, catalogue(only))
    return results


def explained(check_id: str) -> Check:
    """A declared check by its id."""
    known = {check.id: check for check in declared(engine(Role.AUDITOR)).checks}
    if check_id not in known:
        raise CatalogueError(f"No check is called {check_id!r}.", mend="See the ids: warehouse checks list")
    return known[check_id]


def _wants_rows(table: str, only: str) -> bool:
    return fnmatchcase(f"{table}.rows", only)
