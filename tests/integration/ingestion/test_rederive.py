from dataclasses import replace
from datetime import date

import pytest
import yaml
from sqlalchemy import text

from dags import stages
from ingestion import recording
from ingestion import rederive as module
from ingestion.forms_catalogue import BUILT_IN
from ingestion.intake import LaneFailed
from ingestion.raw import FormsNotPrepared, prepare
from ingestion.rederive import RederiveFailed, reconsider, rederive
from ingestion.registry import unplaced, withdraw


@pytest.fixture
def mended(bureau, tmp_path):
    """Change the monthly form in a folder of site forms; returns the settings that know it."""

    def change(edit):
        definition = yaml.safe_load((BUILT_IN / "hosp_monthly.yml").read_text(encoding="utf-8"))
        edit(definition)
        folder = tmp_path / "forms"
        folder.mkdir(exist_ok=True)
        (folder / "hosp_monthly.yml").write_text(
            yaml.safe_dump(definition, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        settings = bureau.settings.model_copy(update={"forms": (folder,)})
        prepare(settings)
        bureau.settings = settings
        return settings

    return change


def rule(definition, code):
    return next(one for one in definition["rules"] if one["id"] == code)


def field(definition, code):
    return next(one for one in definition["fields"] if one["code"] == code)


def test_nothing_mended_changes_nothing(bureau):
    bureau.send("a.csv", bureau.row(), bureau.row("T-2", outpatient=9999))
    bureau.take_in()
    before = bureau.state()
    result = rederive(bureau.settings, reason="试", dry_run=False)
    assert (result.changes, result.unchanged, result.files) == ((), 2, 1)
    assert bureau.state() == before


def test_softened_rule_lets_a_quarantined_report_in(bureau, mended):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.take_in()
    settings = mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    before = bureau.state()

    planned = rederive(settings, reason="HM01 放宽", dry_run=True)
    assert [(one.before, one.after, one.content_differs) for one in planned.changes] == [
        ("quarantined", "accepted_with_warnings", False)
    ]
    assert bureau.state() == before

    rederive(settings, reason="HM01 放宽", dry_run=False)
    assert bureau.revisions() == [(1, "superseded"), (2, "accepted_with_warnings")]
    assert bureau.value("select cause from registry.change") == "rederive: HM01 放宽"
    assert rederive(settings, reason="HM01 放宽", dry_run=False).changes == ()


def test_stricter_rule_shows_in_quarantine_but_takes_no_number_away(bureau, mended):
    bureau.send("a.csv", bureau.row(visits=2000, outpatient=1990))
    bureau.take_in()
    settings = mended(
        lambda definition: rule(definition, "HM01").update(check="visits_outpatient_emergency <= 100")
    )
    result = rederive(settings, reason="HM01 收紧", dry_run=False)
    assert [(one.before, one.after) for one in result.changes] == [("accepted", "quarantined")]
    assert bureau.revisions() == [(1, "accepted"), (2, "quarantined")]
    assert bureau.visits() == 2000
    assert rederive(settings, reason="HM01 收紧", dry_run=False).changes == ()


def test_label_learnt_later_brings_numbers_out_of_files_kept_since(bureau, mended):
    bureau.columns = {**bureau.columns, "deaths": "住院死亡"}
    bureau.send("a.csv", bureau.row(deaths=3))
    bureau.take_in()
    bureau.send("copy.csv", bureau.row(deaths=4))
    bureau.take_in()
    assert bureau.revisions() == [(1, "accepted")]
    settings = mended(lambda definition: field(definition, "inpatient_deaths")["labels"].append("住院死亡"))
    rederive(settings, reason="新标签", dry_run=False)
    assert (
        bureau.value(
            "select inpatient_deaths from raw.hosp_monthly w"
            " join registry.report r on r.current_revision_id = w.revision_id"
        )
        == 4
    )


def test_an_unknown_column_is_kept_and_read_once_the_form_has_it(bureau, mended):
    bureau.columns = {**bureau.columns, "fever": "发热人数"}
    bureau.send("a.csv", bureau.row(fever=7), bureau.row("T-2", fever=8))
    bureau.take_in()
    kept = (
        "select r.subject_code, f.value, k.key, k.value from registry.finding f"
        " join registry.revision v on v.arrival_id = f.arrival_id"
        " join registry.report r on r.report_id = v.report_id"
        " join raw.hosp_monthly w on w.revision_id = v.revision_id"
        " cross join lateral jsonb_each(f.kept) k"
        " where f.rule_id = 'COLUMN_UNKNOWN' and f.resolved_at is null"
        " and substring(k.key from '[0-9]+')::int = w.source_row order by 1"
    )
    assert bureau.rows(kept) == [("T-1", "发热人数", "K2", 7), ("T-2", "发热人数", "K3", 8)]
    # What differs in that column only is a copy, whose numbers are kept as well.
    bureau.send("copy.csv", bureau.row(fever=9), bureau.row("T-2", fever=8))
    bureau.take_in()
    assert bureau.revisions() == [(1, "accepted")]
    assert bureau.value("select sum((kept ->> 'K2')::int) from registry.finding") == 16

    settings = mended(
        lambda definition: definition["fields"].append(
            {"code": "fever_patients", "labels": ["发热人数"], "type": "int", "nature": "flow", "unit": "人"}
        )
    )
    rederive(settings, reason="新增指标", dry_run=False)
    fever = (
        "select r.subject_code, w.fever_patients from raw.hosp_monthly w"
        " join registry.report r on r.current_revision_id = w.revision_id order by 1"
    )
    assert bureau.rows(fever) == [("T-1", 9), ("T-2", 8)]
    assert bureau.rows(kept) == []


def test_outdated_files_stay_outdated(bureau, mended):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.send("b.csv", bureau.row(visits=2100))
    bureau.take_in()
    settings = mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    assert rederive(settings, reason="HM01 放宽", dry_run=False).changes == ()
    assert bureau.visits() == 2100


def test_withdrawn_report_stays_withdrawn(bureau, mended):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.take_in()
    settings = mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    rederive(settings, reason="HM01 放宽", dry_run=False)
    withdraw(bureau.loader, bureau.value("select report_id from registry.report"), "数据有误", "统计科")
    mended(lambda definition: definition["rules"].clear())
    assert rederive(bureau.settings, reason="取消规则", dry_run=False).changes == ()
    assert bureau.visits() is None


def test_scope_is_kept_to(bureau, mended):
    for number, month in enumerate(["2015-01", "2015-02"]):
        days = {"2015-01": 31, "2015-02": 28}[month]
        rows = [bureau.row(code, month, outpatient=9999, bed_days_open=50 * days) for code in ("T-1", "T-2")]
        bureau.send(f"{number}.csv", *rows)
    bureau.take_in()
    settings = mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    plan = rederive(settings, from_=date(2015, 2, 1), units=["T-2"], forms=["hosp_monthly"], reason="试")
    assert [(one.subject_code, one.period_start) for one in plan.changes] == [("T-2", date(2015, 2, 1))]
    assert plan.files == 1
    assert rederive(settings, forms=["idr_monthly"], reason="试").files == 0


def test_touch_tells_every_report_of_the_scope_to_the_next_release(bureau):
    bureau.send("a.csv", bureau.row(), bureau.row("T-2"))
    bureau.take_in()
    result = rederive(bureau.settings, units=["T-2"], reason="指标口径", dry_run=False, touch=True)
    assert (result.changes, result.touched) == ((), 1)
    assert bureau.value("select count(*) from registry.change where cause = 'rederive: 指标口径'") == 1


def test_waiver_granted_later_is_found_by_reconsidering(bureau):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.send("b.csv", bureau.row("T-2"))
    bureau.take_in()
    bureau.site(waivers_yml="- {rule: HM01, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}\n")
    result = reconsider(bureau.settings, "豁免")
    assert (result.files, [one.after for one in result.changes]) == (1, ["accepted_with_warnings"])
    assert bureau.visits() == 2000
    assert reconsider(bureau.settings, "豁免").files == 0


def test_what_waits_is_judged_again_only_when_its_grounds_moved(bureau):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.take_in()
    assert reconsider(bureau.settings, "试").files == 1
    assert reconsider(bureau.settings, "试").files == 0
    bureau.site(waivers_yml="- {rule: HM02, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}\n")
    assert reconsider(bureau.settings, "试").files == 1
    assert bureau.revisions() == [(1, "quarantined")]


def test_judging_again_that_was_cut_off_is_done_by_the_next_night(bureau, monkeypatch):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.take_in()
    bureau.site(waivers_yml="- {rule: HM01, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}\n")
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_within_limits", lambda *_args, **_more: 1 / 0)
        with pytest.raises(RederiveFailed):
            reconsider(bureau.settings, "豁免")
    assert reconsider(bureau.settings, "豁免").files == 1
    assert bureau.visits() == 2000


def test_a_night_judges_again_whoever_brought_the_waiver_in(bureau):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.take_in()
    bureau.site(waivers_yml="- {rule: HM01, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}\n")
    # Another run (one that was cut off, `warehouse ingest`) has prepared already: this one's finds nothing changed.
    for run in ("nightly/cut off", "nightly/next"):
        stages.begin(run, "nightly")
        stages.prepare(run)
    stages.rejudge("nightly/next")
    assert bureau.visits() == 2000


def test_unit_registered_later_gets_its_report(bureau):
    bureau.send("a.csv", bureau.row("T-5"), bureau.row("T-2"))
    bureau.take_in()
    assert len(unplaced(bureau.loader)) == 1
    more = [*bureau.organizations, "T-5,2010-01-01,open,构造新院,A100,440507,"]
    bureau.site(organizations_csv="\n".join(more) + "\n")
    reconsider(bureau.settings, "新单位")
    assert bureau.visits("T-5") == 2000
    assert bureau.revisions("T-2") == [(1, "accepted")]
    assert unplaced(bureau.loader) == []
    assert bureau.value("select count(*) from registry.finding where resolved_at is not null") == 1


def test_file_nobody_knew_is_read_once_its_form_is_known(bureau, mended):
    bureau.send_bytes("list.csv", "机构编码,统计年月,甲,乙\nT-1,2015-01,1,2\n".encode())
    bureau.take_in()
    assert [file.status for file in unplaced(bureau.loader)] == ["unrecognised"]

    def accept(definition):
        for one in definition["fields"]:
            one.pop("required", None)
        field(definition, "beds_actual")["labels"].append("甲")
        field(definition, "visits_total")["labels"].append("乙")

    settings = mended(accept)
    reconsider(settings, "新表式")
    assert bureau.visits() == 2
    assert unplaced(bureau.loader) == []


def test_file_first_read_in_part_keeps_waiting_for_the_rest(bureau, mended):
    lines = ["机构编码,统计年月,甲,乙", "T-1,2015-01,1,2", "T-1,2016-01,3,4"]
    bureau.send_bytes("list.csv", "\n".join(lines).encode())
    bureau.take_in()

    def accept(definition):
        for one in definition["fields"]:
            one.pop("required", None)
        field(definition, "beds_actual")["labels"].append("甲")
        field(definition, "visits_total")["labels"].append("乙")

    settings = mended(accept)
    for year in (2015, 2016):
        rederive(settings, date(year, 1, 1), date(year, 12, 31), reason="新表式", dry_run=False)
    assert (bureau.visits(), bureau.visits(month=date(2016, 1, 1))) == (2, 4)


def test_failing_file_is_named_and_the_others_are_done(bureau, mended, monkeypatch):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.send("b.csv", bureau.row("T-2", outpatient=9999))
    bureau.take_in()
    settings = mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    read = module.read_within_limits

    def fragile(path, *, name, **more):
        if name == "a.csv":
            raise RuntimeError
        return read(path, name=name, **more)

    monkeypatch.setattr(module, "read_within_limits", fragile)
    with pytest.raises(RederiveFailed, match=r"a\.csv"):
        rederive(settings, reason="HM01 放宽", dry_run=False)
    assert bureau.visits("T-2") == 2000
    assert bureau.visits("T-1") is None


def test_forms_that_the_database_does_not_know_are_refused(bureau, mended):
    bureau.send("a.csv", bureau.row())
    known = bureau.settings
    mended(lambda definition: rule(definition, "HM01").update(severity="soft"))
    with pytest.raises(FormsNotPrepared, match="hosp_monthly"):
        rederive(known, reason="试")


class TestPlans:
    """What a dry run says is what is then done, and it holds nobody up."""

    def differing(self, bureau, mended):
        """A column that nobody knew stands in three files of two months, one of them a copy with other deaths."""
        bureau.columns = {**bureau.columns, "deaths": "住院死亡"}
        bureau.send("1.csv", bureau.row(deaths=3), bureau.row("T-2", deaths=1, outpatient=9999))
        bureau.send("copy.csv", bureau.row(deaths=4))
        bureau.send("2.csv", bureau.row(month="2015-02", deaths=5, bed_days_open=1400))
        bureau.take_in()

        def edit(definition):
            field(definition, "inpatient_deaths")["labels"].append("住院死亡")
            rule(definition, "HM01").update(severity="soft")

        return mended(edit)

    def test_plan_equals_what_is_done(self, bureau, mended):
        settings = self.differing(bureau, mended)
        before = bureau.state()
        plan = rederive(settings, reason="新标签")
        assert bureau.state() == before
        done = rederive(settings, reason="新标签", dry_run=False)
        assert [replace(one, report_id=0) for one in plan.changes] == [
            replace(one, report_id=0) for one in done.changes
        ]
        assert plan.unchanged == done.unchanged
        assert rederive(settings, reason="新标签").changes == ()

    def test_plan_names_revisions_and_cells(self, bureau, mended):
        settings = self.differing(bureau, mended)
        plan = rederive(settings, reason="新标签", units=["T-1"], from_=date(2015, 2, 1))
        (change,) = plan.changes
        assert (change.before, change.after, change.stands) == ("accepted", "accepted", "accepted")
        assert (change.revision_before, change.revision_after) == (1, 2)
        assert change.cells_changed == 1
        (cell,) = change.cells
        assert (cell.field_code, cell.cell, cell.old, cell.new) == ("inpatient_deaths", "K2", None, "5")

    def test_plan_holds_no_lock_while_it_reads(self, bureau, mended, monkeypatch):
        settings = self.differing(bureau, mended)
        seen = []
        read = module.read_within_limits

        def look(path, *, name, **more):
            with bureau.owner.begin() as other:
                other.execute(text("set local lock_timeout = '100ms'"))
                other.execute(text("select from registry.report for update"))
                other.execute(text("update registry.report set region_code = region_code"))
            seen.append(name)
            return read(path, name=name, **more)

        monkeypatch.setattr(module, "read_within_limits", look)
        assert len(rederive(settings, reason="新标签").changes) > 1
        assert len(seen) == 3

    def test_one_file_is_asked_for_by_name_number_or_digest(self, bureau):
        bureau.send("2015/一月/a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))
        bureau.take_in()
        sha256 = bureau.value(
            "select sha256 from registry.file join registry.arrival using (file_id) where file_name = 'b.csv'"
        )
        number = bureau.value("select arrival_id from registry.arrival where file_name = 'b.csv'")
        for asked, files in (
            (["a.csv"], 1),
            (["2015/一月/a.csv"], 1),
            ([str(number)], 1),
            ([sha256[:12]], 1),
            (["a.csv", "b.csv"], 2),
            (["c.csv"], 0),
            (["csv"], 0),
        ):
            assert rederive(bureau.settings, reason="试", files=asked).files == files, asked

    def test_file_that_can_no_longer_be_read_says_which_reports_it_carried(self, bureau, mended):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()

        def forget(definition):
            for one in definition["fields"]:
                one["labels"] = [f"另名{one['code']}"]

        settings = mended(forget)
        (change,) = rederive(settings, reason="误改标签").changes
        assert (change.before, change.after, change.stands) == ("accepted", "not_found", "accepted")

    def test_file_that_failed_and_left_its_inbox_is_read(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        with monkeypatch.context() as patch:
            patch.setattr(recording, "copy_rows", lambda *_args: 1 / 0)
            with pytest.raises(LaneFailed):
                bureau.take_in()
        (bureau.settings.inbox / "hospital" / "a.csv").unlink()
        result = rederive(bureau.settings, reason="补读", dry_run=False)
        assert [(one.before, one.after) for one in result.changes] == [("missing", "accepted")]
        assert bureau.visits() == 2000
        assert bureau.value("select status from registry.arrival") == "taken_in"
