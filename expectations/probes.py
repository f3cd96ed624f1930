"""Probes: one statement each that scans its tables once and leaves findings for any number of checks.

``probes/<name>.sql`` selects findings (and rows that say how much was looked at), ``probes/<name>.yml`` declares the
kinds of findings: question, threshold, owner, messages. A kind that is asked ``per: form`` or ``per: indicator`` is a
check of its own for each of them. Checks of a probe cost no scan: they judge the score of its findings, so that a
threshold can be judged again without looking at any fact.

Columns that a probe may select: ``kind`` and ``item`` (both null in a row that only carries ``looked``, the number
of places looked at for ``kinds`` of an ``item``), the place (``subject_type``, ``subject_code``, ``organization_key``,
``form_code``, ``field_code``, ``breakdown``, ``indicator_code``, ``slice``, ``period_type``, ``period_start``,
``report_id``, ``place`` for what these cannot name), and ``score``, ``observed``, ``expected``, ``denominator``,
``cause``, ``detail``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from expectations.catalogue import Check, Chinese, Dimension, Owner, Sentence, Severity, Suite
from expectations.declarations import read
from expectations.errors import CatalogueError
from expectations.kinds import Column, NoFindings
from expectations.results import Policy

PROBES = Path(__file__).parent / "probes"

KEY = ["key"]
Per = Literal["all", "form", "indicator"]
Carried = Literal["none", "span", "since", "before"]


class KindOfFinding(BaseModel):
    """One kind of finding, a check for each thing it is asked of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    question: Sentence
    dimension: Dimension
    severity: Severity
    owner: Owner
    since: date
    threshold: float = Field(0, description="A finding fails when its score is above it.")
    per: Per = "all"
    policy: Policy = "flag"
    expectation: Annotated[str, StringConstraints(pattern=r"^Expect[A-Za-z]+$")] = "ExpectNoFindings"
    message_zh: Chinese
    message_en: Sentence


class Declared(BaseModel):
    """What ``probes/<name>.yml`` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probe: Column
    tables: list[Column] = Field(min_length=1, description="What the statement reads; each is scanned once.")
    carried: Carried = Field(
        "none",
        description="Which findings of the release before still hold when only a part is looked at. span: those outside"
        " the days between which a series (form, subject, kind of period) is judged again; since: those of periods"
        " before the ones that are judged again; before: of these only months and quarters.",
    )
    analysis: Literal["series"] | None = Field(
        None,
        description="What works out the findings, where SQL alone does not: the statement then selects the reports"
        " whose numbers it looks at.",
    )
    when_empty: Chinese = Field(description="Why a check of it may have nothing to look at.")
    kinds: list[KindOfFinding] = Field(min_length=1)


@dataclass(frozen=True)
class Probe:
    """A statement with the kinds of findings it leaves; ``only`` narrows the checks that are asked."""

    declared: Declared
    sql: str
    items: Mapping[Per, Sequence[str]]
    only: str = "*"

    @property
    def name(self) -> str:
        """Name, which opens the ids of its checks."""
        return self.declared.probe

    @property
    def suite(self) -> Suite:
        """Its checks."""
        return Suite(table=self.name, key=KEY, rows="optional", checks=list(self._checks()))

    def places(self) -> dict[str, tuple[str, str]]:
        """Kind and item of each check."""
        return {self._id(kind, item): (kind.kind, item) for kind, item in self._asked()}

    @property
    def ids(self) -> set[str]:
        """Ids of all its checks, those that are not asked now included."""
        return set(self.places())

    def _asked(self) -> Iterator[tuple[KindOfFinding, str]]:
        for kind in self.declared.kinds:
            for item in self.items.get(kind.per, ()) if kind.per != "all" else [""]:
                yield kind, item

    def _id(self, kind: KindOfFinding, item: str) -> str:
        return f"{self.name}.{kind.kind}" + (f"_{item}" if item else "")

    def _checks(self) -> Iterator[Check]:
        for kind, item in self._asked():
            if fnmatchcase(self._id(kind, item), self.only):
                yield self._check(kind, item)

    def _check(self, kind: KindOfFinding, item: str) -> Check:
        check_id = self._id(kind, item)
        return Check(
            id=check_id,
            question=kind.question,
            dimension=kind.dimension,
            severity=kind.severity,
            owner=kind.owner,
            since=kind.since,
            scope=f"{kind.per} {item}" if item else "table " + ", ".join(self.declared.tables),
            measure="score",
            threshold=kind.threshold,
            policy=kind.policy,
            expectation=NoFindings(type=kind.expectation, check_id=check_id),
            message_zh=kind.message_zh,
            message_en=kind.message_en,
        )


def load(items: Mapping[Per, Sequence[str]], folder: Path = PROBES) -> list[Probe]:
    """Every probe of the folder, its checks made for these forms and indicators."""
    found = []
    for file in sorted(folder.glob("*.yml")):
        document = read(file)
        try:
            declared = Declared.model_validate(document.data)
        except ValidationError as error:
            first = error.errors()[0]
            line = document.line(tuple(first["loc"]))
            raise CatalogueError(
                f"{file}:{line}: {'.'.join(map(str, first['loc']))}: {first['msg']}.",
                mend="See the kinds around it for the form.",
                file=str(file),
                line=line,
            ) from error
        statement = file.with_suffix(".sql")
        if declared.probe != file.stem or not statement.exists():
            raise CatalogueError(
                f"{file}:1: probe {declared.probe!r} needs {declared.probe}.yml and {declared.probe}.sql.",
                mend="Name both files after the probe.",
                file=str(file),
            )
        found.append(Probe(declared, statement.read_text(encoding="utf-8"), items))
    return found
