import ast
import re
from datetime import date
from pathlib import Path

import pytest

import ingestion
from ingestion.judging import NEVER_WAIVED
from ingestion.known_rules import OF_INTAKE
from ingestion.site import SiteError, canonical_region, load_site

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


def test_an_event_told_twice_is_no_error_of_the_file(settings):
    """Whether the two say the same is a finding of the directory."""
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS + "X-1,2014-07-01,rename,乙,,\n")
    assert len(load_site(settings).organizations) == 3


def test_duty_of_an_unknown_unit_is_refused(settings):
    write(
        settings,
        sources_yml=SOURCES,
        organizations_csv=ORGANIZATIONS,
        duties_csv=DUTIES.replace("X-1", "X-9"),
    )
    assert "'X-9'" in error_of(settings)


def test_duties_of_one_subject_follow_each_other(settings):
    spells = DUTIES + "hosp_monthly,organization,X-1,X-1,2016-01-01,,\n"
    write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS, duties_csv=spells)
    assert "two duties of X-1 for hosp_monthly at once" in error_of(settings)
    closed = spells.replace("2015-01-01,,", "2015-01-01,2015-07-01,")
    write(settings, duties_csv=closed)
    assert len(load_site(settings).duties) == 2


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


class TestRegions:
    @pytest.mark.parametrize("code", ["440507", "440507000", "440507000000"])
    def test_one_region_however_long_its_code_is_written(self, settings, code):
        sources = SOURCES.replace("region_code: 440507", f"region_code: {code}")
        units = ORGANIZATIONS.replace("is_branch\n", "is_branch,region_code\n").replace(
            ",否\n", f",否,{code}\n"
        )
        duty = DUTIES + f"idr_monthly,region,{code},X-1,2015-01-01,,\n"
        write(settings, sources_yml=sources, organizations_csv=units, duties_csv=duty)
        site = load_site(settings)
        assert site.source("cdc").region_code == "440507"
        assert site.organizations[0].region_code == "440507"
        assert site.duties[1].subject_code == "440507"

    def test_county_of_a_unit_is_no_township(self, settings):
        units = ORGANIZATIONS.replace("is_branch\n", "is_branch,region_code\n").replace(
            ",否\n", ",否,440507001\n"
        )
        write(settings, sources_yml=SOURCES, organizations_csv=units)
        message = error_of(settings)
        assert "organizations.csv:2: region_code" in message
        assert "440507001 is a township" in message

    def test_name_is_no_region(self, settings):
        write(settings, sources_yml=SOURCES.replace("440507", "龙湖区"))
        assert "six digits" in error_of(settings)
        duty = DUTIES + "idr_monthly,region,龙湖区,X-1,2015-01-01,,\n"
        write(settings, sources_yml=SOURCES, organizations_csv=ORGANIZATIONS, duties_csv=duty)
        assert "duties.csv:3" in error_of(settings)

    def test_township_keeps_its_nine_digits(self):
        codes = ("440507001", "440507001000", "440507001002", "000000", "龙湖")
        assert [canonical_region(code) for code in codes] == [
            "440507001", "440507001", "440507001002", "000000", None,
        ]  # fmt: skip


class TestSeverities:
    RULE = "- {rule: HM14, form: hosp_monthly, severity: soft, owner: 统计科, reason: 本区代报单位在登记中}\n"

    def test_rules_are_read(self, settings):
        write(settings, sources_yml=SOURCES, rules_yml=self.RULE)
        (one,) = load_site(settings).severities
        assert (one.rule, one.form, one.severity, one.owner) == ("HM14", "hosp_monthly", "soft", "统计科")

    @pytest.mark.parametrize(
        ("wrong", "what"),
        [(("severity: soft", "severity: mild"), "severity"), ((", owner: 统计科", ""), "owner")],
    )
    def test_wrong_severity_names_its_line(self, settings, wrong, what):
        write(settings, sources_yml=SOURCES, rules_yml="# own\n" + self.RULE.replace(*wrong))
        message = error_of(settings)
        assert "rules.yml:2" in message
        assert what in message

    def test_rule_has_one_severity_a_form(self, settings):
        write(settings, sources_yml=SOURCES, rules_yml=self.RULE + self.RULE)
        assert "rules.yml:2 repeats line 1" in error_of(settings)

    @pytest.mark.parametrize("rule", sorted(NEVER_WAIVED))
    def test_rules_that_say_whose_number_it_is_are_neither_softened_nor_waived(self, settings, rule):
        write(settings, sources_yml=SOURCES, rules_yml=self.RULE.replace("HM14", rule))
        assert "stays hard" in error_of(settings)
        waiver = f"- {{rule: {rule}, owner: 统计科, reason: 试, expires_on: 2099-12-31}}\n"
        write(settings, rules_yml="", waivers_yml=waiver)
        assert "cannot be waived" in error_of(settings)


