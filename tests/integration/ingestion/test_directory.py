from datetime import date

import pytest

from ingestion import directory
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
