from datetime import date, timedelta

import pytest

from ingestion import directory, obligations
from ingestion.intake import today
from ingestion.rederive import reconsider, rederive
from ingestion.site import SiteError, load_site


def test_taking_in_the_same_site_again_writes_nothing(bureau):
    before = bureau.state()
    change = directory.take_in(bureau.loader, load_site(bureau.settings))
    assert not change
    assert bureau.state() == before


def test_changed_unit_tells_all_its_reports_to_the_next_release(bureau):
    bureau.send("a.csv", bureau.row(), bureau.row("T-2"))
    bureau.take_in()
    moved = [*bureau.organizations, "T-1,2014-01-01,move,,,440511,"]
    bureau.site(organizations_csv="\n".join(moved) + "\n")
    assert bureau.rows(
        "select r.subject_code, r.region_code, from_revision_id = to_revision_id"
        " from registry.change c join registry.report r using (report_id) where c.cause = 'directory'"
    ) == [("T-1", "440511", True)]


def test_corrected_event_replaces_the_wrong_one(bureau):
    wrong = [*bureau.organizations, "T-1,2014-01-01,reclass,,B100,,"]
    bureau.site(organizations_csv="\n".join(wrong) + "\n")
    right = [*bureau.organizations, "T-1,2014-03-01,reclass,,B100,,"]
    bureau.site(organizations_csv="\n".join(right) + "\n")
    assert bureau.rows("select event_date from registry.organization_event where event_type = 'reclass'") == [
        (date(2014, 3, 1),)
    ]


def test_unit_with_reports_cannot_vanish_from_the_directory(bureau):
    bureau.send("a.csv", bureau.row())
    bureau.take_in()
    rest = [line for line in bureau.organizations if not line.startswith("T-1")]
    with pytest.raises(SiteError, match="T-1"):
        bureau.site(organizations_csv="\n".join(rest) + "\n")
    assert bureau.value("select count(*) from registry.organization_event") == 3


def test_versions_carry_attributes_forward(bureau):
    more = [*bureau.organizations, "T-1,2014-01-01,rename,构造中心医院,,,", "T-1,2016-01-01,close,,,,"]
    bureau.site(organizations_csv="\n".join(more) + "\n")
    with bureau.loader.connect() as connection:
        spells = directory.versions(connection)
    rows = spells.filter(spells["organization_code"] == "T-1").select(
        "valid_from", "valid_to", "is_open", "name_zh", "class_code"
    )
    assert rows.rows() == [
        (date(2010, 1, 1), date(2014, 1, 1), True, "构造甲医院", "A100"),
        (date(2014, 1, 1), date(2016, 1, 1), True, "构造中心医院", "A100"),
        (date(2016, 1, 1), date(9999, 12, 31), False, "构造中心医院", "A100"),
    ]


def test_waivers_keep_their_history(bureau):
    waiver = "- {rule: HM01, owner: 统计科, reason: %s, expires_on: 2099-12-31}\n"
    bureau.site(waivers_yml=waiver % "已核实")
    bureau.site(waivers_yml=waiver % "已核实")
    bureau.site(waivers_yml=waiver % "重新核实")
    bureau.site(waivers_yml="")
    assert bureau.rows("select reason, ended_at is not null from registry.waiver order by waiver_id") == [
        ("已核实", True),
        ("重新核实", True),
    ]


def test_duties_follow_the_site(bureau):
    head = "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
    bureau.site(duties_csv=head + "hosp_monthly,organization,T-1,T-1,2015-01-01,,\n")
    bureau.site(duties_csv=head + "hosp_monthly,organization,T-1,T-9,2015-01-01,2016-01-01,\n")
    assert bureau.rows(
        "select organization_code, valid_to from registry.duty join registry.organization"
        " on organization_key = reporter_key"
    ) == [("T-9", date(2016, 1, 1))]
    bureau.site(duties_csv=head)
    assert bureau.value("select count(*) from registry.duty") == 0


class TestSeverities:
    RULE = "- {rule: HM01, severity: soft, owner: 统计科, reason: %s}\n"

    def test_rows_keep_their_history(self, bureau):
        for content in (self.RULE % "试行", self.RULE % "试行", self.RULE % "延长试行", ""):
            bureau.site(rules_yml=content)
        assert bureau.rows(
            "select reason, severity, ended_at is not null from registry.rule_severity order by severity_id"
        ) == [("试行", "soft", True), ("延长试行", "soft", True)]

    def test_softened_rule_only_warns_and_the_finding_says_whose_word_that_is(self, bureau):
        bureau.site(rules_yml=self.RULE % "试行")
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        assert bureau.revisions() == [(1, "accepted_with_warnings")]
        assert bureau.rows(
            "select f.rule_id, f.severity, s.owner from registry.finding f"
            " join registry.rule_severity s using (severity_id)"
        ) == [("HM01", "soft", "统计科")]

    def test_raised_rule_quarantines(self, bureau):
        bureau.site(
            rules_yml="- {rule: TWO_REPORTERS, severity: hard, owner: 统计科, reason: 先定代报关系}\n"
        )
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row(visits=2100), source="bureau")
        bureau.take_in()
        bureau.take_in("bureau")
        assert bureau.revisions() == [(1, "accepted"), (2, "quarantined")]

    def test_what_waits_is_judged_again_when_the_word_changes(self, bureau):
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        reconsider(bureau.settings, "试")
        bureau.site(rules_yml=self.RULE % "试行")
        assert [one.after for one in reconsider(bureau.settings, "放宽").changes] == [
            "accepted_with_warnings"
        ]
        assert bureau.visits() == 2000


