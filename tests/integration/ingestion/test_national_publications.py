"""Seven successive publications of the national bulletin of notifiable diseases, taken in as they appeared."""

import csv
import os
import shutil
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from ingestion import inbox, intake, registry
from ingestion.rederive import reconsider
from ingestion.site import load_site

PARTS = ("cases", "deaths")
SOURCES = '- {code: cdc, name_zh: 全国法定传染病月报, region_code: "000000"}\n'

# Months whose published parts do not add up to the published total, so in every publication that has them.
NOT_ADDING_UP = {
    "cases": [
        "2005-04",
        "2005-05",
        "2007-01",
        "2007-02",
        "2009-03",
        "2009-04",
        "2010-07",
        "2023-01",
        "2023-04",
    ],
    "deaths": ["2004-05", "2006-01", "2012-09", "2016-09", "2023-01"],
}
TWICE = "2010-10"

WAIVERS = """
- {rule: IM01, form: idr_monthly, subject: "000000", owner: 疾控科, reason: 公报原样如此, expires_on: 2099-12-31}
- {rule: IM03, form: idr_monthly, subject: "000000", owner: 疾控科, reason: 公报原样如此, expires_on: 2099-12-31}
"""

# The form's rule only warns; a bureau that wants totals to add up says so.
SEVERITIES = "- {rule: IM01, form: idr_monthly, severity: hard, owner: 疾控科, reason: 合计须相符}\n"


@pytest.fixture
def publications(shared_data):
    return sorted(path for path in (shared_data / "stone_zeng_cnid").iterdir() if path.is_dir())


def published(folder, part: str) -> dict[str, list[dict[str, str]]]:
    """What a publication says of each month, told apart from the intake: filled cells by column."""
    months: dict[str, list[dict[str, str]]] = {}
    with (folder / f"monthly-{part}.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            month = row.pop("月份")
            months.setdefault(month, []).append({name: value for name, value in row.items() if value})
    return months


def take_in(bureau, folder) -> intake.IntakeResult:
    moment = datetime.fromisoformat(folder.name[:10]).replace(tzinfo=UTC).timestamp()
    for part in PARTS:
        target = bureau.settings.inbox / "cdc" / folder.name / f"monthly-{part}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / f"monthly-{part}.csv", target)
        os.utime(target, (moment, moment))
    return bureau.take_in("cdc")


def test_months_are_new_unchanged_or_revised_as_an_independent_comparison_says(bureau, publications):
    bureau.site(sources_yml=SOURCES, rules_yml=SEVERITIES)
    before: dict[str, dict[str, list[dict[str, str]]]] = {part: {} for part in PARTS}
    for folder in publications:
        result = take_in(bureau, folder)
        for part in PARTS:
            now = published(folder, part)
            expected = Counter(
                "unchanged"
                if before[part].get(month) == rows
                else "quarantined"
                if month in (*NOT_ADDING_UP[part], TWICE)
                else "revised"
                if month in before[part]
                else "new"
                for month, rows in now.items()
            )
            (file,) = (file for file in result.files if part in file.name)
            assert file.reports == expected, f"{folder.name} {part}"
            before[part] = now


def test_contradictory_months_are_held_back_with_their_cell(bureau, publications):
    bureau.site(sources_yml=SOURCES, rules_yml=SEVERITIES)
    take_in(bureau, publications[-1])
    held = registry.quarantine(bureau.loader)
    assert {
        part: sorted(str(one.period_start)[:7] for one in held if one.part == part) for part in PARTS
    } == {part: sorted([*NOT_ADDING_UP[part], TWICE]) for part in PARTS}
    assert all(finding.cell for one in held for finding in one.findings)
    for one in held:
        if one.period_start == date(2010, 10, 1):
            (finding,) = one.findings
            assert finding.rule_id == "REPORT_TWICE_IN_FILE"
            assert "第83行、第84行" in finding.message_zh
    missing = [one for one in registry.findings(bureau.loader) if one.rule_id == "PERIOD_MISSING_IN_SERIES"]
    assert [one.value for one in missing] == ["2010-11", "2010-11"]


def test_waived_months_come_in_but_a_month_that_stands_twice_never_does(bureau, publications):
    bureau.site(sources_yml=SOURCES, rules_yml=SEVERITIES)
    for folder in publications[-2:]:
        take_in(bureau, folder)
    bureau.site(waivers_yml=WAIVERS)
    reconsider(bureau.settings, "公报原样")
    held = registry.quarantine(bureau.loader)
    assert {one.period_start for one in held} == {date(2010, 10, 1)}
    assert bureau.value(
        "select cases from raw.idr_monthly w join registry.report r on r.current_revision_id = w.revision_id"
        " where r.period_start = date '2010-07-01' and r.part = 'cases' and disease_code = 'ABC_TOTAL'"
    ) == int(published(publications[-1], "cases")["2010-07"][0]["甲乙丙类总计"])


def test_a_night_without_a_new_publication_finds_nothing_waiting(bureau, publications):
    bureau.site(sources_yml=SOURCES, rules_yml=SEVERITIES)
    take_in(bureau, publications[0])
    assert inbox.waiting(bureau.settings, load_site(bureau.settings).source("cdc")) == []
