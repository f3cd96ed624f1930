"""The catalogue of declared checks: one YAML file per table in ``suites/``.

The gate passes a candidate only when every check declared here has run, so this is the list it proves
its work against. A check never leaves the list silently: its removal is a change of a file under review.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from expectations.declarations import Document, read
from expectations.errors import CatalogueError
from expectations.kinds import AnyKind, Column, Condition, NoRowsFromQuery, RowsWhen
from expectations.results import Measure, Policy
from expectations.scope import Look, Scope

if TYPE_CHECKING:
    from expectations.probes import Probe

SUITES = Path(__file__).parent / "suites"

Dimension = Literal["conformance", "completeness", "plausibility", "consistency", "timeliness"]
Severity = Literal["critical", "warning"]
Owner = Literal["reporting_unit", "statistician", "engineer"]
Chinese = Annotated[str, StringConstraints(pattern=r"[\u4e00-\u9fff]", strip_whitespace=True)]
Sentence = Annotated[str, StringConstraints(min_length=5, strip_whitespace=True)]


class Check(BaseModel):
    """One declared check: the question it answers, how, and what to say when the answer is no."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
    question: Sentence
    dimension: Dimension
    severity: Severity
    owner: Owner = Field("engineer", description="Who mends what it finds.")
    since: date
    expectation: AnyKind
    scope: str | None = Field(None, description="A table, form or indicator; the suite's table if left out.")
    measure: Measure = Field("rows", description="What the threshold judges.")
    threshold: float = Field(0, ge=0, description="The check fails above it.")
    policy: Policy = Field(
        "none",
        description="What becomes of the values that rest on what it finds: flagged, or held at the last good.",
    )
    message_zh: Chinese
    message_en: Sentence
    look: str | None = Field(
        None, description="SQL to show people instead of the check's own, when that is long."
    )


class WhenReported(BaseModel):
    """The table must have rows once a report of one of these forms is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when_reported: list[Column] = Field(min_length=1)


class When(BaseModel):
    """The table must have rows when an SQL condition holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: Condition


