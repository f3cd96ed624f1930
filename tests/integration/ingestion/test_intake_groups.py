"""Files recorded together must come out as if each had been taken in alone, one after the other."""

import io
import random
import shutil
from threading import Thread

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import inbox, intake, recording
from ingestion.examining import place_files
from ingestion.load import loading
from ingestion.waves import waves
from ingestion.workers import read_within_limits

MONTHS = ["2014-11", "2014-12", "2015-01", "2015-02", "2015-03"]
DAYS = {"2014-11": 30, "2014-12": 31, "2015-01": 31, "2015-02": 28, "2015-03": 31}

# Everything the registry says, in words that do not depend on the numbers that rows were given.
STORY = """
select r.form_code, r.subject_code, r.period_start, v.revision_no, v.status, a.file_name, v.content_hash,
    v.revision_id = r.current_revision_id as is_current, w.visits_total, w.source_sheet, w.source_row,
    (select array_agg((s.status, s.cause) order by s.at, s.status) from registry.revision_status as s
        where s.revision_id = v.revision_id)::text as moves,
    (select array_agg((f.rule_id, f.severity, f.sheet, f.cell, f.value, f.message_zh) order by f.rule_id, f.cell)
        from registry.finding as f where f.revision_id = v.revision_id)::text as findings
from registry.revision as v
inner join registry.report as r using (report_id)
inner join registry.arrival as a using (arrival_id)
inner join raw.hosp_monthly as w using (revision_id)
order by r.form_code, r.subject_code, r.period_start, v.revision_no, w.record_no
"""
ARRIVALS = """
select a.file_name, a.status, a.detail, a.form_code, a.received_at,
    (select count(*) from registry.arrival_report as l where l.arrival_id = a.arrival_id) as reports,
    (select array_agg((p.field_code, p.source_row, p.source_column) order by p.field_code)
        from registry.field_position as p where p.arrival_id = a.arrival_id)::text as places,
    (select array_agg((f.rule_id, f.cell, f.value, f.message_zh) order by f.rule_id, f.cell, f.value)
        from registry.finding as f where f.arrival_id = a.arrival_id and f.revision_id is null)::text as apart
from registry.arrival as a
order by a.received_at, a.file_name
"""
CHANGES = """
select r.subject_code, r.period_start, c.cause, before.revision_no, after.revision_no
from registry.change as c
inner join registry.report as r using (report_id)
left join registry.revision as before on before.revision_id = c.from_revision_id
left join registry.revision as after on after.revision_id = c.to_revision_id
order by r.subject_code, r.period_start, c.change_id
"""
EMPTY = "truncate registry.file, registry.report, raw.hosp_monthly restart identity cascade"


def report(bureau, code, month, visits, outpatient):
    return bureau.row(
        code,
        month,
        visits=visits,
        outpatient=outpatient,
        bed_days_open=50 * DAYS[month],
        bed_days_occupied=900,
    )


row = st.tuples(
    st.sampled_from(["T-1", "T-2", "构造甲医院", "没有的医院"]),
    st.sampled_from(MONTHS),
    st.sampled_from([2000, 2100, 4500]),
    st.sampled_from([1900, 1900, 9999]),
)
delivery = st.lists(st.lists(row, min_size=1, max_size=2), min_size=2, max_size=10)


def tell(bureau):
    return [bureau.rows(statement) for statement in (STORY, ARRIVALS, CHANGES)]


