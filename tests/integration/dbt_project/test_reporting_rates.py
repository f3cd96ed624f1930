"""Rates of reporting quality from reports put in by hand: each of them worked out from what was put in."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from reports import SHANGHAI
from sqlalchemy import text

JANUARY = (date(2015, 1, 1), date(2015, 1, 31))
FEBRUARY = (date(2015, 2, 1), date(2015, 2, 28))
YEAR = (date(2015, 1, 1), date(2015, 12, 31))
COUNTY = "440507"
REQUIRED = (
    "staff_technical",
    "beds_actual",
    "bed_days_open",
    "bed_days_occupied",
    "revenue_medical",
    "visits_total",
    "discharges",
)
COMPLETE_CARD = {
    "disease_code": "1000",
    "diagnosis_time": "2015-01-05 08:00",
    "entry_time": "2015-01-05 10:00",
    "county_audit_time": "2015-01-05 12:00",
    "case_class_1": "3",
    "sex": "1",
    "patient_age_band": "25-29",
    "patient_township": "440507001",
    "patient_belongs": "1",
    "occupation": "07",
    "onset_date": "2015-01-04",
    "report_org": "H1",
    "fill_date": "2015-01-05",
}


@pytest.fixture
def template() -> str:
    """A database with the star's tables: what is built here is what the reports of a test change."""
    return "warehouse_built"


@pytest.fixture
def rate(rows):
    """One rate as the reader sees it: numerator, denominator, value."""

    def told(code, subject=COUNTY, *, form="", period=("year", YEAR[0])):
        (row,) = rows(
            "select numerator, denominator, value, status, reason_zh from published.mart_reporting_rate"
            " where rate_code = :code and subject_code = :subject and form_code = :form"
            " and period_type = :type and period_start = :start",
            code=code,
            subject=subject,
            form=form,
            type=period[0],
            start=period[1],
        )
        return row

    return told


def parts(row):
    """Numerator and denominator of a computed rate."""
    assert row["status"] == "computed" and row["value"] == pytest.approx(
        row["numerator"] * 100 / row["denominator"]
    )
    return row["numerator"], row["denominator"]


def in_time(day):
    return datetime(2015, 2, day, 9, tzinfo=SHANGHAI)


def returned(registry, report, *, waived):
    """The current revision of a report was quarantined for two failed checks; one more was waived."""
    with registry.owner.begin() as connection:
        given = {"report": report}
        current = "(select current_revision_id from registry.report where report_id = :report)"
        connection.execute(
            text(
                "update registry.revision_status set status = 'quarantined'"
                f" where revision_id = {current} and status = 'accepted'"
            ),
            given,
        )
        connection.execute(
            text(f"update registry.revision set status = 'quarantined' where revision_id = {current}"), given
        )
        if waived:
            waiver = connection.scalar(
                text(
                    "insert into registry.waiver (rule_id, owner, reason, expires_on)"
                    " values ('HM02', '科', '理由', '2030-01-01') returning waiver_id"
                )
            )
            for severity, covered in (("hard", None), ("hard", None), ("hard", waiver), ("soft", None)):
                connection.execute(
                    text(
                        "insert into registry.finding (arrival_id, revision_id, rule_id, level, severity, waiver_id,"
                        " message_zh, message_en) select arrival_id, revision_id, 'HM01', 'report', :severity,"
                        f" :waiver, '不符', 'wrong' from registry.revision where revision_id = {current}"
                    ),
                    {**given, "severity": severity, "waiver": covered},
                )


def test_reports_late_returned_amended_and_half_filled(registry, rate, rows):
    full = dict.fromkeys(REQUIRED, 1)
    # Four cells, returned; then seven; then an amendment that leaves two required cells blank, one with a reason.
    returned(
        registry,
        registry.file(
            "hosp_monthly", "H1", *JANUARY, dict.fromkeys(REQUIRED[:4], 1), received_at=in_time(16)
        ),
        waived=True,
    )
    registry.file("hosp_monthly", "H1", *JANUARY, full, received_at=in_time(17))
    registry.file(
        "hosp_monthly",
        "H1",
        *JANUARY,
        dict.fromkeys(REQUIRED[2:], 2) | {"null_reasons": {REQUIRED[0]: "not_collected"}},
        received_at=in_time(25),
    )
    registry.file("hosp_monthly", "P1", *JANUARY, full, received_at=in_time(24))
    registry.due("hosp_monthly", "H1", *JANUARY, date(2015, 2, 20))
    registry.due("hosp_monthly", "P1", *JANUARY, date(2015, 2, 20))
    for unit in ("H1", "P1"):
        registry.due("hosp_monthly", unit, *FEBRUARY, date(2015, 3, 20))
    registry.release()
    month = {"form": "hosp_monthly", "period": ("month", JANUARY[0])}
    assert parts(rate("reporting", **month)) == (2, 2)
    assert parts(rate("timeliness", **month)) == (1, 2)
    assert parts(rate("timeliness", "P1", **month)) == (0, 1)
    assert parts(rate("amendment", **month)) == (1, 2)
    assert parts(rate("return", **month)) == (1, 4)
    assert parts(rate("return", "H1", **month)) == (1, 3)
    # Of the cells filled in: 4, 7, 5 and the reason, which fills none; and 7.
    assert parts(rate("logic_error", **month)) == (2, 4 + 7 + 6 + 7)
    assert parts(rate("item_completeness", **month)) == (6 + 7, 7 + 7)
    # The year puts the months together: nobody sent February, and a county that is silent one month of two.
    assert parts(rate("reporting")) == (2, 4)
    assert parts(rate("silent_counties")) == (1, 2)
    assert parts(rate("silent_counties", "440500")) == parts(rate("silent_counties", "")) == (1, 2)
    assert rate("late_cards")["status"] == "not_applicable"
    index = rate("composite")
    expected = (15 * Decimal(2) / 4 + 15 * Decimal(1) / 4 + 10 * Decimal(1) / 2 + 10 * Decimal(13) / 14) / 50
    assert index["denominator"] == 50
    assert float(index["value"]) == pytest.approx(float(expected * 100))
    assert index["reason_zh"] == "没有值的指标不计，其权重50按比例分给其余指标"


