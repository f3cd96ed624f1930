"""Results of checks, the verdict on a candidate, and where both are stored."""

# Names and queries put into SQL are our own, never a value.
# ruff: noqa: S608

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, text

from warehouse.errors import CandidateLost
from warehouse.release import Candidate

Status = Literal["passed", "failed", "error", "missing", "not_applicable"]
Measure = Literal["rows", "share", "score"]
Policy = Literal["none", "flag", "hold"]


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations said about one check; ``error`` when it broke instead of answering."""

    success: bool
    observed: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one declared check.

    ``failed``: it ran and found more than its threshold lets through, beyond what is waived. ``error``: it broke.
    ``missing``: it gave no answer, or had an empty table to look at. ``not_applicable``: there is nothing that it
    could be asked of, for the reason in ``observed``. Without an answer no candidate gets through, whatever the
    severity.
    """

    check_id: str
    suite: str
    table_name: str | None
    severity: Literal["critical", "warning"]
    status: Status
    message_zh: str
    message_en: str
    observed: str | None = None
    expected: str | None = None
    failing_rows: int | None = None
    failing_query: str | None = None
    dimension: str | None = None
    owner: str | None = None
    question: str | None = None
    scope: str | None = None
    measure: Measure = "rows"
    threshold: float = 0
    denominator: int | None = None
    waived_rows: int = 0
    new_rows: int | None = None
    policy: Policy = "none"

    @property
    def is_fine(self) -> bool:
        """Whether nothing is to be mended because of it."""
        return self.status in ("passed", "not_applicable")

    @property
    def blocks(self) -> bool:
        """Whether the candidate may not be published because of it."""
        return self.status in ("error", "missing") or (self.severity == "critical" and not self.is_fine)

    def brief(self) -> str:
        """Which check and how many rows, for a message that names several."""
        rows = {None: self.status, 1: "1 row"}.get(self.failing_rows, f"{self.failing_rows} rows")
        return f"{self.check_id}: {rows}, {self.message_zh}"

    def line(self) -> str:
        """Which check, how many rows, and where to look: one line."""
        look = f"; look: {self.failing_query}" if self.failing_query else ""
        return f"{self.brief()} ({self.message_en}) [{self.severity}]{look}"

    def details(self) -> str:
        """The line's facts one under the other, with what was observed."""
        facts = {
            "check": f"{self.check_id} ({self.suite}, {self.severity})",
            "说明": self.message_zh,
            "meaning": self.message_en,
            "status": self.status,
            "rows": self.failing_rows,
            "observed": self.observed,
            "expected": self.expected,
            "look": self.failing_query,
        }
        return "\n".join(f"{name}: {value}" for name, value in facts.items() if value is not None)


