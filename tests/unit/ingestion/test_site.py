from datetime import date

import pytest

from ingestion.site import SiteError, load_site

SOURCES = "- code: hospital\n  name_zh: 医院\n- code: cdc\n  name_zh: 疾控中心\n  region_code: 440507\n"
ORGANIZATIONS = (
    "organization_code,event_date,event_type,name_zh,class_code,is_branch\n"
    "X-1,2010-01-01,open,甲医院,A100,否\n"
    "X-1,2014-07-01,rename,甲中心医院,,\n"
)
DUTIES = (
    "form_code,subject_type,subject_code,reporter_code,valid_from,valid_to,exempt_reason\n"
    "hosp_monthly,organization,X-1,X-1,2015-01-01,,\n"
)


def write(settings, **files):
    settings.site.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = settings.site / name.replace("_csv", ".csv").replace("_yml", ".yml")
        path.write_text(content, encoding="utf-8")


def error_of(settings) -> str:
    with pytest.raises(SiteError) as raised:
        load_site(settings)
    return str(raised.value)


def test_sources_take_their_inbox_from_the_settings(settings):
    write(settings, sources_yml=SOURCES)
    site = load_site(settings)
    assert site.source("hospital").inbox == str(settings.inbox / "hospital")
    assert site.source("cdc").region_code == "440507"
    assert site.waivers == ()


def test_list_may_stand_under_the_name_of_its_file(settings):
    write(settings, sources_yml="sources:\n  - {code: cdc, name_zh: 疾控中心}\n", waivers_yml="waivers: []\n")
    assert [source.code for source in load_site(settings).sources] == ["cdc"]


def test_empty_cells_mean_unchanged(settings):
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS)
    opened, renamed = load_site(settings).organizations
    assert opened.is_branch is False
    assert renamed.class_code is None
    assert renamed.is_branch is None


def test_spreadsheet_byte_order_mark_is_tolerated(settings):
    write(settings, sources_yml=SOURCES, organizations_csv="\ufeff" + ORGANIZATIONS)
    assert load_site(settings).organizations[0].event_date == date(2010, 1, 1)


def test_missing_sources_file_says_where_it_belongs(settings):
    assert "sources.yml is missing" in error_of(settings)


def test_wrong_date_names_file_line_and_column(settings):
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS.replace("2014-07-01", "2014-17-01"))
    message = error_of(settings)
    assert "organizations.csv:3" in message
    assert "event_date" in message


def test_unknown_column_lists_those_that_exist(settings):
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS.replace("name_zh", "name"))
    message = error_of(settings)
    assert "organizations.csv:2" in message
    assert "name_zh" in message


def test_repeated_event_names_both_lines(settings):
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS + "X-1,2014-07-01,rename,乙,,\n")
    assert "organizations.csv:4 repeats line 3" in error_of(settings)


def test_duty_of_an_unknown_unit_is_refused(settings):
    write(
        settings,
        sources_yml=SOURCES,
        organizations_csv=ORGANIZATIONS,
        duties_csv=DUTIES.replace("X-1", "X-9"),
    )
    assert "'X-9'" in error_of(settings)


def test_duty_that_ends_before_it_begins_is_refused(settings):
    broken = DUTIES.replace("2015-01-01,,", "2015-01-01,2014-01-01,")
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS, duties_csv=broken)
    assert "duties.csv:2" in error_of(settings)


def test_waiver_without_owner_names_its_line(settings):
    write(
        settings,
        sources_yml=SOURCES,
        waivers_yml="# known\n- rule: IM01\n  reason: 公报原样\n  expires_on: 2030-12-31\n",
    )
    message = error_of(settings)
    assert "waivers.yml:2" in message
    assert "owner" in message


def test_broken_yaml_names_its_line(settings):
    write(settings, sources_yml="- code: a\n  name_zh: [\n")
    assert "sources.yml:3" in error_of(settings)


def test_unknown_source_is_answered_with_those_configured(settings):
    write(settings, sources_yml=SOURCES)
    with pytest.raises(SiteError, match="hospital, cdc"):
        load_site(settings).source("mch")