class TestTogetherAsAlone:
    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(files=delivery, seed=st.integers(0, 9))
    def test_files_of_one_night_come_out_as_one_after_the_other(self, bureau, files, seed):
        names = [f"{number}.csv" for number in range(len(files))]
        random.Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
        told = []
        for group in (1, 200):
            folder = bureau.settings.inbox / "hospital"
            shutil.rmtree(folder, ignore_errors=True)
            with bureau.owner.begin() as connection:
                connection.exec_driver_sql(EMPTY)
            for day, (name, rows) in enumerate(zip(names, files, strict=True)):
                bureau.send(name, *(report(bureau, *one) for one in rows), day=day // 2)
            own = bureau.settings.model_copy(update={"intake_group": group})
            waiting = inbox.waiting(own, bureau.source())
            result = intake.take_in(own, bureau.source(), waiting, "test")
            told.append((result, tell(bureau)))
        assert told[0] == told[1]

    def test_every_kind_of_end_in_one_group(self, bureau):
        bureau.send("1.csv", bureau.row())
        bureau.send_bytes("2.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        bureau.send_bytes("3.csv", "姓名,电话\n某,1\n".encode())
        bureau.send("4.csv", bureau.row(visits=2100), bureau.row("T-2", outpatient=9999))
        bureau.send("5.csv", bureau.row(visits=2100))
        result = bureau.take_in()
        assert [(file.name, file.status) for file in result.files] == [
            ("1.csv", "taken_in"),
            ("2.csv", "unreadable"),
            ("3.csv", "unrecognised"),
            ("4.csv", "taken_in"),
            ("5.csv", "duplicate"),
        ]
        assert result.reports == {"new": 1, "revised": 1, "quarantined": 1, "unchanged": 1}
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted")]

    def test_cells_of_files_with_sheets_of_one_name_are_told_apart(self, bureau):
        for number, code in enumerate(["T-1", "T-2"]):
            book = openpyxl.Workbook()
            for _ in range(number * 3):
                book.active.append(["医院月报"])
            one = bureau.row(code, outpatient=9999)
            book.active.append([bureau.columns[key] for key in one])
            book.active.append(list(one.values()))
            content = io.BytesIO()
            book.save(content)
            bureau.send_bytes(f"{code}.xlsx", content.getvalue())
        bureau.take_in()
        assert bureau.rows(
            "select r.subject_code, f.sheet, f.cell from registry.finding f join registry.report r using (report_id)"
            " where rule_id = 'HM01' order by 1"
        ) == [("T-1", "Sheet", "I2"), ("T-2", "Sheet", "I5")]


class TestFailingInAGroup:
    def test_failing_file_is_recorded_alone_and_the_rest_together(self, bureau, monkeypatch):
        for number, code in enumerate(["T-1", "T-2", "T-9"]):
            bureau.send(f"{number}.csv", bureau.row(code))
        copy = recording.copy_rows

        def fragile(connection, groups, new, **more):
            if any(item.subject_code == "T-2" for item in new):
                raise ZeroDivisionError
            copy(connection, groups, new, **more)

        with monkeypatch.context() as patch:
            patch.setattr(recording, "copy_rows", fragile)
            with pytest.raises(intake.LaneFailed) as raised:
                bureau.take_in()
        assert [(file.name, file.status) for file in raised.value.result.files] == [
            ("0.csv", "taken_in"),
            ("1.csv", "failed"),
            ("2.csv", "taken_in"),
        ]
        assert bureau.rows("select file_name, status from registry.arrival order by 1") == [
            ("0.csv", "taken_in"),
            ("1.csv", "failed"),
            ("2.csv", "taken_in"),
        ]
        assert bureau.take_in().reports == {"new": 1}

    def test_lanes_whose_groups_meet_crosswise_do_not_stop_each_other(self, bureau):
        for month in MONTHS:
            for code in ("T-1", "T-2", "T-9"):
                bureau.send(
                    f"{month}-{code}.csv",
                    report(bureau, code, month, 2000, 1900),
                    day=len(bureau.rows("select 1")),
                )
        for month in reversed(MONTHS):
            for code in ("T-9", "T-2", "T-1"):
                bureau.send(
                    f"{month}-{code}.csv", report(bureau, code, month, 2100, 1900), source="bureau", day=9
                )
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
        assert bureau.value("select count(*) from registry.arrival where status = 'failed'") == 0
        assert bureau.rows(
            "select distinct w.visits_total from raw.hosp_monthly w"
            " join registry.report r on r.current_revision_id = w.revision_id"
        ) == [(2100,)]


class TestWaves:
    def of(self, bureau, *files):
        with loading(bureau.settings) as engine:
            lane = intake.open_lane(engine, bureau.settings, bureau.source())
        readings = []
        for number, rows in enumerate(files):
            bureau.send(f"{number}.csv", *(report(bureau, code, month, 2000, 1900) for code, month in rows))
            path = bureau.settings.inbox / "hospital" / f"{number}.csv"
            readings.append(
                read_within_limits(
                    path,
                    name=path.name,
                    catalogue=lane.catalogue,
                    source=lane.source,
                    settings=bureau.settings,
                )
            )
        return waves(place_files(readings, lane))

    def test_units_wait_only_for_themselves(self, bureau):
        assert self.of(bureau, [("T-1", "2015-01")], [("T-2", "2015-01")], [("T-1", "2015-02")]) == [
            [0, 1],
            [2],
        ]

    def test_month_before_and_month_after_are_compared_and_so_wait(self, bureau):
        assert self.of(bureau, [("T-1", "2015-02")], [("T-1", "2015-01")], [("T-1", "2015-03")]) == [
            [0],
            [1, 2],
        ]

    def test_unit_under_its_name_is_the_same_unit(self, bureau):
        assert self.of(bureau, [("T-1", "2015-01")], [("构造甲医院", "2015-01")]) == [[0], [1]]

    def test_months_that_nobody_compares_do_not_wait(self, bureau):
        assert self.of(bureau, [("T-1", "2014-11")], [("T-1", "2015-01")]) == [[0, 1]]
