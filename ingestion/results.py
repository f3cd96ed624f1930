"""What taking files in did, for people and for a run's record."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from ingestion.findings import Finding
from ingestion.judging import Judged
from warehouse.errors import WarehouseError


@dataclass(frozen=True)
class FileResult:
    """What became of one file."""

    name: str
    status: str
    form_code: str | None
    reports: Counter[str]
    findings: int
    detail: str


@dataclass(frozen=True)
class IntakeResult:
    """What became of the files of a lane."""

    files: tuple[FileResult, ...] = ()

    @property
    def by_status(self) -> Counter[str]:
        """Files by status of their arrival."""
        return Counter(file.status for file in self.files)

    @property
    def reports(self) -> Counter[str]:
        """Reports by what happened: new, revised, unchanged, quarantined, outdated, unplaced."""
        return sum((file.reports for file in self.files), Counter[str]())

    @property
    def findings(self) -> int:
        """Findings written."""
        return sum(file.findings for file in self.files)

    def summary(self) -> dict[str, object]:
        """Counts for a run's record."""
        return {"files": dict(self.by_status), "reports": dict(self.reports), "findings": self.findings}


class LaneFailed(WarehouseError):
    """Files of a lane could not be taken in for a reason that is not theirs; the others were.

    ``result`` says what was done all the same.
    """

    def __init__(self, source: str, result: IntakeResult) -> None:
        names = [file.name for file in result.files if file.status == "failed"]
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        causes = ", ".join(sorted({file.detail for file in result.files if file.status == "failed"}))
        super().__init__(
            f"Source {source}: {len(names)} of {len(result.files)} files could not be taken in: {shown} ({causes}).",
            mend="See the log; the files stay where they are, and the next night tries those in an inbox again.",
            source=source,
            files=names,
        )
        self.result = result


@dataclass(frozen=True)
class CheckedReport:
    """What would become of one report of a file."""

    form_code: str
    subject_code: str
    period_start: date
    period_end: date
    status: str
    kind: str
    findings: tuple[Judged, ...]


@dataclass(frozen=True)
class Checked:
    """What would become of a file: its reports, and findings that concern no single report."""

    name: str
    reports: tuple[CheckedReport, ...]
    findings: tuple[Finding, ...]