def test_a_report_that_is_returned_later_is_counted_by_the_next_release(registry, rate):
    first = registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 1})
    registry.release()
    assert parts(rate("return")) == (0, 1)
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 2})
    returned(registry, first, waived=False)
    with registry.owner.begin() as connection:
        connection.execute(
            text(
                "update registry.report set current_revision_id ="
                " (select min(revision_id) from registry.revision) where report_id = :report"
            ),
            {"report": first},
        )
    registry.release()
    assert parts(rate("return")) == (1, 2)
    assert parts(rate("amendment")) == (0, 1)


def test_cards_late_repeated_and_incomplete_count_in_the_year_of_diagnosis(registry, rate):
    def card(number, **differs):
        return COMPLETE_CARD | {"card_no": f"K{number}", "patient_key": f"p{number}"} | differs

    registry.file(
        "idr_card",
        COUNTY,
        date(2014, 12, 31),
        date(2015, 1, 20),
        # Of class B 24 hours are given, of cholera 2.
        card(1),
        card(2, entry_time="2015-01-06 08:01", county_audit_time="2015-01-07 08:02"),
        card(3, disease_code="0200", entry_time="2015-01-05 10:01", county_audit_time="2015-01-05 11:00"),
        card(4, county_audit_time=None, occupation=None),
        # The second card of one person, and one that was set aside, lacking what must be given.
        card(5, patient_key="p1", diagnosis_time="2015-01-20 08:00", entry_time="2015-01-20 09:00"),
        card(6, disease_code=None, set_aside="VALUE_MISSING"),
        card(7, diagnosis_time="2014-12-31 08:00", entry_time="2015-01-05 08:00"),
        period_type="event",
        reporter="H1",
    )
    registry.release()
    year = {"form": "idr_card"}
    assert parts(rate("late_cards", **year)) == (2, 5)
    assert parts(rate("late_audits", **year)) == (1, 4)
    assert parts(rate("repeated_cards", "H1", **year)) == (1, 5)
    assert parts(rate("late_cards", **year, period=("year", date(2014, 1, 1)))) == (1, 1)
    # A batch as a whole counts in the year in which it begins. All seven were sent, two with a blank.
    begun = year | {"period": ("year", date(2014, 1, 1))}
    assert parts(rate("card_completeness", **begun)) == (5, 7)
    assert parts(rate("item_completeness", **begun)) == (7 * 12 - 2, 7 * 12)


def test_what_needs_field_checks_comes_from_a_survey_or_says_so(registry, rate):
    registry.file("hosp_monthly", "H1", *JANUARY, {"visits_total": 1})
    registry.file(
        "survey_result",
        COUNTY,
        *YEAR,
        {"survey_code": "传染病报告质量调查", "item": "准确率", "sample_size": 350, "weighted_rate": 78.85},
        {"survey_code": "死亡漏报调查", "item": "死亡漏报率", "sample_size": 900, "weighted_rate": 5.1},
        {"survey_code": "居民健康素养监测", "item": "一致率", "sample_size": 3200, "weighted_rate": 14},
        period_type="year",
        reporter="H1",
    )
    registry.release()
    accuracy = rate("accuracy")
    assert (accuracy["status"], accuracy["numerator"], accuracy["denominator"], accuracy["value"]) == (
        "surveyed",
        None,
        350,
        Decimal("78.85"),
    )
    assert rate("missed_deaths")["value"] == Decimal("5.1")
    for code, subject in (("agreement", COUNTY), ("missed_cases", COUNTY), ("accuracy", "")):
        told = rate(code, subject)
        assert (told["status"], told["value"]) == ("not_measured", None)
        assert "现场核查" in told["reason_zh"]
    # 1 of 7 required items of the month, all of the survey's: what is measured carries the index alone.
    index = rate("composite")
    assert index["denominator"] == 20
    items = Decimal(1 + 9) / (7 + 9)
    assert float(index["value"]) == pytest.approx(float(10 * items + 10 * Decimal("0.7885")) * 100 / 20)
