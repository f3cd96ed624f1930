"""The life of a report as a state machine: whatever arrives in whatever order, its statuses and what counts are right.

The model knows only what was received and when. Against it runs what the registry does with every decision.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ingestion.judging import ACCEPTED, Content, History, KnownRevision, Outcome, decide

START = datetime(2016, 1, 1, tzinfo=UTC)
ALLOWED = {
    ("received", "accepted"),
    ("received", "accepted_with_warnings"),
    ("received", "quarantined"),
    ("accepted", "superseded"),
    ("accepted_with_warnings", "superseded"),
    ("quarantined", "superseded"),
    ("accepted", "withdrawn"),
    ("accepted_with_warnings", "withdrawn"),
}
OUTCOMES: dict[str, Outcome] = {
    "accepted": frozenset(),
    "accepted_with_warnings": frozenset({("HM03", "soft", False, "visits", None)}),
    "quarantined": frozenset({("HM01", "hard", False, "visits", None)}),
}


@dataclass
class Registry:
    """What recording does with a decision, in memory."""

    revisions: list[KnownRevision] = field(default_factory=list)
    current: int | None = None
    links: dict[int, int] = field(default_factory=dict)
    transitions: dict[int, list[str]] = field(default_factory=dict)

    @property
    def history(self) -> History:
        return History(tuple(self.revisions), self.current)

    def move(self, revision_id: int, status: str) -> None:
        self.transitions[revision_id].append(status)
        self.revisions = [
            replace(one, status=status) if one.revision_id == revision_id else one for one in self.revisions
        ]

    def take(self, content: Content, *, again: bool = False) -> None:
        link = self.links.get(content.arrival_id) if again else None
        decision = decide(self.history, content, again=link)
        for revision_id in decision.superseded:
            one = next(one for one in self.revisions if one.revision_id == revision_id)
            if one.status not in ("superseded", "withdrawn"):
                self.move(revision_id, "superseded")
        if decision.same_as is not None:
            self.links[content.arrival_id] = decision.same_as
        else:
            number = len(self.revisions) + 1
            self.transitions[number] = ["received", content.status]
            if decision.status == "superseded":
                self.transitions[number].append("superseded")
            self.revisions.append(
                KnownRevision(
                    number,
                    number,
                    content.arrival_id,
                    content.content_hash,
                    decision.status,
                    content.received_at,
                    was_accepted=content.status in ACCEPTED,
                    outcome=content.outcome,
                )
            )
            self.links[content.arrival_id] = number
            if decision.becomes_current:
                self.current = number
        said = self.links[content.arrival_id]
        self.revisions = [
            replace(one, confirmed_at=max(one.last_said, content.received_at))
            if one.revision_id == said
            else one
            for one in self.revisions
        ]

    def withdraw(self) -> None:
        assert self.current is not None
        self.move(self.current, "withdrawn")
        self.current = None


class LifeOfAReport(RuleBasedStateMachine):
    """Files arrive, late ones too; rules are softened and made stricter; reports are withdrawn."""

    @initialize()
    def begin(self) -> None:
        self.registry = Registry()
        self.arrivals: list[Content] = []
        # How each content is judged by the rules of today.
        self.rules = {"a": "accepted", "b": "accepted_with_warnings", "c": "quarantined", "d": "accepted"}
        self.withdrawn: list[tuple[datetime, str]] = []

    def judged(self, content: Content) -> Content:
        status = self.rules[content.content_hash]
        if any(said == content.content_hash for _, said in self.withdrawn):
            status = "quarantined"
        return replace(content, status=status, outcome=OUTCOMES[status])

    @rule(what=st.sampled_from("abcd"), day=st.integers(0, 30))
    def arrive(self, what: str, day: int) -> None:
        # Two files never come at the very same moment; a late one may be much older than what is there.
        moment = START + timedelta(days=day, seconds=len(self.arrivals))
        content = self.judged(Content(len(self.arrivals) + 1, what, moment, "", frozenset()))
        self.arrivals.append(content)
        self.registry.take(content)

    @precondition(lambda self: self.arrivals)
    @rule(data=st.data())
    def arrive_again_from_the_inbox(self, data: st.DataObject) -> None:
        """The very same file, taken in once more after a crash: nothing may change."""
        content = self.judged(data.draw(st.sampled_from(self.arrivals)))
        before = self.registry.current
        self.registry.take(content, again=True)
        if not self.rules_moved and before is not None:
            assert self.registry.current == before

    rules_moved = False

    @rule(what=st.sampled_from("abcd"), status=st.sampled_from(sorted(OUTCOMES)))
    def mend_a_rule_and_replay(self, what: str, status: str) -> None:
        self.rules_moved = True
        self.rules[what] = status
        for content in sorted(self.arrivals, key=lambda one: one.received_at):
            self.registry.take(self.judged(content), again=True)
        settled = (list(self.registry.revisions), self.registry.current)
        for content in sorted(self.arrivals, key=lambda one: one.received_at):
            self.registry.take(self.judged(content), again=True)
        assert (self.registry.revisions, self.registry.current) == settled

    @precondition(lambda self: self.registry.current is not None)
    @rule()
    def withdraw(self) -> None:
        current = self.registry.history.current
        assert current is not None
        self.withdrawn.append((current.last_said, current.content_hash))
        self.registry.withdraw()

    @invariant()
    def only_transitions_that_exist(self) -> None:
        for statuses in self.registry.transitions.values():
            assert statuses[0] == "received"
            for earlier, later in pairwise(statuses):
                assert (earlier, later) in ALLOWED, statuses

    @invariant()
    def last_transition_is_the_status(self) -> None:
        for one in self.registry.revisions:
            assert self.registry.transitions[one.revision_id][-1] == one.status

    @invariant()
    def one_accepted_revision_counts_and_no_other_is_left(self) -> None:
        accepted = [one.revision_id for one in self.registry.revisions if one.status in ACCEPTED]
        assert accepted == ([self.registry.current] if self.registry.current is not None else [])

    @invariant()
    def what_was_received_last_counts(self) -> None:
        """While no rule moved: the accepted content received last, unless it was withdrawn later than that."""
        if self.rules_moved or self.withdrawn:
            return
        good = [one for one in self.arrivals if one.status in ACCEPTED]
        current = self.registry.history.current
        if not good:
            assert current is None
            return
        assert current is not None
        assert current.content_hash == max(good, key=lambda one: one.received_at).content_hash

    @invariant()
    def the_last_word_counts_or_waits(self) -> None:
        if self.rules_moved or not self.arrivals:
            return
        last = max(self.arrivals, key=lambda one: one.received_at)
        said = self.registry.links[last.arrival_id]
        status = next(one.status for one in self.registry.revisions if one.revision_id == said)
        assert status == last.status or (status == "withdrawn" and last.status in ACCEPTED)

    @invariant()
    def nothing_received_before_a_withdrawal_counts(self) -> None:
        current = self.registry.history.current
        if current is not None and self.withdrawn:
            assert current.last_said > max(at for at, _ in self.withdrawn)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every arrival leads to a revision that says what it said."""
        by_id = {one.revision_id: one for one in self.registry.revisions}
        for content in self.arrivals:
            assert by_id[self.registry.links[content.arrival_id]].content_hash == content.content_hash


TestLifeOfAReport = LifeOfAReport.TestCase
TestLifeOfAReport.settings = settings(max_examples=100, stateful_step_count=25)
