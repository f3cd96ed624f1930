"""What is known of a file's cards so far: its reports, their counts and contents, keys met, findings told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from ingestion.cards.hashing import ContentSum
from ingestion.cards.keys import KeysMet
from ingestion.findings import Finding


@dataclass
class Entry:
    """One report of a file of cards. ``placed``: its row of :func:`ingestion.placing.place`, None when nobody knows
    the unit. ``set_aside`` counts the cards that do not count; first and last are the dates of those that do.
    """

    report_no: int
    subject_ref: str
    reporter_ref: str | None
    placed: dict[str, object] | None
    period: tuple[date, date] | None
    sheet: str
    cards: int = 0
    set_aside: int = 0
    first: date | None = None
    last: date | None = None
    content: ContentSum = field(default_factory=ContentSum)

    def saw(self, first: date | None, last: date | None) -> None:
        """Widen the span of dates."""
        if first is not None and last is not None:
            self.first = min(first, self.first or first)
            self.last = max(last, self.last or last)


class Ledger:
    """Everything that outlives a batch. ``cap``: findings told of one rule and report."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []
        self.unplaced_cards = 0
        self._told: Counter[tuple[int | None, str]] = Counter()
        self._samples: dict[tuple[int | None, str], Finding] = {}
        self.keys = KeysMet()

    def note(self, report_nos: pl.Series, days: pl.Series, counts: pl.Series, contents: pl.DataFrame) -> None:
        """Add cards to their reports: ``counts`` are those not set aside, ``contents`` the fingerprints of all."""
        given = [report_nos.alias("report_no"), days.alias("day"), counts.alias("counts")]
        frame = pl.DataFrame([*given, *contents])
        one = report_nos.n_unique() == 1
        for part in [frame] if one else frame.partition_by("report_no"):
            entry = self.entries[part["report_no"][0] - 1]
            entry.content.add(part)
            entry.set_aside += len(part) - (part["counts"].sum() or 0)
            counted = part["day"] if part["counts"].all() else part["day"].filter(part["counts"])
            entry.saw(counted.min(), counted.max())

    def room(self, report_no: int | None, rule_id: str, count: int) -> int:
        """How many of ``count`` more findings of a rule may be told; all of them are counted."""
        before = self._told[report_no, rule_id]
        self._told[report_no, rule_id] += count
        return max(0, min(count, self.cap - before))

    def tell(self, findings: Iterable[Finding]) -> None:
        """Add findings for which there was room."""
        for finding in findings:
            self._samples.setdefault((finding.report_no, finding.rule_id), finding)
            self.findings.append(finding)

    def closing(self) -> list[Finding]:
        """For each rule that failed more often than was told, one more finding that says how often."""
        closing = []
        for place, count in self._told.items():
            if count > self.cap and place in self._samples:
                more = count - self.cap
                closing.append(
                    replace(
                        self._samples[place],
                        severity="soft",
                        cell=None,
                        value=None,
                        record_no=None,
                        message_zh=f"同一问题还有{more}处，不再逐条列出（共{count}处）；请先检查整列是否填错或错位",
                        message_en=f"{more} more places fail the same rule ({count} in all) and are not listed;"
                        " see whether the whole column is wrong or shifted",
                    )
                )
        return closing
