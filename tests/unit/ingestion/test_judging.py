from datetime import UTC, date, datetime, timedelta

import pytest

from ingestion.findings import Finding
from ingestion.judging import (
    Content,
    History,
    KnownRevision,
    OpenWaiver,
    Outcome,
    OwnSeverity,
    decide,
    judge,
    outcome_of,
    status_of,
)

START = datetime(2016, 1, 1, tzinfo=UTC)
JANUARY = {
    "form_code": "hosp_monthly",
    "subject_code": "A",
    "start": date(2015, 1, 1),
    "end": date(2015, 1, 31),
}
BROKEN: Outcome = frozenset({("HM01", "hard", False, "visits", None)})
NOTHING: Outcome = frozenset()


def at(day: int) -> datetime:
    return START + timedelta(days=day)


def known(number: int, content: str, day: int, status: str = "superseded", **more) -> KnownRevision:
    outcome = more.pop("outcome", BROKEN if status == "quarantined" else NOTHING)
    return KnownRevision(
        number, number, more.pop("arrival", number), content, status, at(day), outcome=outcome, **more
    )


def content(what: str, day: int, *, status: str = "accepted", arrival: int = 99) -> Content:
    return Content(arrival, what, at(day), status, BROKEN if status == "quarantined" else NOTHING)


def finding(rule: str = "HM01", severity: str = "hard") -> Finding:
    return Finding(rule, "report", severity, "请核对", "check", report_no=1, field_code="visits")


class TestStatus:
    def test_no_finding_accepts(self):
        assert status_of([]) == "accepted"

    def test_soft_finding_warns(self):
        assert status_of(judge([finding(severity="soft")], [], **JANUARY)) == "accepted_with_warnings"

    def test_hard_finding_quarantines(self):
        assert status_of(judge([finding(), finding("HM02", "soft")], [], **JANUARY)) == "quarantined"

    def test_waived_hard_finding_warns(self):
        waiver = OpenWaiver(7, "HM01", None, None, None, None)
        judged = judge([finding()], [waiver], **JANUARY)
        assert status_of(judged) == "accepted_with_warnings"
        assert judged[0].waiver_id == 7
        assert judged[0].finding.severity == "hard"

    @pytest.mark.parametrize(
        "scope",
        [
            ("HM02", None, None, None, None),
            ("HM01", "idr_monthly", None, None, None),
            ("HM01", None, "B", None, None),
            ("HM01", None, None, date(2015, 2, 1), None),
            ("HM01", None, None, None, date(2015, 1, 15)),
        ],
    )
    def test_waiver_of_another_scope_does_not_count(self, scope):
        assert status_of(judge([finding()], [OpenWaiver(1, *scope)], **JANUARY)) == "quarantined"

    def test_nobody_can_waive_that_a_report_stands_twice(self):
        waiver = OpenWaiver(1, "REPORT_TWICE_IN_FILE", None, None, None, None)
        assert status_of(judge([finding("REPORT_TWICE_IN_FILE")], [waiver], **JANUARY)) == "quarantined"

    def test_finding_on_one_card_quarantines_nothing(self):
        card = Finding("ID01", "value", "hard", "请核对", "check", report_no=1, record_no=7)
        assert status_of(judge([card], [], **JANUARY)) == "accepted_with_warnings"

    def test_outcome_ignores_places_and_wording(self):
        one = Finding(
            "HM01", "report", "hard", "甲", "a", report_no=1, sheet="1", cell="B2", field_code="visits"
        )
        two = Finding(
            "HM01", "report", "hard", "乙", "b", report_no=5, sheet="2", cell="C9", field_code="visits"
        )
        assert outcome_of(judge([one], [], **JANUARY)) == outcome_of(judge([two], [], **JANUARY))


