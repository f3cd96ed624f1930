"""Reports for a time that has not come yet are told, and nothing else is."""

from datetime import date

import polars as pl

from ingestion import premature

RECEIVED, REGISTERED = date(2015, 8, 3), date(2016, 2, 1)


def reports(*periods: tuple[str, date]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"report_no": number, "sheet": "Sheet1", "period_type": kind, "period_start": start}
            for number, (kind, start) in enumerate(periods, start=1)
        ]
    )


def test_a_report_whose_period_has_not_begun_waits_and_one_later_than_its_file_says_is_told():
    found = premature.findings(
        reports(("month", date(2015, 7, 1)), ("month", date(2015, 9, 1)), ("year", date(2051, 1, 1))),
        RECEIVED,
        REGISTERED,
    )
    assert [(one.rule_id, one.severity, one.report_no, one.value) for one in found] == [
        ("PERIOD_NOT_BEGUN", "soft", 2, "2015-09-01"),
        ("PERIOD_NOT_BEGUN", "hard", 3, "2051-01-01"),
    ]
    assert "2015-08-03" in found[0].message_zh
    assert "check year and month" in found[0].message_en


def test_a_period_that_begins_on_the_day_it_is_registered_does_not_wait():
    (found,) = premature.findings(reports(("month", REGISTERED)), RECEIVED, REGISTERED)
    assert found.severity == "soft"


def test_a_period_that_is_not_over_and_events_are_no_news():
    running = reports(("month", date(2015, 8, 1)), ("year", date(2015, 1, 1)), ("event", date(2016, 1, 1)))
    assert premature.findings(running, RECEIVED, REGISTERED) == []
