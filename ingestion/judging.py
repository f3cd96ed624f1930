"""From findings to the status of a report, and from its history to what becomes of a new content.

Nothing here touches the database or a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from ingestion.findings import Finding, Severity

NEVER_WAIVED = frozenset({"REPORT_TWICE_IN_FILE", "MEMBER_TWICE_IN_REPORT", "UNIT_AMBIGUOUS", "UNIT_UNKNOWN"})
"""Rules without which nobody could say which number is the report's: no waiver and no softer severity counts."""

ACCEPTED = ("accepted", "accepted_with_warnings")

Outcome = frozenset[tuple[str, str, bool, str | None, str | None]]
"""What was found, apart from places and wording: rule, severity, waived, field, breakdown."""


@dataclass(frozen=True)
class OpenWaiver:
    """A waiver that counts today."""

    waiver_id: int
    rule_id: str
    form_code: str | None
    subject_code: str | None
    period_from: date | None
    period_to: date | None

    def covers(self, rule_id: str, form_code: str, subject_code: str, start: date, end: date) -> bool:
        """Whether it covers a rule's failure in a report of this form, subject and period."""
        return (
            self.rule_id == rule_id
            and rule_id not in NEVER_WAIVED
            and self.form_code in (None, form_code)
            and self.subject_code in (None, subject_code)
            and (self.period_from is None or self.period_from <= start)
            and (self.period_to is None or self.period_to >= end)
        )


@dataclass(frozen=True)
class OwnSeverity:
    """A severity that the bureau sets for a rule itself, in one form or in all."""

    severity_id: int
    rule_id: str
    form_code: str | None
    severity: Severity


def weighed(
    finding: Finding, severities: Sequence[OwnSeverity], form_code: str
) -> tuple[Finding, int | None]:
    """The finding with the bureau's own severity, and which one that is; None when the rule's own stands.

    A severity for the very form goes before one for all forms.
    """
    of_rule = [one for one in severities if one.rule_id == finding.rule_id]
    own = next(
        (one for form in (form_code, None) for one in of_rule if one.form_code == form),
        None,
    )
    if own is None or own.severity == finding.severity or finding.rule_id in NEVER_WAIVED:
        return finding, None
    return replace(finding, severity=own.severity), own.severity_id


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding with the waiver that covers it and the bureau's own severity, if there are any."""

    finding: Finding
    waiver_id: int | None = None
    severity_id: int | None = None

    @property
    def quarantines(self) -> bool:
        """Whether it alone keeps its report out; what concerns one card sets only that aside."""
        return self.finding.severity == "hard" and self.waiver_id is None and self.finding.record_no is None


def judge(
    findings: Iterable[Finding],
    waivers: Sequence[OpenWaiver],
    *,
    form_code: str,
    subject_code: str,
    start: date,
    end: date,
    severities: Sequence[OwnSeverity] = (),
) -> list[Judged]:
    """Give each finding of a report the bureau's own severity, and the waiver that covers it."""
    judged = []
    for found in findings:
        finding, severity_id = weighed(found, severities, form_code) if severities else (found, None)
        waiver_id = next(
            (w.waiver_id for w in waivers if w.covers(finding.rule_id, form_code, subject_code, start, end)),
            None,
        )
        judged.append(Judged(finding, waiver_id, severity_id))
    return judged


def status_of(judged: Sequence[Judged]) -> str:
    """A failed hard rule without waiver quarantines; anything less only warns."""
    if any(one.quarantines for one in judged):
        return "quarantined"
    return "accepted_with_warnings" if judged else "accepted"


def outcome_of(judged: Iterable[Judged]) -> Outcome:
    """What was found, for comparison with an earlier judgement of the same content."""
    return frozenset(
        (
            one.finding.rule_id,
            one.finding.severity,
            one.waiver_id is not None,
            one.finding.field_code,
            one.finding.breakdown,
        )
        for one in judged
    )


@dataclass(frozen=True)
class KnownRevision:
    """A revision as the registry has it.

    ``confirmed_at``: when its content was received last, by a re-sent copy perhaps; ``received_at`` stays the time
    of the first. ``was_accepted``: whether it ever was good enough, whatever became of it since.
    """

    revision_id: int
    revision_no: int
    arrival_id: int
    content_hash: str
    status: str
    received_at: datetime
    reporter_key: int | None = None
    confirmed_at: datetime | None = None
    was_accepted: bool = False
    outcome: Outcome | None = None

    @property
    def last_said(self) -> datetime:
        """When somebody last said this content."""
        return max(self.received_at, self.confirmed_at or self.received_at)