class TestOwnSeverities:
    def judged(self, *severities, rule="HM01", severity="hard"):
        return judge([finding(rule, severity)], [], **JANUARY, severities=severities)

    def test_bureau_lowers_a_rule(self):
        judged = self.judged(OwnSeverity(3, "HM01", None, "soft"))
        assert status_of(judged) == "accepted_with_warnings"
        assert (judged[0].finding.severity, judged[0].severity_id) == ("soft", 3)

    def test_bureau_raises_a_rule(self):
        judged = self.judged(OwnSeverity(3, "HM01", "hosp_monthly", "hard"), severity="soft")
        assert status_of(judged) == "quarantined"

    def test_word_on_the_form_goes_before_one_on_all_forms(self):
        both = (OwnSeverity(3, "HM01", None, "soft"), OwnSeverity(4, "HM01", "hosp_monthly", "hard"))
        assert status_of(self.judged(*both)) == "quarantined"
        assert status_of(self.judged(*both, severity="soft")) == "quarantined"

    @pytest.mark.parametrize(("rule", "form"), [("HM02", None), ("HM01", "idr_monthly")])
    def test_severity_of_another_rule_or_form_does_not_count(self, rule, form):
        judged = self.judged(OwnSeverity(3, rule, form, "soft"))
        assert (judged[0].quarantines, judged[0].severity_id) == (True, None)

    def test_same_severity_is_the_rules_own(self):
        assert self.judged(OwnSeverity(3, "HM01", None, "hard"))[0].severity_id is None

    def test_nobody_can_soften_that_a_report_stands_twice(self):
        judged = self.judged(
            OwnSeverity(3, "REPORT_TWICE_IN_FILE", None, "soft"), rule="REPORT_TWICE_IN_FILE"
        )
        assert status_of(judged) == "quarantined"

    def test_raised_rule_can_still_be_waived(self):
        waiver = OpenWaiver(1, "HM01", None, None, None, None)
        severity = OwnSeverity(3, "HM01", None, "hard")
        judged = judge([finding(severity="soft")], [waiver], **JANUARY, severities=[severity])
        assert status_of(judged) == "accepted_with_warnings"


class TestCopies:
    def test_copy_of_what_stands_holds_its_place_against_content_received_before_the_copy(self):
        stands = known(1, "a", 1, "accepted", confirmed_at=at(5))
        assert decide(History((stands,), 1), content("b", 3)).status == "superseded"
        assert decide(History((stands,), 1), content("b", 6)).becomes_current

    def test_copy_does_not_make_what_stands_newer_than_it_is(self):
        history = History((known(1, "a", 1, "accepted"),), 1)
        decision = decide(history, content("a", 5))
        assert (decision.same_as, decision.becomes_current, decision.superseded) == (1, False, ())

    def test_quarantined_content_that_was_sent_again_waits_on(self):
        waits = known(1, "a", 1, "quarantined", confirmed_at=at(5))
        assert decide(History((waits,)), content("b", 3)).superseded == ()
        assert decide(History((waits,)), content("b", 6)).superseded == (1,)


class TestOlderContent:
    A = known(1, "a", 1, was_accepted=True)

    def test_content_from_before_an_amendment_is_recognised(self):
        history = History((self.A, known(2, "b", 2, "accepted", was_accepted=True)), 2)
        assert history.returns_to(content("a", 5)) == self.A
        assert history.returns_to(content("c", 5)) is None

    def test_content_that_stands_is_not_older(self):
        history = History((known(1, "a", 1, "accepted", was_accepted=True),), 1)
        assert history.returns_to(content("a", 5)) is None

    def test_amendment_that_was_never_accepted_made_nothing_older(self):
        history = History(
            (known(1, "a", 1, "superseded", was_accepted=True), known(2, "b", 2, "quarantined"))
        )
        assert history.returns_to(content("a", 5)) is None

    def test_reading_the_same_arrival_again_finds_the_same(self):
        back = known(3, "a", 5, "accepted", arrival=99, was_accepted=True)
        history = History((self.A, known(2, "b", 2, was_accepted=True), back), 3)
        assert history.returns_to(content("a", 5)) == self.A

    def test_withdrawn_content_is_no_older_content(self):
        history = History(
            (
                known(1, "a", 1, "withdrawn", was_accepted=True),
                known(2, "b", 2, "accepted", was_accepted=True),
            ),
            2,
        )
        assert history.returns_to(content("a", 5)) is None


class TestNewContent:
    def test_first_content_becomes_current(self):
        decision = decide(History(), content("a", 1))
        assert decision.becomes_current
        assert decision.status == "accepted"

    def test_same_content_changes_nothing(self):
        history = History((known(1, "a", 1, "accepted"),), 1)
        assert decide(history, content("a", 5)).same_as == 1

    def test_other_content_supersedes(self):
        history = History((known(1, "a", 1, "accepted"),), 1)
        decision = decide(history, content("b", 5))
        assert decision.becomes_current
        assert decision.superseded == (1,)

    def test_content_that_comes_back_is_a_revision_again(self):
        history = History((known(1, "a", 1), known(2, "b", 2, "accepted")), 2)
        decision = decide(history, content("a", 5))
        assert decision.becomes_current
        assert decision.superseded == (2,)

    def test_older_file_taken_in_later_never_wins(self):
        history = History((known(1, "b", 5, "accepted"),), 1)
        decision = decide(history, content("a", 1))
        assert decision.status == "superseded"
        assert not decision.becomes_current
        assert decision.superseded == ()

    def test_older_file_with_known_content_changes_nothing(self):
        history = History((known(1, "a", 1), known(2, "b", 5, "accepted")), 2)
        assert decide(history, content("a", 2)).same_as == 1


