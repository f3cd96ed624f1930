"""The reports of files on their way into the registry, and those that a file brings twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from ingestion.findings import ROW_FAULTS, Finding
from ingestion.form import PeriodType
from ingestion.judging import Decision, History, Judged
from ingestion.reading import Reading

IDENTITY = ("form_code", "part", "subject_type", "subject_code", "period_type", "period_start", "period_end")
"""What makes a report the same as another."""


@dataclass(frozen=True)
class Group:
    """A reading with its placed reports (see :func:`ingestion.placing.place`) and everything found in it.

    ``revisions``: ids by report_no under which the records lie in the raw table already (cards).
    """

    reading: Reading
    reports: pl.DataFrame
    findings: Sequence[Finding]
    revisions: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrival:
    """The arrival that is being recorded: ``received_at`` is what its file says, ``registered_at`` our own clock."""

    arrival_id: int
    received_at: datetime
    registered_at: datetime

    def received_on(self, timezone: str) -> date:
        """The day of it where the bureau is."""
        return self.received_at.astimezone(ZoneInfo(timezone)).date()

    def registered_on(self, timezone: str) -> date:
        """The day on which it was first seen, where the bureau is."""
        return self.registered_at.astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True)
class Filing:
    """A file to be recorded: its arrival, what was read in it, and the cause that its transitions are given."""

    arrival: Arrival
    groups: Sequence[Group]
    cause: str


@dataclass
class Item:
    """One report of a file on its way into the registry; ``group`` counts over all files recorded at once."""

    arrival: Arrival
    cause: str
    group: int
    report_no: int
    form_code: str
    part: str
    subject_type: str
    subject_code: str
    organization_key: int | None
    region_code: str | None
    period_type: PeriodType
    period_start: date
    period_end: date
    edition: str
    reporter_key: int | None
    content_hash: str
    record_count: int
    value_count: int
    nonzero_count: int | None
    sheet: str | None
    findings: list[Finding] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    report_id: int = 0
    history: History = field(default_factory=History)
    again: int | None = None
    status: str = ""
    decision: Decision = field(default_factory=Decision)
    revision_no: int = 0
    revision_id: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes it the same report as another."""
        return tuple(getattr(self, name) for name in IDENTITY)

    @property
    def kind(self) -> str:
        """What happened, in one word: new, revised, unchanged, quarantined or outdated."""
        if self.decision.same_as is not None:
            return "unchanged"
        if self.decision.becomes_current:
            return "revised" if self.history.current_id is not None else "new"
        return "quarantined" if self.decision.status == "quarantined" else "outdated"


def items_of(filing: Filing, *, first_group: int = 0) -> tuple[list[Item], list[Finding], int]:
    """Reports that could be placed with their findings, findings on the whole file, reports without a unit."""
    items: list[Item] = []
    whole_file: list[Finding] = []
    unplaced = 0
    for number, group in enumerate(filing.groups, start=first_group):
        here: dict[int, Item] = {}
        for row in group.reports.iter_rows(named=True):
            if row["subject_code"] is None:
                unplaced += 1
                continue
            here[row["report_no"]] = Item(
                arrival=filing.arrival,
                cause=filing.cause,
                group=number,
                report_no=row["report_no"],
                form_code=group.reading.form.code,
                part=group.reading.part,
                subject_type=row["subject_type"],
                subject_code=row["subject_code"],
                organization_key=row["organization_key"],
                region_code=row["region_code"],
                period_type=row["period_type"],
                period_start=row["period_start"],
                period_end=row["period_end"],
                edition=group.reading.edition,
                reporter_key=row["reporter_key"],
                content_hash=row["content_hash"],
                record_count=row["record_count"],
                value_count=row["value_count"],
                nonzero_count=row.get("nonzero_count"),
                sheet=row["sheet"],
                revision_id=group.revisions.get(row["report_no"], 0),
            )
        for finding in group.findings:
            if finding.report_no in here:
                here[finding.report_no].findings.append(finding)
            elif (
                finding.report_no is not None
                or finding.severity == "soft"
                or finding.rule_id in ROW_FAULTS
                or not here
            ):
                whole_file.append(finding)
            else:
                # A table that cannot be trusted keeps every one of its reports out.
                for item in here.values():
                    item.findings.append(finding)
        items += here.values()
    return items, whole_file, unplaced


def mark_repeated(items: list[Item]) -> None:
    """A report that stands in two tables of a file, or under two names of its unit."""
    by_identity: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        by_identity.setdefault(item.identity, []).append(item)
    for same in by_identity.values():
        if len(same) == 1:
            continue
        if len({item.content_hash for item in same}) == 1:
            for item in same[1:]:
                items.remove(item)
            continue
        places = "、".join(sorted({item.sheet or "?" for item in same}))
        for item in same:
            item.findings.append(
                Finding(
                    rule_id="REPORT_TWICE_IN_FILE",
                    level="report",
                    severity="hard",
                    report_no=item.report_no,
                    sheet=item.sheet,
                    message_zh=f"{item.subject_code}在{item.period_start}这一期的报表在文件中出现{len(same)}次且内容不同"
                    f"（{places}），请只保留正确的一份",
                    message_en=f"the report of {item.subject_code} for {item.period_start} stands {len(same)} times in"
                    f" the file with different content ({places}); keep the right one",
                )
            )