@dataclass(frozen=True)
class History:
    """A report's revisions, the oldest first, and which of them is current."""

    revisions: tuple[KnownRevision, ...] = ()
    current_id: int | None = None

    @property
    def current(self) -> KnownRevision | None:
        """The revision that counts, if any."""
        return next((one for one in self.revisions if one.revision_id == self.current_id), None)

    def was_withdrawn(self, content_hash: str) -> bool:
        """Whether this very content was withdrawn before."""
        return any(one.status == "withdrawn" and one.content_hash == content_hash for one in self.revisions)

    def returns_to(self, content: "Content") -> KnownRevision | None:
        """The accepted revision with this very content that another accepted content had since taken the place of.

        Only what was received up to now counts, so that reading a file again finds the same.
        """
        earlier = [
            one
            for one in self.revisions
            if one.was_accepted
            and one.arrival_id != content.arrival_id
            and one.received_at <= content.received_at
        ]
        same = [
            one for one in earlier if one.content_hash == content.content_hash and one.status != "withdrawn"
        ]
        others = [one.received_at for one in earlier if one.content_hash != content.content_hash]
        return next((one for one in reversed(same) if any(at > one.last_said for at in others)), None)


@dataclass(frozen=True)
class Content:
    """What an arrival says a report is."""

    arrival_id: int
    content_hash: str
    received_at: datetime
    status: str
    outcome: Outcome


@dataclass(frozen=True)
class Decision:
    """What becomes of a content.

    ``same_as``: the revision that holds it already, when nothing new is to be written. Otherwise a new
    revision with ``status``, which becomes the current one if ``becomes_current``. ``superseded`` are the
    revisions whose turn is over.
    """

    same_as: int | None = None
    status: str = ""
    becomes_current: bool = False
    superseded: tuple[int, ...] = field(default=())


def decide(history: History, content: Content, *, again: int | None = None) -> Decision:
    """Decide what becomes of a content, given the report's history.

    The accepted content that was received last, be it as a copy of what stands, is the current one, whatever the
    order in which files are taken in; content that was withdrawn holds its place against older content. ``again``
    is the revision that held what this arrival said when it was read before (a re-derivation).
    """
    current = history.current
    before = next((one for one in history.revisions if one.revision_id == again), None)
    same = _read_before(history, content, before) if before else _known_already(history, content)
    waiting = tuple(
        one.revision_id
        for one in history.revisions
        if one.status == "quarantined"
        and one.last_said <= content.received_at
        and one.revision_id != same
        and (one.arrival_id != content.arrival_id or before is not None)
    )
    if same is not None:
        # The unit's last word is what counts already, so what was waiting for correction is settled.
        settled = (
            current is not None and same == current.revision_id and content.received_at > current.last_said
        )
        return Decision(same_as=same, superseded=waiting if settled else ())
    if _outdated(history, content):
        return Decision(status="superseded", superseded=waiting)
    if content.status not in ACCEPTED:
        return Decision(status="quarantined", superseded=waiting)
    replaced = (current.revision_id,) if current is not None else ()
    return Decision(status=content.status, becomes_current=True, superseded=(*replaced, *waiting))


def _outdated(history: History, content: Content) -> bool:
    """Whether something that was received later stands in its place."""
    return any(
        one.last_said > content.received_at
        for one in history.revisions
        if one.status == "withdrawn" or one.revision_id == history.current_id
    )


def _read_before(history: History, content: Content, before: KnownRevision) -> int | None:
    """The revision that a re-reading would only repeat."""
    if before.status == "withdrawn" or _outdated(history, content):
        # Only what stands, or waits to be corrected, is worth another revision.
        return before.revision_id
    held = [before, *(one for one in (history.current,) if one is not None)]
    held += [one for one in history.revisions if one.status == "quarantined"]
    return next(
        (
            one.revision_id
            for one in held
            if one.content_hash == content.content_hash and one.outcome == content.outcome
        ),
        None,
    )


def _known_already(history: History, content: Content) -> int | None:
    """The revision that says the same already."""
    current = history.current
    if current is not None and current.content_hash == content.content_hash:
        return current.revision_id
    twins = [one for one in history.revisions if one.content_hash == content.content_hash]
    if twins and _outdated(history, content):
        return twins[-1].revision_id
    for one in reversed(twins):
        if content.status == one.status == "quarantined" and one.outcome == content.outcome:
            return one.revision_id
    return None
