"""What only the history of a report can tell: stale copies, old files sent again, copies of what stands."""

from datetime import date, timedelta

from ingestion import registry

JULY, AUGUST = date(2015, 7, 1), date(2015, 8, 1)


def rules(bureau) -> list[tuple[str, str, str]]:
    return [
        (one.rule_id, one.severity, one.level)
        for one in registry.findings(bureau.loader)
        if one.level == "history"
    ]


class TestStaleCopies:
    def test_numbers_of_last_month_under_this_months_name_are_a_warning(self, bureau):
        bureau.send("7.csv", bureau.row(month="2015-07"))
        bureau.take_in()
        bureau.send("8.csv", bureau.row(month="2015-08"))
        bureau.take_in()
        assert rules(bureau) == [("STALE_COPY", "soft", "history")]
        assert bureau.revisions(month=AUGUST) == [(1, "accepted_with_warnings")]

    def test_one_number_that_differs_is_no_copy(self, bureau):
        bureau.send("7.csv", bureau.row(month="2015-07"))
        bureau.send("8.csv", bureau.row(month="2015-08", visits=2001))
        bureau.take_in()
        assert rules(bureau) == []

    def test_both_months_in_one_file_are_compared_too(self, bureau):
        bureau.send("a.csv", bureau.row(month="2015-08"), bureau.row(month="2015-07"), day=210)
        bureau.take_in()
        assert rules(bureau) == [("STALE_COPY", "soft", "history")]
        assert bureau.revisions(month=JULY) == [(1, "accepted")]

    def test_other_units_and_quarantined_months_do_not_count(self, bureau):
        bureau.send("a.csv", bureau.row("T-2", "2015-07"), bureau.row("T-1", "2015-07", outpatient=9999))
        bureau.send("b.csv", bureau.row("T-1", "2015-08"))
        bureau.take_in()
        assert rules(bureau) == []

    def test_reports_of_nothing_may_stay_the_same(self, bureau):
        zero = dict.fromkeys(("staff", "beds", "bed_days_open", "bed_days_occupied", "revenue"), 0)
        zero |= dict.fromkeys(("visits", "outpatient", "discharges"), 0)
        for month in ("2015-07", "2015-08"):
            bureau.send(f"{month}.csv", bureau.row(month=month, **zero))
        bureau.take_in()
        assert "STALE_COPY" not in [rule for rule, _, _ in rules(bureau)]


class TestOldFiles:
    def test_old_file_sent_again_after_its_amendment_counts_and_is_told(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row(visits=2100))
        bureau.take_in()
        bureau.send("a2.csv", bureau.row())
        bureau.take_in()
        assert bureau.visits() == 2000
        assert bureau.revisions()[-1] == (3, "accepted_with_warnings")
        assert rules(bureau) == [("OLDER_CONTENT", "soft", "history")]

    def test_amendment_of_an_amendment_is_nothing_old(self, bureau):
        for number in range(3):
            bureau.send(f"{number}.csv", bureau.row(visits=2000 + number))
        bureau.take_in()
        assert rules(bureau) == []


class TestCopies:
    def test_copy_is_logged_as_an_arrival_and_moves_nothing(self, bureau):
        bureau.send("a.csv", bureau.row(), day=1)
        bureau.take_in()
        bureau.send("copy.csv", bureau.row(), day=40)
        assert bureau.take_in().by_status == {"duplicate": 1}
        assert bureau.value("select received_at from registry.revision") == bureau.begin + timedelta(days=1)
        assert bureau.rows(
            "select a.file_name, a.received_at - :begin from registry.arrival_report"
            " join registry.arrival a using (arrival_id) order by 1",
            begin=bureau.begin,
        ) == [("a.csv", timedelta(days=1)), ("copy.csv", timedelta(days=40))]
        assert bureau.value("select count(*) from registry.change") == 1

    def test_file_from_before_the_copy_that_comes_in_late_does_not_win(self, bureau):
        bureau.send("a.csv", bureau.row(), day=1)
        bureau.send("copy.csv", bureau.row(), day=5)
        bureau.take_in()
        bureau.send("between.csv", bureau.row(visits=2100), day=3)
        assert bureau.take_in().reports == {"outdated": 1}
        assert bureau.visits() == 2000