class TestWaivers:
    WAIVER = "- {rule: HM01, owner: 统计科, reason: %s, expires_on: %s}\n"

    def test_waiver_counts_to_the_end_of_its_last_day(self, bureau):
        last = today(bureau.settings)
        bureau.site(waivers_yml=self.WAIVER % ("已核实", last))
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        assert bureau.revisions() == [(1, "accepted_with_warnings")]
        bureau.site(waivers_yml=self.WAIVER % ("已核实", last - timedelta(days=1)))
        bureau.send("b.csv", bureau.row("T-2", outpatient=9999))
        bureau.take_in()
        assert bureau.revisions("T-2") == [(1, "quarantined")]

    def test_what_an_expired_waiver_let_in_stays_until_somebody_replays_it(self, bureau):
        bureau.site(waivers_yml=self.WAIVER % ("已核实", "2099-12-31"))
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        bureau.site(waivers_yml=self.WAIVER % ("已核实", "2020-12-31"))
        assert reconsider(bureau.settings, "到期").changes == ()
        assert bureau.visits() == 2000
        planned = rederive(bureau.settings, reason="到期")
        assert [(one.before, one.after) for one in planned.changes] == [
            ("accepted_with_warnings", "quarantined")
        ]

    def test_other_wording_is_another_waiver_but_no_other_outcome(self, bureau):
        bureau.site(waivers_yml=self.WAIVER % ("已核实", "2099-12-31"))
        bureau.send("a.csv", bureau.row(outpatient=9999))
        bureau.take_in()
        bureau.site(waivers_yml=self.WAIVER % ("上级已批复", "2099-12-31"))
        assert rederive(bureau.settings, reason="措辞", dry_run=False).changes == ()
        assert bureau.revisions() == [(1, "accepted_with_warnings")]
        assert bureau.rows(
            "select w.reason, w.ended_at is not null from registry.finding f join registry.waiver w using (waiver_id)"
        ) == [("已核实", True)]


def test_region_is_one_however_long_files_write_its_code(bureau):
    head = "地区代码,月份,病种,发病数,死亡数\n"
    bureau.send_bytes("a.csv", (head + "440507,2015-01,0300,10,0\n").encode(), source="cdc")
    bureau.send_bytes("b.csv", (head + "440507000000,2015-01,0300,12,0\n").encode(), source="cdc")
    bureau.take_in("cdc")
    assert bureau.rows("select subject_code, region_code from registry.report") == [("440507", "440507")]
    assert len(bureau.revisions("440507")) == 2


def test_contradictory_events_are_findings_and_end_when_they_are_mended(bureau):
    """Nothing crashes: the day's greatest value counts until somebody mends the file."""
    twice = [*bureau.organizations, "T-1,2014-01-01,reclass,,B100,,", "T-1,2014-01-01,reclass,,A210,,"]
    bureau.site(organizations_csv="\n".join(twice) + "\n")
    rows = (
        "select organization_code, event_date, rule_id, resolved_at is null from registry.directory_finding"
    )
    assert bureau.rows(rows) == [("T-1", date(2014, 1, 1), "DIR_SAME_DAY", True)]
    assert [finding["rule_id"] for finding in directory.standing_findings(bureau.loader)] == ["DIR_SAME_DAY"]
    with bureau.loader.connect() as connection:
        spells = directory.versions(connection)
    assert spells.filter(spells["organization_code"] == "T-1")["class_code"].to_list() == ["A100", "B100"]
    shuffled = [twice[0], *reversed(twice[1:])]
    (bureau.settings.site / "organizations.csv").write_text("\n".join(shuffled) + "\n", encoding="utf-8")
    change = directory.take_in(bureau.loader, load_site(bureau.settings))
    assert (bool(change), change.contradictions) == (False, 1)
    bureau.site(organizations_csv="\n".join(twice[:-1]) + "\n")
    assert bureau.rows(rows) == [("T-1", date(2014, 1, 1), "DIR_SAME_DAY", False)]


def test_a_merged_unit_owes_nothing_any_more(bureau):
    """Its merge closes it; the unit that was split off owes from its first day."""
    head = (
        "organization_code,event_date,event_type,name_zh,class_code,region_code,related_organization_code\n"
    )
    lines = (
        "T-1,2010-01-01,open,甲,A100,440507,\nT-2,2010-01-01,open,乙,A100,440507,\n"
        "T-1,2015-03-01,merge,,,,T-2\nT-3,2015-02-01,split,丙,A100,440507,T-2\n"
        "T-9,2010-01-01,open,卫生局,,440507,\n"
    )
    duty = "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
    duties = "".join(f"hosp_monthly,organization,{code},{code},2015-01-01,,\n" for code in ("T-1", "T-3"))
    bureau.site(organizations_csv=head + lines, duties_csv=duty + duties)
    obligations.mark_due(bureau.loader, date(2015, 5, 31))
    assert bureau.rows(
        "select r.subject_code, min(r.period_start), max(r.period_end) from registry.obligation o"
        " join registry.report r using (report_id) group by 1 order by 1"
    ) == [
        ("T-1", date(2015, 1, 1), date(2015, 2, 28)),
        ("T-3", date(2015, 2, 1), date(2015, 4, 30)),
    ]