class TestHolidays:
    def test_days_off_and_weekends_that_are_worked(self, settings):
        write(
            settings,
            sources_yml=SOURCES,
            holidays_csv="date,working,name\n2015-10-01,,国庆节\n2015-10-10,是,\n",
        )
        off, worked = load_site(settings).holidays
        assert (off.day, off.working, off.name) == (date(2015, 10, 1), False, "国庆节")
        assert (worked.day, worked.working) == (date(2015, 10, 10), True)

    def test_day_stands_once(self, settings):
        write(settings, sources_yml=SOURCES, holidays_csv="date\n2015-10-01\n2015-10-01\n")
        assert "holidays.csv:3 repeats line 2" in error_of(settings)

    def test_date_alone_is_enough_and_a_wrong_one_names_its_line(self, settings):
        write(settings, sources_yml=SOURCES, holidays_csv="date\n2015-10-41\n")
        assert "holidays.csv:2: date" in error_of(settings)


class TestRegionsOfABureau:
    HEAD = "region_code,event_date,event_type,name_zh,level,became_code\n"

    def test_statistics_follow_from_the_next_new_year_on(self, settings):
        rows = "990101,2013-05-04,open,甲区,county,\n990102,2014-01-01,close,,,990101\n"
        write(settings, sources_yml=SOURCES, regions_csv=self.HEAD + rows)
        opened, closed = load_site(settings).regions
        assert (opened.statistics_from, closed.statistics_from) == (date(2014, 1, 1), date(2014, 1, 1))
        assert (opened.level, closed.became_code) == ("county", "990101")

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("9901,2013-05-04,open,甲区,county,", "region_code"),
            ("990101,2013-05-04,open,甲区,,", "needs name_zh and level"),
            ("990101,2013-05-04,rename,,,", "needs name_zh"),
            ("990101,2013-05-04,open,甲区,county,990102", "belongs to a region that closes"),
        ],
    )
    def test_what_is_missing_or_out_of_place_names_its_line(self, settings, row, said):
        write(settings, sources_yml=SOURCES, regions_csv=f"{self.HEAD}{row}\n")
        assert "regions.csv:2" in error_of(settings)
        assert said in error_of(settings)


WAIVER = "- {{rule: {}, form: {}, owner: 统计科, reason: 已核实, expires_on: 2099-12-31}}\n"
SEVERITY = "- {{rule: {}, form: {}, severity: soft, owner: 统计科, reason: 试行}}\n"


@pytest.mark.parametrize(
    ("rule", "form", "said"),
    [
        ("HM-01", "hosp_monthly", "There is no rule 'HM-01' in form 'hosp_monthly'; is it 'HM01'?"),
        ("HM01", "hosp_montly", "There is no form 'hosp_montly'; is it 'hosp_monthly'?"),
        ("HM01", "idr_monthly", "There is no rule 'HM01' in form 'idr_monthly'; is it 'IM01'?"),
        ("TWO_REPORTER", "null", "There is no rule 'TWO_REPORTER'; is it 'TWO_REPORTERS'?"),
    ],
)
def test_waivers_and_severities_name_rules_and_forms_that_there_are(settings, rule, form, said):
    write(settings, sources_yml=SOURCES, waivers_yml=WAIVER.format(rule, form))
    assert said in error_of(settings)
    assert "waivers.yml" in error_of(settings)
    write(settings, waivers_yml="", rules_yml=SEVERITY.format(rule, form))
    assert said in error_of(settings)
    assert "rules.yml" in error_of(settings)


def test_rules_of_intake_and_of_forms_may_be_named_with_a_form_or_without(settings):
    entries = [
        SEVERITY.format(rule, form) for rule in ("HM01", "STALE_COPY") for form in ("hosp_monthly", "null")
    ]
    write(settings, sources_yml=SOURCES, rules_yml="".join(entries))
    assert len(load_site(settings).severities) == 4


def test_every_rule_of_intake_is_known():
    """Texts that look like the name of a rule, in the code: of them only these are none that a report can break."""
    no_rule = re.compile(r"DIR_[A-Z_]+|ERROR_MARKS|NULL_MARKS|POLARS_MAX_THREADS")
    texts = {
        node.value
        for path in Path(ingestion.__file__).parent.rglob("*.py")
        if path.name != "known_rules.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {one for one in texts if re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", one) and not no_rule.fullmatch(one)}
    assert names == OF_INTAKE
