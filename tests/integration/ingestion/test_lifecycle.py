"""Statuses in the database: every transition with time, cause and actor; a first try that failed holds nothing up."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ingestion import recording, registry
from ingestion.forms_catalogue import load_forms
from ingestion.intake import LaneFailed
from ingestion.rederive import reconsider

WAIVER = "- {rule: HM01, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}\n"


def form_file(bureau, code: str, *rows: dict[str, object]) -> bytes:
    """A CSV file of a form, with its printed labels."""
    form = load_forms(bureau.settings)[code]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [",".join(form.by_code[column].labels[0] for column in columns)]
    lines += [",".join(str(row.get(column, "")) for column in columns) for row in rows]
    return "\n".join(lines).encode()


class TestTransitions:
    def log(self, bureau) -> list[tuple[int, str, str, str]]:
        return [
            tuple(row)
            for row in bureau.rows(
                "select revision_no, s.status, s.cause, s.actor from registry.revision_status s"
                " join registry.revision using (revision_id) order by s.at, revision_no"
            )
        ]

    def test_each_says_why_and_who(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row(visits=2100))
        bureau.take_in()
        registry.withdraw(
            bureau.loader, bureau.value("select report_id from registry.report"), "数据有误", "统计科"
        )
        loader = bureau.value("select actor from registry.revision_status limit 1")
        assert self.log(bureau) == [
            (1, "received", "received: a.csv", loader),
            (2, "received", "received: b.csv", loader),
            (1, "accepted", "received: a.csv", loader),
            (2, "accepted", "received: b.csv", loader),
            (1, "superseded", "a later content took its place", loader),
            (2, "withdrawn", "数据有误", "统计科"),
        ]

    def test_received_when_the_file_was(self, bureau):
        bureau.send("a.csv", bureau.row(), day=3)
        bureau.take_in()
        assert bureau.value(
            "select bool_and(s.at = v.received_at) from registry.revision_status s"
            " join registry.revision v using (revision_id) where s.status = 'received'"
        )

    def test_status_of_a_revision_is_its_last_transition(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999), bureau.row("T-2"))
        bureau.send("b.csv", bureau.row(), bureau.row("T-2", visits=2100))
        bureau.take_in()
        bureau.send("older.csv", bureau.row("T-2", visits=2050), day=0)
        bureau.take_in()
        differing = (
            "select count(*) from registry.revision v where v.status <> (select s.status"
            " from registry.revision_status s where s.revision_id = v.revision_id order by s.at desc limit 1)"
        )
        assert bureau.value(differing) == 0
        assert bureau.value("select count(*) from registry.revision") == 5

    @pytest.mark.parametrize(
        ("status", "then"),
        [("quarantined", "accepted"), ("quarantined", "withdrawn"), ("accepted", "quarantined"),
         ("accepted", "received"), ("superseded", "accepted"), ("withdrawn", "superseded")],
    )  # fmt: skip
    def test_database_refuses_transitions_that_do_not_exist(self, bureau, status, then):
        bureau.send("a.csv", bureau.row(outpatient=9999 if status == "quarantined" else 1900))
        if status == "superseded":
            bureau.send("b.csv", bureau.row(visits=2100))
        bureau.take_in()
        if status == "withdrawn":
            registry.withdraw(
                bureau.loader, bureau.value("select report_id from registry.report"), "误", "科"
            )
        revision = bureau.value("select min(revision_id) from registry.revision")
        assert bureau.revisions()[0] == (1, status)
        with (
            pytest.raises(IntegrityError, match=f"cannot become {then} when it is {status}"),
            bureau.loader.begin() as c,
        ):
            c.execute(
                text(
                    "insert into registry.revision_status (revision_id, status, cause) values (:id, :then, '试')"
                ),
                {"id": revision, "then": then},
            )


class TestFailedFirstTry:
    """A first try that failed never makes the next one a duplicate."""

    def test_unreadable_file_sent_again_whole(self, bureau):
        bureau.send("a.csv", bureau.row())
        whole = (bureau.settings.inbox / "hospital" / "a.csv").read_bytes()
        bureau.send_bytes("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        assert bureau.take_in().by_status == {"unreadable": 1}
        bureau.send_bytes("a.csv", whole)
        assert bureau.take_in().reports == {"new": 1}
        assert registry.unplaced(bureau.loader) == []

    def test_unrecognised_file_sent_again_mended(self, bureau):
        bureau.send_bytes("a.csv", "姓名,电话\n某,1\n".encode())
        assert bureau.take_in().by_status == {"unrecognised": 1}
        bureau.send("a.csv", bureau.row())
        assert bureau.take_in().reports == {"new": 1}
        assert registry.unplaced(bureau.loader) == []

    def test_crash_in_the_middle_and_the_same_bytes_again(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        content = (bureau.settings.inbox / "hospital" / "a.csv").read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(recording, "_move", lambda *_args: 1 / 0)
            with pytest.raises(LaneFailed):
                bureau.take_in()
        bureau.send_bytes("b.csv", content)
        bureau.take_in()
        assert bureau.revisions() == [(1, "accepted")]
        assert bureau.visits() == 2000

    def test_quarantined_content_sent_again_once_it_is_waived(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        bureau.site(waivers_yml=WAIVER)
        bureau.send("b.csv", bureau.row(outpatient=9999))
        assert bureau.take_in().reports == {"new": 1}
        assert bureau.revisions() == [(1, "superseded"), (2, "accepted_with_warnings")]
        assert reconsider(bureau.settings, "豁免").changes == ()

    def test_report_of_an_unknown_unit_sent_again_once_the_unit_is_known(self, bureau):
        bureau.send("a.csv", bureau.row("T-5"))
        assert bureau.take_in().reports == {"unplaced": 1}
        more = [*bureau.organizations, "T-5,2010-01-01,open,构造新院,A100,440507,"]
        bureau.site(organizations_csv="\n".join(more) + "\n")
        bureau.send("b.csv", bureau.row("T-5"))
        assert bureau.take_in().reports == {"new": 1}
        assert reconsider(bureau.settings, "新单位").changes == ()
        assert bureau.revisions("T-5") == [(1, "accepted")]


class TestTheSameReportTwice:
    def test_two_cumulative_quarters_of_one_year_are_two_reports(self, bureau):
        quarters = [bphs(bureau, "T-1", "2015年第一季度", 100), bphs(bureau, "T-1", "2015年第二季度", 250)]
        bureau.send_bytes("a.csv", form_file(bureau, "bphs_quarterly", *quarters))
        bureau.take_in()
        assert bureau.rows(
            "select period_start, period_end, current_revision_id is not null from registry.report order by 2"
        ) == [(date(2015, 1, 1), date(2015, 3, 31), True), (date(2015, 1, 1), date(2015, 6, 30), True)]

    def test_one_cumulative_quarter_twice_is_a_finding_on_it_alone(self, bureau):
        quarters = [
            bphs(bureau, "T-1", "2015年第一季度", 100),
            bphs(bureau, "T-1", "2015年第二季度", 250),
            bphs(bureau, "T-1", "2015年第二季度", 260),
        ]
        bureau.send_bytes("a.csv", form_file(bureau, "bphs_quarterly", *quarters))
        bureau.take_in()
        assert bureau.rows(
            "select period_end, v.status = 'quarantined' from registry.report"
            " join registry.revision v using (report_id) order by 1"
        ) == [(date(2015, 3, 31), False), (date(2015, 6, 30), True)]
        (held,) = registry.quarantine(bureau.loader)
        assert [one.rule_id for one in held.findings if one.severity == "hard"] == ["REPORT_TWICE_IN_FILE"]

    def test_quarter_from_the_unit_and_from_its_proxy_is_a_warning(self, bureau):
        for source, count in (("hospital", 100), ("bureau", 101)):
            row = bphs(bureau, "T-1", "2015年第一季度", count)
            bureau.send_bytes(f"{source}.csv", form_file(bureau, "bphs_quarterly", row), source=source)
            bureau.take_in(source)
        found = [one.rule_id for one in registry.findings(bureau.loader) if one.level == "history"]
        assert found == ["TWO_REPORTERS"]

    def test_quarter_of_the_maternal_year_is_compared_with_the_quarter_before(self, bureau):
        form = load_forms(bureau.settings)["mch_maternal_quarterly"]
        halves = ("live_births_male", "live_births_female", "women_nonagri", "women_agri")
        required = {f.code: 10 for f in form.measures if f.required}
        measures = {**required, "live_births": 10, "women_delivered": 10, **dict.fromkeys(halves, 5)}
        for number, quarter in enumerate(("2014年第四季度", "2015年第一季度")):
            row = {form.subject.identify_by[0]: "440507", form.period.fields[0]: quarter, **measures}
            bureau.send_bytes(f"{number}.csv", form_file(bureau, form.code, row), source="cdc")
            bureau.take_in("cdc")
        found = [(one.rule_id, one.period_start) for one in registry.findings(bureau.loader)]
        assert ("STALE_COPY", date(2015, 1, 1)) in found


def bphs(bureau, unit: str, quarter: str, count: int) -> dict[str, object]:
    """A quarterly report of public health services that breaks no rule."""
    form = load_forms(bureau.settings)["bphs_quarterly"]
    required = {f.code: 0 for f in form.measures if f.required}
    first = form.measures[0].code
    return {form.subject.identify_by[0]: unit, form.period.fields[0]: quarter, **required, first: count}
