import json
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingestion import registry
from ingestion.form import period_bounds
from ingestion.forms_catalogue import load_forms
from ingestion.obligations import Timeliness, mark_due, timeliness
from warehouse.cli import app

HEAD = "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
GRACE = HEAD.replace("reason\n", "reason,grace_days\n")
IDR = "地区代码,月份,病种,发病数,死亡数\n"


def due(bureau) -> list[tuple[str, str, date, date]]:
    return [
        tuple(row)
        for row in bureau.rows(
            "select r.form_code, r.subject_code, r.period_start, o.due_on"
            " from registry.obligation o join registry.report r using (report_id) order by 1, 2, 3"
        )
    ]


def test_monthly_form_falls_due_on_the_20th_of_the_next_month(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,,\n")
    assert mark_due(bureau.loader, date(2015, 2, 19)) == 0
    assert mark_due(bureau.loader, date(2015, 2, 20)) == 1
    assert due(bureau) == [("hosp_monthly", "T-1", date(2015, 1, 1), date(2015, 2, 20))]
    assert mark_due(bureau.loader, date(2015, 4, 1)) == 1


def test_every_new_obligation_is_told_to_the_next_release_once(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2016-01-01,\n")
    assert mark_due(bureau.loader, date(2020, 1, 1)) == 12
    before = bureau.state()
    assert before["change"] == 12
    assert mark_due(bureau.loader, date(2020, 1, 1)) == 0
    assert bureau.state() == before


def test_maternal_year_falls_due_on_12_october(bureau):
    bureau.site(
        duties_csv=HEAD + "mch_maternal_annual,region,440507,T-9,2014-10-01,2015-10-01,\n"
        "inst_annual_hospital,organization,T-1,T-1,2015-01-01,2016-01-01,\n"
    )
    mark_due(bureau.loader, date(2016, 12, 31))
    assert due(bureau) == [
        ("inst_annual_hospital", "T-1", date(2015, 1, 1), date(2016, 1, 20)),
        ("mch_maternal_annual", "440507", date(2014, 10, 1), date(2015, 10, 12)),
    ]


def test_duty_covers_the_periods_on_whose_last_day_it_holds(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-10,2015-03-10,\n")
    mark_due(bureau.loader, date(2015, 12, 31))
    assert [start for _, _, start, _ in due(bureau)] == [date(2015, 1, 1), date(2015, 2, 1)]


def test_closed_unit_owes_nothing(bureau):
    closed = [*bureau.organizations, "T-1,2015-02-10,close,,,,"]
    bureau.site(
        organizations_csv="\n".join(closed) + "\n",
        duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-05-01,\n",
    )
    mark_due(bureau.loader, date(2015, 12, 31))
    assert [start for _, _, start, _ in due(bureau)] == [date(2015, 1, 1), date(2015, 2, 1)]


def test_corrected_duty_takes_its_obligations_back(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-04-01,\n")
    mark_due(bureau.loader, date(2015, 12, 31))
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-9,2015-01-01,2015-03-01,筹建\n")
    assert mark_due(bureau.loader, date(2015, 12, 31)) == 3
    assert bureau.rows("select distinct exempt_reason from registry.obligation") == [("筹建",)]
    assert len(due(bureau)) == 2
    assert bureau.value("select count(*) from registry.change where cause = 'no longer due'") == 1


def test_received_report_and_obligation_are_one_report(bureau):
    bureau.site(duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-02-01,\n")
    bureau.send("a.csv", bureau.row())
    bureau.take_in()
    mark_due(bureau.loader, date(2015, 12, 31))
    assert bureau.rows("select current_revision_id is not null from registry.report") == [(True,)]


def rates(bureau, **scope) -> dict[tuple[str, date], Timeliness]:
    found = timeliness(bureau.settings, bureau.loader, **scope)
    return {(one.form_code, one.period_end): one for one in found}


class TestKindsOfPeriods:
    def test_quarters_of_the_calendar_and_of_the_maternal_year_are_the_same_quarters(self, bureau):
        bureau.site(
            duties_csv=HEAD + "blood_quarterly,organization,T-1,T-1,2015-01-01,2016-01-01,\n"
            "mch_maternal_quarterly,region,440507,T-9,2014-10-01,2015-10-01,\n"
        )
        mark_due(bureau.loader, date(2016, 12, 31))
        assert [(form, start, on) for form, _, start, on in due(bureau)] == [
            ("blood_quarterly", date(2015, 1, 1), date(2015, 4, 15)),
            ("blood_quarterly", date(2015, 4, 1), date(2015, 7, 15)),
            ("blood_quarterly", date(2015, 7, 1), date(2015, 10, 15)),
            ("blood_quarterly", date(2015, 10, 1), date(2016, 1, 15)),
            ("mch_maternal_quarterly", date(2014, 10, 1), date(2015, 1, 10)),
            ("mch_maternal_quarterly", date(2015, 1, 1), date(2015, 4, 10)),
            ("mch_maternal_quarterly", date(2015, 4, 1), date(2015, 7, 10)),
            ("mch_maternal_quarterly", date(2015, 7, 1), date(2015, 10, 10)),
        ]

    def test_cumulative_quarters_all_begin_with_the_year(self, bureau):
        bureau.site(duties_csv=HEAD + "bphs_quarterly,organization,T-1,T-1,2015-01-01,2016-01-01,\n")
        mark_due(bureau.loader, date(2016, 12, 31))
        assert bureau.rows(
            "select period_start, period_end, due_on from registry.obligation"
            " join registry.report using (report_id) order by 2"
        ) == [
            (date(2015, 1, 1), date(2015, 3, 31), date(2015, 4, 5)),
            (date(2015, 1, 1), date(2015, 6, 30), date(2015, 7, 5)),
            (date(2015, 1, 1), date(2015, 9, 30), date(2015, 10, 5)),
            (date(2015, 1, 1), date(2015, 12, 31), date(2016, 1, 5)),
        ]

    def test_what_comes_as_events_is_never_due(self, bureau):
        bureau.site(duties_csv=HEAD + "idr_card,region,440507,T-9,2015-01-01,,\n")
        assert mark_due(bureau.loader, date(2016, 12, 31)) == 0

    def test_every_form_with_a_due_rule_falls_due_as_its_rule_says(self, bureau):
        forms = [
            form for form in load_forms(bureau.settings).values() if form.due and form.period.type != "event"
        ]
        subject = {"organization": "organization,T-1", "region": "region,440507"}
        lines = [f"{f.code},{subject[f.subject.type]},T-9,2014-10-01,2016-01-01,\n" for f in forms]
        bureau.site(duties_csv=HEAD + "".join(lines))
        mark_due(bureau.loader, date(2017, 12, 31))
        rows = bureau.rows(
            "select form_code, period_end, due_on from registry.obligation join registry.report using (report_id)"
        )
        by_code = {form.code: form for form in forms}
        assert {form for form, _, _ in rows} == set(by_code)
        assert all(by_code[form].due_on(end) == on for form, end, on in rows)


class TestSpells:
    def test_unit_owes_from_the_period_in_which_it_opens(self, bureau):
        opened = [line.replace("T-1,2010-01-01", "T-1,2015-03-20") for line in bureau.organizations]
        bureau.site(
            organizations_csv="\n".join(opened) + "\n",
            duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-06-01,\n",
        )
        mark_due(bureau.loader, date(2015, 12, 31))
        assert [start.month for _, _, start, _ in due(bureau)] == [3, 4, 5]

    def test_unit_that_reopens_owes_again(self, bureau):
        events = [*bureau.organizations, "T-1,2015-02-10,close,,,,", "T-1,2015-05-20,reopen,,,,"]
        bureau.site(
            organizations_csv="\n".join(events) + "\n",
            duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-08-01,\n",
        )
        mark_due(bureau.loader, date(2015, 12, 31))
        assert [start.month for _, _, start, _ in due(bureau)] == [1, 2, 5, 6, 7]

    def test_several_duties_of_one_unit_follow_each_other(self, bureau):
        bureau.site(
            duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-03-01,\n"
            "hosp_monthly,organization,T-1,T-9,2015-05-01,2015-07-01,整改\n"
        )
        mark_due(bureau.loader, date(2015, 12, 31))
        assert [start.month for _, _, start, _ in due(bureau)] == [1, 2, 5, 6]
        assert bureau.rows(
            "select exempt_reason, count(*) from registry.obligation group by 1 order by 1"
        ) == [
            ("整改", 2),
            (None, 2),
        ]


class TestDaysOff:
    def due_in(self, bureau, holidays: str, grace: str = "") -> tuple[date, date | None]:
        bureau.site(
            duties_csv=GRACE + f"hosp_monthly,organization,T-1,T-1,2015-08-01,2015-09-01,,{grace}\n",
            holidays_csv=holidays,
        )
        mark_due(bureau.loader, date(2016, 12, 31))
        return bureau.rows("select due_on, grace_until from registry.obligation")[0]

    @pytest.mark.parametrize(
        ("holidays", "moved"),
        [
            # 20 September 2015 is a Sunday.
            ("date\n", date(2015, 9, 20)),
            ("date\n2016-10-01\n", date(2015, 9, 20)),
            ("date\n2015-10-01\n", date(2015, 9, 21)),
            ("date,working\n2015-10-01,\n2015-09-20,是\n", date(2015, 9, 20)),
            ("date\n2015-09-21\n2015-09-22\n", date(2015, 9, 23)),
        ],
    )
    def test_due_date_moves_to_the_next_day_that_is_worked(self, bureau, holidays, moved):
        assert self.due_in(bureau, holidays) == (moved, None)

    def test_days_of_grace_count_from_the_moved_date(self, bureau):
        assert self.due_in(bureau, "date\n2015-10-01\n", "5") == (date(2015, 9, 21), date(2015, 9, 26))

    def test_days_off_learnt_later_move_what_was_due(self, bureau):
        self.due_in(bureau, "date\n")
        assert self.due_in(bureau, "date\n2015-10-01\n")[0] == date(2015, 9, 21)
        assert bureau.value("select count(*) from registry.change") == 2


class TestFulfilment:
    def duty(self, bureau, grace: str = "") -> None:
        lines = [
            f"hosp_monthly,organization,{unit},{unit},2015-01-01,2015-02-01,,{grace}\n"
            for unit in ("T-1", "T-2")
        ]
        bureau.site(duties_csv=GRACE + "".join(lines))
        mark_due(bureau.loader, date(2015, 12, 31))

    def january(self, bureau) -> Timeliness:
        return rates(bureau)["hosp_monthly", date(2015, 1, 31)]

    def test_on_time_and_missing(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(), day=9)  # 19 February
        bureau.take_in()
        found = self.january(bureau)
        assert (found.due, found.on_time, found.missing, found.reporting_rate) == (2, 1, 1, 0.5)

    def test_copy_sent_after_the_due_date_makes_nothing_late(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(), day=9)
        bureau.send("copy.csv", bureau.row(), day=40)
        bureau.take_in()
        found = self.january(bureau)
        assert (found.on_time, found.late) == (1, 0)

    def test_amendment_after_the_due_date_makes_nothing_late(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(), day=9)
        bureau.send("b.csv", bureau.row(visits=2100), day=40)
        bureau.take_in()
        assert self.january(bureau).on_time == 1

    def test_report_that_was_quarantined_until_after_the_due_date_is_late(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(outpatient=9999), day=9)
        bureau.send("b.csv", bureau.row(), day=40)
        bureau.take_in()
        assert self.january(bureau).late == 1

    def test_late_begins_after_the_days_of_grace(self, bureau):
        self.duty(bureau, grace="3")
        bureau.send("a.csv", bureau.row(), day=13)  # 23 February
        bureau.send("b.csv", bureau.row("T-2"), day=14)
        bureau.take_in()
        found = self.january(bureau)
        assert (found.on_time, found.late) == (1, 1)

    def test_all_zero_is_as_empty_as_all_blank(self, bureau):
        self.duty(bureau)
        numbers = [key for key in bureau.columns if key not in ("code", "month")]
        bureau.send(
            "zero.csv",
            bureau.row(**dict.fromkeys(numbers, 0)),
            bureau.row("T-2", **dict.fromkeys(numbers, "")),
        )
        bureau.take_in()
        found = self.january(bureau)
        assert (found.empty, found.received, found.on_time, found.reporting_rate) == (2, 2, 0, 1.0)

    def test_withdrawn_report_is_missing_again(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(), day=9)
        bureau.take_in()
        report = bureau.value("select report_id from registry.report where subject_code = 'T-1'")
        registry.withdraw(bureau.loader, report, "数据有误", "统计科")
        assert self.january(bureau).missing == 2

    def test_report_that_nobody_owed_raises_no_rate(self, bureau):
        self.duty(bureau)
        bureau.send("a.csv", bureau.row(), bureau.row("T-2"), bureau.row("T-9"))
        bureau.take_in()
        found = self.january(bureau)
        assert (found.due, found.received) == (2, 2)


def test_command_prints_counts_and_rates(bureau):
    bureau.site(
        duties_csv=HEAD + "hosp_monthly,organization,T-1,T-1,2015-01-01,2015-02-01,\n"
        "hosp_monthly,organization,T-2,T-2,2015-01-01,2015-02-01,停业整顿\n"
    )
    mark_due(bureau.loader, date(2015, 12, 31))
    bureau.send("a.csv", bureau.row(), day=9)
    bureau.take_in()
    (row,) = json.loads(CliRunner().invoke(app, ["timeliness", "--form", "hosp_monthly", "--json"]).stdout)
    assert (row["due"], row["on_time"], row["exempt"], row["reporting_rate"]) == (1, 1, 1, 1.0)
    assert "100.0%" in CliRunner().invoke(app, ["timeliness"]).stdout


class TestParts:
    """The diseases come as one bulletin, or as a file of cases and one of deaths."""

    def duty(self, bureau) -> None:
        bureau.site(duties_csv=HEAD + "idr_monthly,region,440507,T-9,2015-01-01,2015-02-01,\n")
        mark_due(bureau.loader, date(2015, 12, 31))

    def part(self, bureau, name: str, day: int) -> None:
        wide = "月份,鼠疫,霍乱,麻疹\n2015-01,0,3,5\n"
        bureau.send_bytes(name, wide.encode(), day=day, source="cdc")
        bureau.take_in("cdc")

    def january(self, bureau) -> Timeliness:
        return rates(bureau)["idr_monthly", date(2015, 1, 31)]

    def test_one_part_alone_fulfils_nothing(self, bureau):
        self.duty(bureau)
        self.part(bureau, "2015-01_cases.csv", -5)
        assert bureau.rows("select part from registry.report where current_revision_id is not null") == [
            ("cases",)
        ]
        assert self.january(bureau).missing == 1

    def test_both_parts_fulfil_it_when_the_last_has_come(self, bureau):
        self.duty(bureau)
        self.part(bureau, "2015-01_cases.csv", -5)
        self.part(bureau, "2015-01_deaths.csv", 20)
        found = self.january(bureau)
        assert (found.due, found.late, found.missing) == (1, 1, 0)
        (whole,) = [one for one in registry.reports(bureau.loader) if one.part == ""]
        assert whole.status == "in_parts"

    def test_the_bulletin_fulfils_it_alone(self, bureau):
        self.duty(bureau)
        bureau.send_bytes("a.csv", (IDR + "440507,2015-01,霍乱,3,0\n").encode(), day=-5, source="cdc")
        bureau.take_in("cdc")
        assert self.january(bureau).on_time == 1

    def test_next_release_hears_of_the_whole_when_a_part_comes_or_goes(self, bureau):
        self.duty(bureau)
        whole = bureau.value("select report_id from registry.obligation")
        told = "select count(*) from registry.change where report_id = :whole"
        before = bureau.value(told, whole=whole)
        self.part(bureau, "2015-01_cases.csv", -5)
        assert bureau.value(told, whole=whole) == before + 1
        part = bureau.value("select report_id from registry.report where part = 'cases'")
        registry.withdraw(bureau.loader, part, "数据有误", "统计科")
        assert bureau.value(told, whole=whole) == before + 2


DAYS = st.dates(date(2014, 11, 1), date(2016, 3, 31))


@st.composite
def bureaus(draw) -> tuple[list[str], list[str], list[tuple[str, int, int]]]:
    """Openings and closings of two units, their duties one after another, and reports of any month of 2015."""
    events, duties = [], []
    for unit in ("T-1", "T-2"):
        days = sorted(draw(st.sets(DAYS, min_size=1, max_size=5)))
        kinds = ["open", "close", "reopen", "close", "reopen"]
        events += [
            f"{unit},{day},{kind},{'构造' + unit if number == 0 else ''},{'A100' if number == 0 else ''},"
            f"{'440507' if number == 0 else ''},"
            for number, (day, kind) in enumerate(zip(days, kinds, strict=False))
        ]
        edges = sorted(draw(st.sets(DAYS, min_size=2, max_size=6)))
        for first, last in list(zip(edges[::2], edges[1::2], strict=False)):
            exempt = draw(st.sampled_from(["", "", "停业整顿"]))
            duties.append(
                f"hosp_monthly,organization,{unit},{unit},{first},{last},{exempt},{draw(st.integers(0, 9))}\n"
            )
    sent = draw(
        st.lists(
            st.tuples(st.sampled_from(["T-1", "T-2"]), st.integers(1, 12), st.integers(0, 400)), max_size=6
        )
    )
    return events, duties, sent


def owed(events: list[str], duties: list[str], unit: str, month: int) -> bool:
    """Whether a unit owes a month of 2015, told day by day."""
    start, end = period_bounds("month", 2015, month)
    kinds = {date.fromisoformat(e.split(",")[1]): e.split(",")[2] for e in events if e.startswith(unit)}

    def is_open(day: date) -> bool:
        before = [at for at in kinds if at <= day]
        return bool(before) and kinds[max(before)] != "close"

    spells = [line.split(",")[4:6] for line in duties if f",{unit}," in line]
    on_duty = any(date.fromisoformat(first) <= end < date.fromisoformat(last) for first, last in spells)
    return on_duty and any(is_open(start + timedelta(days=n)) for n in range((end - start).days + 1))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bureaus())
def test_whatever_the_spells_obligations_are_those_and_no_rate_exceeds_100_per_cent(bureau, drawn):
    events, duties, sent = drawn
    with bureau.owner.begin() as connection:
        connection.exec_driver_sql(
            "truncate registry.report, registry.organization, registry.duty, registry.arrival, registry.file"
            " restart identity cascade; truncate raw.hosp_monthly"
        )
    bureau.site(
        organizations_csv="\n".join([bureau.organizations[0], *events, bureau.organizations[3]]) + "\n",
        duties_csv=GRACE + "".join(duties),
    )
    bureau.sent += 1
    for number, (unit, month, visits) in enumerate(sent):
        bureau.send(f"{bureau.sent}-{number}.csv", bureau.row(unit, f"2015-{month:02}", visits=2000 + visits))
    bureau.take_in()
    mark_due(bureau.loader, date(2017, 1, 1))
    asked = {
        (unit, month)
        for unit in ("T-1", "T-2")
        for month in range(1, 13)
        if owed(events, duties, unit, month)
    }
    assert {(unit, start.month) for _, unit, start, _ in due(bureau) if start.year == 2015} == asked
    for one in timeliness(bureau.settings, bureau.loader):
        assert one.due == one.received + one.missing
        assert one.reporting_rate is None or 0 <= one.reporting_rate <= 1
        assert one.on_time_rate is None or one.on_time_rate <= one.reporting_rate
    received = {(unit, month) for unit, month, _ in sent if bureau.visits(unit, date(2015, month, 1))}
    assert sum(one.received + one.exempt for one in timeliness(bureau.settings, bureau.loader)) >= len(
        received & asked
    )