class TestQuarantine:
    def test_quarantined_content_leaves_the_current_revision(self):
        history = History((known(1, "a", 1, "accepted"),), 1)
        decision = decide(history, content("b", 5, status="quarantined"))
        assert decision.status == "quarantined"
        assert not decision.becomes_current
        assert decision.superseded == ()

    def test_same_failure_again_changes_nothing(self):
        history = History((known(1, "a", 1, "quarantined"),))
        assert decide(history, content("a", 5, status="quarantined")).same_as == 1

    def test_failed_first_try_never_makes_the_resend_a_duplicate(self):
        history = History((known(1, "a", 1, "quarantined"),))
        decision = decide(history, content("a", 5, status="accepted"))
        assert decision.becomes_current
        assert decision.superseded == (1,)

    def test_next_broken_try_takes_the_place_of_the_last(self):
        history = History((known(1, "a", 1, "quarantined"),))
        decision = decide(history, content("b", 5, status="quarantined"))
        assert decision.status == "quarantined"
        assert decision.superseded == (1,)

    def test_resending_what_stands_settles_a_broken_amendment(self):
        history = History((known(1, "a", 1, "accepted"), known(2, "b", 2, "quarantined")), 1)
        decision = decide(history, content("a", 5))
        assert decision.same_as == 1
        assert decision.superseded == (2,)

    def test_older_copy_of_what_stands_settles_nothing(self):
        history = History((known(1, "a", 3, "accepted"), known(2, "b", 2, "quarantined")), 1)
        assert decide(history, content("a", 1)).superseded == ()

    def test_two_tables_of_one_file_do_not_supersede_each_other(self):
        history = History((known(1, "a", 5, "quarantined", arrival=99),))
        assert decide(history, content("b", 5, status="quarantined")).superseded == ()


class TestWithdrawal:
    def test_nothing_older_takes_the_place_of_a_withdrawn_revision(self):
        history = History((known(1, "a", 1), known(2, "b", 5, "withdrawn")))
        assert decide(history, content("c", 3)).status == "superseded"

    def test_newer_content_does(self):
        history = History((known(1, "a", 1), known(2, "b", 5, "withdrawn")))
        assert decide(history, content("c", 6)).becomes_current

    def test_withdrawn_content_is_recognised(self):
        history = History((known(1, "a", 1, "withdrawn"),))
        assert history.was_withdrawn("a")
        assert not history.was_withdrawn("b")


class TestReadingAgain:
    def test_same_outcome_changes_nothing(self):
        history = History((known(1, "a", 1, "accepted", arrival=99),), 1)
        assert decide(history, content("a", 1), again=1).same_as == 1

    def test_mended_reading_replaces_the_current_revision(self):
        history = History((known(1, "a", 1, "accepted", arrival=99),), 1)
        decision = decide(history, content("b", 1), again=1)
        assert decision.becomes_current
        assert decision.superseded == (1,)

    def test_mended_rule_lets_a_quarantined_report_in(self):
        history = History((known(1, "a", 1, "quarantined", arrival=99),))
        decision = decide(history, content("a", 1), again=1)
        assert decision.becomes_current
        assert decision.superseded == (1,)

    def test_stricter_rule_quarantines_without_taking_the_number_away(self):
        history = History((known(1, "a", 1, "accepted", arrival=99),), 1)
        decision = decide(history, content("a", 1, status="quarantined"), again=1)
        assert decision.status == "quarantined"
        assert not decision.becomes_current
        assert decision.superseded == ()

    def test_outdated_file_stays_outdated(self):
        history = History((known(1, "a", 1, arrival=99), known(2, "b", 5, "accepted")), 2)
        assert decide(history, content("c", 1), again=1).same_as == 1

    def test_withdrawn_stays_withdrawn(self):
        history = History((known(1, "a", 1, "withdrawn", arrival=99),))
        assert decide(history, content("b", 1), again=1).same_as == 1

    def test_copy_of_a_reread_file_adds_nothing_to_it(self):
        # arrival 99 was a duplicate of revision 1; revision 2 is what reading that file again has just given
        history = History((known(1, "a", 1), known(2, "c", 1, "accepted")), 2)
        assert decide(history, content("c", 4), again=1).same_as == 2