class Suite(BaseModel):
    """Checks of one table of the candidate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Column
    ground: bool = Field(
        False, description="Facts are judged against it: when it changes, all facts are looked at."
    )
    key: list[Column] = Field(
        min_length=1, description="Columns that name a failing row; never personal ones."
    )
    scope: Scope = Field(
        "everything",
        description="Rows to look at as long as checks and dimensions are those that the release before was passed"
        " with: everything, or only reports or periods that the candidate rebuilt.",
    )
    rows: Literal["always", "optional"] | WhenReported | When = Field(
        description="Whether the table must have rows: an empty table answers no question."
    )
    checks: list[Check]

    @property
    def declared(self) -> tuple[Check, ...]:
        """All checks, with the one on emptiness first."""
        return (*self._on_rows(), *self.checks)

    def task(self, look: Look) -> "Task":
        """The suite as one audit runs it."""
        return Task(
            suite=self,
            rows=look.rows(self.table, self.scope),
            whole=look.reports is None or self.scope == "everything",
            checks=tuple(_rendered(check, look) for check in self.declared),
        )

    def _on_rows(self) -> Iterable[Check]:
        if self.rows == "optional":
            return
        if isinstance(self.rows, WhenReported):
            forms = ", ".join(f"'{form}'" for form in self.rows.when_reported)
            condition = (
                "exists (select from registry.report where current_revision_id is not null"
                f" and form_code in ({forms}))"
            )
        else:
            condition = self.rows.when if isinstance(self.rows, When) else "true"
        yield Check(
            id=f"{self.table}.rows",
            question="Has the table rows where rows must be?",
            dimension="completeness",
            severity="critical",
            since=date(2026, 11, 22),
            expectation=RowsWhen(type="ExpectRowsWhen", table=self.table, condition=condition),
            message_zh=f"表 {self.table} 应有数据却为空",
            message_en=f"{self.table} is empty although it must have rows",
        )


@dataclass(frozen=True)
class Task:
    """A suite with the rows to look at settled: ``whole`` for all rows of the table, else SQL in ``rows``."""

    suite: Suite
    rows: str
    whole: bool
    checks: tuple[Check, ...]


def _rendered(check: Check, look: Look) -> Check:
    kind = check.expectation
    if not isinstance(kind, NoRowsFromQuery):
        return check
    return check.model_copy(
        update={"expectation": kind.model_copy(update={"query": look.render(kind.query)})}
    )


@dataclass(frozen=True)
class Catalogue:
    """Every suite, by table, and every probe."""

    suites: tuple[Suite, ...]
    probes: "tuple[Probe, ...]" = ()

    @property
    def checks(self) -> list[Check]:
        """Every declared check."""
        suites = (*self.suites, *(probe.suite for probe in self.probes))
        return [check for suite in suites for check in suite.declared]

    @property
    def fingerprint(self) -> str:
        """Hash that changes with any declaration."""
        text = "\n".join(
            [
                *(suite.model_dump_json() for suite in self.suites),
                *(probe.sql + probe.suite.model_dump_json() for probe in self.probes),
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def with_suite(self, suite: Suite) -> "Catalogue":
        """This catalogue with the checks of ``suite`` added to those of its table."""
        merged = [
            kept
            if kept.table != suite.table
            else kept.model_copy(update={"checks": [*kept.checks, *suite.checks]})
            for kept in self.suites
        ]
        if all(kept.table != suite.table for kept in self.suites):
            merged.append(suite)
        return _unique(Catalogue(tuple(merged), self.probes), {})


def load(folder: Path = SUITES) -> Catalogue:
    """Read the catalogue; raises :class:`CatalogueError` with file and line."""
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise CatalogueError(f"No suites in {folder}.", mend="Reinstall the package.", folder=str(folder))
    suites: list[Suite] = []
    places: dict[str, tuple[Document, int]] = {}
    for file in files:
        document = read(file)
        suite = _suite(document)
        if suite.table != file.stem:
            raise _error(document, ("table",), f"table {suite.table!r} belongs in {suite.table}.yml")
        for number, check in enumerate(suite.checks):
            if check.id in places:
                other, line = places[check.id]
                raise _error(
                    document,
                    ("checks", number, "id"),
                    f"{check.id!r} is declared already in {other.file}:{line}",
                )
            if check.id.split(".")[0] != suite.table:
                raise _error(
                    document, ("checks", number, "id"), f"{check.id!r} must begin with {suite.table!r}."
                )
            places[check.id] = (document, document.line(("checks", number, "id")))
        suites.append(suite)
    return _unique(Catalogue(tuple(suites)), places)


def _unique(catalogue: Catalogue, places: dict[str, tuple[Document, int]]) -> Catalogue:
    seen: set[str] = set()
    for check in catalogue.checks:
        if check.id in seen:
            at = f"{places[check.id][0].file}:{places[check.id][1]}: " if check.id in places else ""
            raise CatalogueError(
                f"{at}{check.id!r} is declared twice.", mend="Rename one of the two.", check=check.id
            )
        seen.add(check.id)
    return catalogue


def _suite(document: Document) -> Suite:
    try:
        return Suite.model_validate(document.data)
    except ValidationError as error:
        first: Any = error.errors()[0]
        place = tuple(part for part in first["loc"] if part in _path_parts(document, first["loc"]))
        raise _error(document, place, f"{'.'.join(map(str, place)) or 'file'}: {first['msg']}") from error


def _path_parts(document: Document, location: tuple[str | int, ...]) -> set[str | int]:
    """Parts of pydantic's location that stand in the file (it also names the kind it tried)."""
    parts: set[str | int] = set()
    data: Any = document.data
    for number, part in enumerate(location):
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]
        if inside or number == len(location) - 1:
            parts.add(part)
    return parts


def _error(document: Document, place: tuple[str | int, ...], what: str) -> CatalogueError:
    line = document.line(place)
    return CatalogueError(
        f"{document.file}:{line}: {what}",
        mend="See the checks around it for the form.",
        file=str(document.file),
        line=line,
    )
