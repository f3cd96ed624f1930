import os
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import text

from ingestion import inbox, intake, recording, registry
from ingestion.errors import UnrecognisedFile
from ingestion.forms_catalogue import load_forms


class TestAccepting:
    def test_good_report_becomes_current_and_is_told_to_the_next_release(self, bureau):
        bureau.send("a.csv", bureau.row())
        result = bureau.take_in()
        assert result.summary() == {"files": {"taken_in": 1}, "reports": {"new": 1}, "findings": 0}
        assert bureau.revisions() == [(1, "accepted")]
        assert bureau.visits() == 2000
        assert bureau.rows("select cause, release_id, from_revision_id from registry.change") == [
            ("received: a.csv", None, None)
        ]

    def test_received_at_is_the_time_of_the_file_in_the_inbox(self, bureau):
        bureau.send("a.csv", bureau.row(), day=3)
        bureau.take_in()
        assert bureau.value("select received_at from registry.revision") == bureau.begin + timedelta(days=3)

    def test_every_cell_can_be_named(self, bureau):
        bureau.send("a.csv", bureau.row(), bureau.row("T-2"))
        bureau.take_in()
        cell = bureau.value(
            "select registry.cell_name("
            " coalesce(w.source_row, p.source_row), coalesce(w.source_column, p.source_column))"
            " from raw.hosp_monthly w join registry.revision v using (revision_id)"
            " join registry.report r using (report_id)"
            " join registry.field_position p on p.arrival_id = v.arrival_id and p.sheet = w.source_sheet"
            " where r.subject_code = 'T-2' and p.field_code = 'visits_total'"
        )
        assert cell == "H3"

    def test_reporter_is_the_unit_itself_unless_source_or_duty_say_otherwise(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"), source="bureau")
        bureau.take_in()
        bureau.take_in("bureau")
        assert bureau.rows(
            "select r.subject_code, o.organization_code from registry.revision v"
            " join registry.report r using (report_id)"
            " join registry.organization o on o.organization_key = v.reporter_key"
            " order by 1"
        ) == [("T-1", "T-1"), ("T-2", "T-9")]


class TestSameAndOtherContent:
    def test_same_file_is_not_waiting_twice(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        before = bureau.state()
        assert inbox.waiting(bureau.settings, bureau.source()) == []
        assert bureau.take_in() == intake.IntakeResult()
        assert bureau.state() == before

    def test_same_content_in_another_format_changes_nothing(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        reordered = bureau.row(visits="2,000")
        content = (
            ";".join(bureau.columns.values()) + "\n" + ";".join(str(reordered[key]) for key in bureau.columns)
        )
        bureau.send_bytes("重报.csv", content.encode("gb18030"))
        result = bureau.take_in()
        assert result.by_status == {"duplicate": 1}
        assert bureau.revisions() == [(1, "accepted")]
        assert bureau.value("select count(*) from registry.change") == 1
        assert bureau.value("select count(*) from registry.arrival_report") == 2

    def test_amended_report_is_the_next_revision_and_supersedes(self, bureau):
        bureau.send("a.csv", bureau.row(), bureau.row("T-2"))
        bureau.take_in()
        bureau.send("b.csv", bureau.row(visits=2100), bureau.row("T-2"))
        result = bureau.take_in()
        assert result.reports == {"revised": 1, "unchanged": 1}
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]
        assert bureau.revisions("T-2") == [(1, "accepted")]
        assert bureau.visits() == 2100
        assert bureau.rows(
            "select revision_no, s.status from registry.revision_status s join registry.revision using (revision_id)"
            " join registry.report r using (report_id) where r.subject_code = 'T-1' order by s.at"
        ) == [(1, "received"), (2, "received"), (1, "accepted"), (2, "accepted"), (1, "superseded")]

    def test_files_count_in_the_order_they_were_received(self, bureau):
        bureau.send("b-original.csv", bureau.row(), day=1)
        bureau.send("a-amended.csv", bureau.row(visits=2100), day=2)
        bureau.take_in()
        assert bureau.visits() == 2100

    def test_original_that_is_taken_in_after_its_amendment_does_not_win(self, bureau):
        bureau.send("amended.csv", bureau.row(visits=2100), day=5)
        bureau.take_in()
        bureau.send("original.csv", bureau.row(), day=1)
        assert bureau.take_in().reports == {"outdated": 1}
        assert bureau.visits() == 2100
        assert bureau.revisions() == [(1, "accepted"), (2, "superseded")]

    def test_two_reporters_for_one_report_are_a_warning(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("b.csv", bureau.row(visits=2100), source="bureau")
        bureau.take_in("bureau")
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted_with_warnings")]
        assert bureau.rows("select rule_id, severity from registry.finding") == [("TWO_REPORTERS", "soft")]

    def test_two_reporters_of_the_same_content_are_a_warning_without_a_revision(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("b.csv", bureau.row(), source="bureau")
        bureau.take_in("bureau")
        assert bureau.revisions() == [(1, "accepted")]
        assert bureau.rows("select rule_id, revision_id from registry.finding") == [("TWO_REPORTERS", None)]


class TestQuarantine:
    def test_broken_report_leaves_its_neighbours_alone(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999), bureau.row("T-2"))
        assert bureau.take_in().reports == {"quarantined": 1, "new": 1}
        assert bureau.revisions() == [(1, "quarantined")]
        assert bureau.visits() is None
        assert bureau.visits("T-2") == 2000

    def test_row_that_names_no_unit_leaves_its_neighbours_alone(self, bureau):
        bureau.site()
        bureau.send("all.csv", bureau.row("T-1"), bureau.row(""), bureau.row("T-2", month="2015年某月"))
        result = bureau.take_in()
        assert result.reports == {"new": 1}
        (file,) = registry.unplaced(bureau.loader)
        assert {one.rule_id for one in file.findings} == {"SUBJECT_MISSING", "PERIOD_UNREADABLE"}

    def test_broken_amendment_keeps_the_earlier_revision(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("b.csv", bureau.row(visits=2100, outpatient=9999))
        bureau.take_in()
        assert bureau.revisions() == [(1, "accepted"), (2, "quarantined")]
        assert bureau.visits() == 2000
        # That it came back is told by the next release; no number moves.
        assert bureau.rows(
            "select r.from_revision_id is null, r.from_revision_id is not distinct from r.to_revision_id"
            " from registry.change as r order by r.change_id"
        ) == [(True, False), (False, True)]

    def test_what_is_returned_of_a_report_that_nobody_sees_changes_nothing(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        assert bureau.take_in().reports == {"quarantined": 1}
        assert bureau.rows("select 1 from registry.change") == []

    def test_clerk_reads_rule_cell_and_message(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        (held,) = registry.quarantine(bureau.loader)
        (finding,) = held.findings
        assert (held.subject_code, held.file_name, held.earlier_stands) == ("T-1", "a.csv", False)
        assert (finding.rule_id, finding.severity, finding.cell) == ("HM01", "hard", "I2")
        assert "门诊和急诊人次数不能大于总诊疗人次数" in finding.message_zh

    def test_same_broken_content_again_writes_nothing_new(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        bureau.send("b.csv", bureau.row(outpatient=9999))
        result = bureau.take_in()
        assert result.by_status == {"duplicate": 1}
        assert bureau.revisions() == [(1, "quarantined")]
        # Nobody shall take it for a file without faults.
        detail = "1 unchanged; findings are those of a.csv, revision 1 (1)"
        assert [file.detail for file in result.files] == [detail]
        assert bureau.value("select detail from registry.arrival where file_name = 'b.csv'") == detail

    def test_mended_report_settles_the_quarantine(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        bureau.send("b.csv", bureau.row())
        bureau.take_in()
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]
        assert registry.quarantine(bureau.loader) == []

    def test_clock_of_a_sender_that_is_ahead_does_not_beat_later_files(self, bureau):
        bureau.send("a.csv", bureau.row(), day=200 * 365)
        bureau.take_in()
        assert bureau.value("select received_at <= now() from registry.arrival")
        assert inbox.waiting(bureau.settings, bureau.source()) == []
        path = bureau.settings.inbox / "hospital" / "b.csv"
        bureau.send("b.csv", bureau.row(visits=2100))
        os.utime(path)
        intake.take_in(bureau.settings, bureau.source(), inbox.given([path]))
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]

    def test_same_report_twice_in_a_file_is_never_taken_silently(self, bureau):
        bureau.send("a.csv", bureau.row(), bureau.row(visits=2100), bureau.row("T-2"))
        assert bureau.take_in().reports == {"quarantined": 1, "new": 1}
        assert [f.rule_id for held in registry.quarantine(bureau.loader) for f in held.findings] == [
            "REPORT_TWICE_IN_FILE"
        ]

    def test_one_unit_under_two_names_in_a_file_is_twice_the_same_report(self, bureau):
        bureau.send("a.csv", bureau.row("T-1"), bureau.row("构造甲医院", visits=2100))
        assert bureau.take_in().reports == {"quarantined": 2}
        assert {f.rule_id for held in registry.quarantine(bureau.loader) for f in held.findings} >= {
            "REPORT_TWICE_IN_FILE"
        }
        assert bureau.visits() is None


class TestUnits:
    def test_unknown_unit_is_named_with_similar_ones_and_the_rest_goes_on(self, bureau):
        bureau.send("a.csv", bureau.row("构造甲医完"), bureau.row("T-2"))
        assert bureau.take_in().reports == {"unplaced": 1, "new": 1}
        (file,) = registry.unplaced(bureau.loader)
        (finding,) = file.findings
        assert (finding.rule_id, finding.value) == ("UNIT_UNKNOWN", "构造甲医完")
        assert "构造甲医院（T-1）" in finding.message_zh

    def test_name_is_resolved_as_of_the_period(self, bureau):
        renamed = [*bureau.organizations, "T-1,2015-02-01,rename,构造中心医院,,,"]
        bureau.site(organizations_csv="\n".join(renamed) + "\n")
        bureau.send(
            "a.csv", bureau.row("构造甲医院"), bureau.row("构造中心医院", "2015-02", bed_days_open=1400)
        )
        assert bureau.take_in().reports == {"new": 2}
        assert bureau.value("select count(*) from registry.finding") == 0


class TestWaivers:
    WAIVER = (
        "- {rule: HM01, form: hosp_monthly, subject: T-1, owner: 统计科, reason: 已核实, expires_on: %s}\n"
    )

    def test_waived_failure_is_accepted_with_warnings_and_stays_on_record(self, bureau):
        bureau.site(waivers_yml=self.WAIVER % "2099-12-31")
        bureau.send("a.csv", bureau.row(outpatient=9999), bureau.row("T-2", outpatient=9999))
        assert bureau.take_in().reports == {"new": 1, "quarantined": 1}
        assert bureau.revisions() == [(1, "accepted_with_warnings")]
        assert bureau.rows(
            "select r.subject_code, f.severity, f.waiver_id is not null from registry.finding f"
            " join registry.report r using (report_id) order by 1"
        ) == [("T-1", "hard", True), ("T-2", "hard", False)]

    def test_expired_waiver_no_longer_counts(self, bureau):
        bureau.site(waivers_yml=self.WAIVER % "2020-12-31")
        bureau.send("a.csv", bureau.row(outpatient=9999))
        assert bureau.take_in().reports == {"quarantined": 1}


class TestHistory:
    def send_month(self, bureau, month: int, **values) -> None:
        days = (date(2015 + month // 12, month % 12 + 1, 1) - date(2015, month, 1)).days
        row = bureau.row(month=f"2015-{month:02}", bed_days_open=50 * days, **values)
        bureau.send(f"{month}.csv", row, day=31 * month + bureau.sent)

    def test_leap_from_the_last_month_is_a_warning(self, bureau):
        self.send_month(bureau, 3)
        bureau.take_in()
        self.send_month(bureau, 4, visits=4000, outpatient=3900)
        bureau.take_in()
        assert bureau.revisions(month=date(2015, 4, 1)) == [(1, "accepted_with_warnings")]
        assert bureau.rows("select level, severity, field_code from registry.finding") == [
            ("history", "soft", "visits_total")
        ]

    def test_last_month_is_the_one_that_counts_not_the_quarantined(self, bureau):
        self.send_month(bureau, 3)
        bureau.take_in()
        self.send_month(bureau, 3, visits=4000, outpatient=9999)
        bureau.take_in()
        self.send_month(bureau, 4)
        bureau.take_in()
        assert bureau.revisions(month=date(2015, 4, 1)) == [(1, "accepted")]

    def test_annual_form_is_compared_with_twelve_months(self, bureau):
        for month in range(1, 13):
            self.send_month(bureau, month)
        bureau.take_in()
        form = load_forms(bureau.settings)["inst_annual_hospital"]
        values = {form.by_code[code].labels[0]: "" for code in form.by_code if form.by_code[code].required}
        values |= {
            form.by_code["organization_code"].labels[0]: "T-1",
            form.by_code["visits_total"].labels[0]: "99999",
        }
        year = form.by_code[form.period.fields[0]].labels[0]
        content = ",".join([year, *values]) + "\n" + ",".join(["2015", *values.values()])
        bureau.send_bytes("annual.csv", content.encode())
        bureau.take_in()
        found = [one for one in registry.findings(bureau.loader) if one.form_code == "inst_annual_hospital"]
        (compared,) = [one for one in found if one.rule_id == "IA12"]
        assert compared.field_code == "visits_total"
        assert "24000" in compared.message_zh


class TestWithdrawal:
    def test_withdrawn_report_no_longer_counts_and_nothing_older_returns(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row(visits=2100))
        bureau.take_in()
        report = bureau.value("select report_id from registry.report")
        registry.withdraw(bureau.loader, report, "数据有误", "统计科")
        assert bureau.revisions() == [(1, "superseded"), (2, "withdrawn")]
        assert bureau.visits() is None
        assert bureau.rows(
            "select actor, cause from registry.revision_status where status = 'withdrawn'"
        ) == [("统计科", "数据有误")]
        assert bureau.value("select count(*) from registry.change where to_revision_id is null") == 1

    def test_withdrawn_content_sent_again_waits_for_a_decision(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        registry.withdraw(
            bureau.loader, bureau.value("select report_id from registry.report"), "数据有误", "统计科"
        )
        bureau.send("b.csv", bureau.row())
        assert bureau.take_in().reports == {"quarantined": 1}
        bureau.send("c.csv", bureau.row(visits=2050))
        assert bureau.take_in().reports == {"new": 1}
        assert bureau.revisions() == [(1, "withdrawn"), (2, "superseded"), (3, "accepted")]

    def test_report_without_an_accepted_revision_cannot_be_withdrawn(self, bureau):
        with pytest.raises(registry.ReportNotFound):
            registry.withdraw(bureau.loader, 4711, "数据有误", "统计科")


class TestFiles:
    def test_strange_file_is_kept_named_and_does_not_stop_the_rest(self, bureau):
        bureau.send_bytes("photo.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        bureau.send_bytes("list.csv", "姓名,电话\n某,1\n".encode())
        bureau.send("a.csv", bureau.row())
        result = bureau.take_in()
        assert result.by_status == {"unreadable": 1, "unrecognised": 1, "taken_in": 1}
        assert [file.file_name for file in registry.unplaced(bureau.loader)] == ["photo.csv", "list.csv"]
        assert all(file.findings for file in registry.unplaced(bureau.loader))
        assert bureau.take_in() == intake.IntakeResult()

    def test_file_that_may_still_grow_is_left_for_the_next_time(self, bureau):
        bureau.send("a.csv", bureau.row(), day=0)
        path = bureau.settings.inbox / "hospital" / "new.csv"
        path.write_text("half")
        assert [file.name for file in inbox.waiting(bureau.settings, bureau.source())] == ["a.csv"]

    def test_file_changed_under_the_same_name_is_waiting_again(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("a.csv", bureau.row(visits=2100))
        bureau.take_in()
        assert bureau.visits() == 2100

    def test_folders_below_the_inbox_are_looked_into_and_office_leftovers_are_not(self, bureau):
        bureau.send("2015/一月/a.csv", bureau.row())
        bureau.send_bytes("~$a.xlsx", b"lock")
        bureau.send_bytes("b.csv.part", b"half")
        assert [file.name for file in inbox.waiting(bureau.settings, bureau.source())] == ["2015/一月/a.csv"]

    def test_dry_run_tells_everything_and_writes_nothing(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999), bureau.row("T-2"))
        before = bureau.state()
        path = bureau.settings.inbox / "hospital" / "a.csv"
        checked = intake.check(bureau.settings, path, bureau.source())
        assert [(one.subject_code, one.status, len(one.findings)) for one in checked.reports] == [
            ("T-1", "quarantined", 1),
            ("T-2", "accepted", 0),
        ]
        assert bureau.state() == before
        assert not bureau.settings.file_store.exists()

    def test_dry_run_of_a_strange_file_says_so(self, bureau):
        bureau.send_bytes("list.csv", "姓名,电话\n某,1\n".encode())
        with pytest.raises(UnrecognisedFile):
            intake.check(bureau.settings, bureau.settings.inbox / "hospital" / "list.csv", bureau.source())


class TestFailing:
    @pytest.mark.parametrize(
        "step", ["lock", "_write_revisions", "copy_rows", "_move", "_link", "write_file_findings"]
    )
    def test_failure_between_any_two_steps_leaves_nothing_half(self, bureau, monkeypatch, step):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("b.csv", bureau.row(visits=2100), bureau.row("T-2", outpatient=9999))
        before = bureau.state()

        def fail(*_args, **_more):
            raise ZeroDivisionError("T-2 9999")

        with monkeypatch.context() as patch:
            patch.setattr(recording, step, fail)
            with pytest.raises(intake.LaneFailed, match=r"b\.csv") as raised:
                bureau.take_in()
        assert "9999" not in str(raised.value)
        assert bureau.visits() == 2000
        after = bureau.state()
        assert after.pop("arrival") == before.pop("arrival") + 1
        assert after.pop("file") == before.pop("file") + 1
        assert after == before
        assert "ZeroDivisionError" in bureau.value(
            "select detail from registry.arrival where status = 'failed'"
        )

        assert bureau.take_in().reports == {"revised": 1, "quarantined": 1}
        assert bureau.visits() == 2100

    def test_lost_connection_in_the_middle_is_made_good_by_the_next_run(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        copy = recording.copy_rows

        def cut(connection, *args, **more):
            copy(connection, *args, **more)
            backend = connection.connection.driver_connection.info.backend_pid
            with bureau.owner.connect() as other:
                other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": backend})

        with monkeypatch.context() as patch:
            patch.setattr(recording, "copy_rows", cut)
            with pytest.raises(intake.LaneFailed):
                bureau.take_in()
        assert bureau.value("select count(*) from raw.hosp_monthly") == 0
        assert bureau.take_in().reports == {"new": 1}
        assert bureau.visits() == 2000


class TestLanesSideBySide:
    def test_two_lanes_that_meet_at_the_same_reports_agree_on_the_later_file(self, bureau):
        for number in range(12):
            month = f"2015-{number + 1:02}"
            days = (
                datetime(2015 + (number == 11), number % 12 + 2 - 12 * (number == 11), 1, tzinfo=UTC)
                - datetime(2015, number + 1, 1, tzinfo=UTC)
            ).days
            reports = [
                bureau.row(code, month, bed_days_open=50 * days, visits=2000)
                for code in ("T-1", "T-2", "T-9")
            ]
            later = [{**report, "visits": 2100} for report in reversed(reports)]
            bureau.send(f"{number}.csv", *reports, day=number * 2, source="hospital")
            bureau.send(f"{number}.csv", *later, day=number * 2 + 1, source="bureau")
        problems: list[BaseException] = []

        def run(source):
            try:
                bureau.take_in(source)
            except BaseException as error:
                problems.append(error)

        lanes = [Thread(target=run, args=(source,)) for source in ("hospital", "bureau")]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join(120)
        assert problems == []
        assert bureau.rows(
            "select distinct w.visits_total from raw.hosp_monthly w"
            " join registry.report r on r.current_revision_id = w.revision_id"
        ) == [(2100,)]
        assert bureau.value("select count(*) from registry.report") == 36
        assert (
            bureau.value(
                "select count(*) from registry.revision where status in"
                " ('accepted', 'accepted_with_warnings')"
            )
            == 36
        )


class TestTime:
    def test_a_month_that_had_not_begun_when_its_file_says_it_came_is_told_and_one_still_to_come_waits(
        self, bureau
    ):
        months = (bureau.row(month="2015-01"), bureau.row("T-2", "2016-01"), bureau.row("T-2", "2099-01"))
        bureau.send("a.csv", *months)
        assert bureau.take_in().reports == {"new": 2, "quarantined": 1}
        assert bureau.rows(
            "select r.subject_code, f.rule_id, f.severity, v.status from registry.finding f"
            " join registry.revision v using (revision_id) join registry.report r on r.report_id = v.report_id"
            " order by f.severity desc"
        ) == [
            ("T-2", "PERIOD_NOT_BEGUN", "soft", "accepted_with_warnings"),
            ("T-2", "PERIOD_NOT_BEGUN", "hard", "quarantined"),
        ]