@dataclass(frozen=True)
class Verdict:
    """The gate's word on a candidate, with every result it rests on.

    ``facts`` tell how the audit went: its ground, whether it looked at everything, seconds.
    """

    release_id: int
    attempt: int
    results: tuple[CheckResult, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    audited_at: datetime | None = None

    @property
    def passed(self) -> bool:
        """Whether every declared critical check ran and passed (and there was one)."""
        return any(r.severity == "critical" for r in self.results) and not self.blocking

    @property
    def blocking(self) -> list[CheckResult]:
        """Critical checks that did not pass."""
        return [result for result in self.results if result.blocks]

    @property
    def failed(self) -> list[CheckResult]:
        """Every check that did not pass, critical ones first."""
        return sorted(
            (result for result in self.results if not result.is_fine),
            key=lambda r: (not r.blocks, r.check_id),
        )

    @property
    def counts(self) -> dict[str, int]:
        """Checks declared, passed, with nothing to ask, and not passed by severity."""
        not_passed = Counter(result.severity for result in self.failed)
        return {
            "declared": len(self.results),
            "passed": sum(result.status == "passed" for result in self.results),
            "not_applicable": sum(result.status == "not_applicable" for result in self.results),
            "critical": not_passed["critical"],
            "warning": not_passed["warning"],
        }

    def summary(self) -> dict[str, Any]:
        """What ``warehouse.release.summary`` keeps: counts, and what did not pass."""
        return {
            "checks": self.counts,
            "not_passed": [
                {"check": r.check_id, "severity": r.severity, "status": r.status, "rows": r.failing_rows}
                for r in self.failed
            ],
            "gate": self.facts,
        }

    def line(self) -> str:
        """One line for a summary: passed, or the first blocking check with how many more there are."""
        counts = self.counts
        if self.passed:
            return f"{counts['passed']} of {counts['declared']} checks passed, {counts['warning']} warnings"
        if not self.blocking:
            return "no critical check was declared, so nothing proves the candidate"
        more = f" (and {len(self.blocking) - 1} more)" if len(self.blocking) > 1 else ""
        return self.blocking[0].line() + more

    def details(self) -> str:
        """Every check that did not pass, with where to look."""
        return "\n\n".join(result.details() for result in self.failed)


def withdraw_verdict(auditor: Engine, candidate: Candidate) -> None:
    """Take back an earlier verdict, so that an audit that dies half-way leaves none."""
    with auditor.begin() as connection:
        _write_verdict(connection, candidate, None, {})


def record(auditor: Engine, candidate: Candidate, results: Iterable[CheckResult]) -> None:
    """Store results for the candidate, replacing those of the same suites (dbt's tests come in as suite ``dbt``)."""
    with auditor.begin() as connection:
        _insert(connection, candidate, list(results))


def store(
    auditor: Engine, candidate: Candidate, results: Sequence[CheckResult], facts: dict[str, Any]
) -> Verdict:
    """Store results and the verdict in one transaction; results other rooms recorded count as well."""
    with auditor.begin() as connection:
        _insert(connection, candidate, results)
        verdict = Verdict(candidate.release_id, candidate.attempt, tuple(_read(connection, candidate)), facts)
        missing = {result.check_id for result in results} - {result.check_id for result in verdict.results}
        if missing:
            raise RuntimeError(f"results not stored: {sorted(missing)}")
        _write_verdict(connection, candidate, "passed" if verdict.passed else "failed", verdict.summary())
    return verdict


def last_verdict(engine: Engine, release_id: int | None = None) -> Verdict | None:
    """Stored results of a release's last attempt (default: the release audited last)."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select release_id, attempt, checked_at from audit.check_result"
                " where cast(:release as int) is null or release_id = :release"
                " order by checked_at desc limit 1"
            ),
            {"release": release_id},
        ).one_or_none()
        if row is None:
            return None
        candidate = Candidate(row.release_id, 0, "", row.attempt, 0)
        return Verdict(
            row.release_id, row.attempt, tuple(_read(connection, candidate)), audited_at=row.checked_at
        )


def trend(engine: Engine, check_id: str, *, limit: int = 30) -> list[dict[str, Any]]:
    """How a check went in the last releases, the newest first: release, attempt, status, rows, threshold, time."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select release_id, attempt, status, failing_rows, waived_rows, new_rows, denominator, threshold,"
                " checked_at from audit.check_result"
                " where check_id = :check_id order by release_id desc, attempt desc limit :limit"
            ),
            {"check_id": check_id, "limit": limit},
        )
        return [dict(row._mapping) for row in rows]


def _insert(connection: Connection, candidate: Candidate, results: Sequence[CheckResult]) -> None:
    key = {"release_id": candidate.release_id, "attempt": candidate.attempt}
    connection.execute(
        text(
            "delete from audit.check_result where release_id = :release_id and attempt = :attempt"
            " and suite = any(:suites)"
        ),
        {**key, "suites": sorted({result.suite for result in results})},
    )
    if results:
        columns = [*key, *CheckResult.__dataclass_fields__]
        connection.execute(
            text(
                f"insert into audit.check_result ({', '.join(columns)})"
                f" values ({', '.join(':' + name for name in columns)})"
            ),
            [{**key, **asdict(result)} for result in results],
        )


def _read(connection: Connection, candidate: Candidate) -> list[CheckResult]:
    rows = connection.execute(
        text(
            f"select {', '.join(CheckResult.__dataclass_fields__)} from audit.check_result"
            " where release_id = :release_id and attempt = :attempt order by suite, check_id"
        ),
        {"release_id": candidate.release_id, "attempt": candidate.attempt},
    )
    return [CheckResult(**row._mapping) for row in rows]


def _write_verdict(
    connection: Connection, candidate: Candidate, verdict: str | None, summary: dict[str, Any]
) -> None:
    written = connection.execute(
        text(
            "update warehouse.release set verdict = :verdict, summary = summary || cast(:summary as jsonb)"
            " where release_id = :release_id and status = 'candidate' and owner = :owner and attempt = :attempt"
        ),
        {
            "verdict": verdict,
            "summary": json.dumps(summary, ensure_ascii=False),
            "release_id": candidate.release_id,
            "owner": candidate.owner,
            "attempt": candidate.attempt,
        },
    )
    if written.rowcount != 1:
        raise CandidateLost(
            f"Release {candidate.release_id} is no longer the candidate of run {candidate.owner}.",
            mend="Start the night again; it takes up what is left.",
            release=candidate.release_id,
        )
