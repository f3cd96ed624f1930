"""The Longhu sample through the real reader and the forms' own rules, without a database."""

from datetime import date
from pathlib import Path

import pytest

from ingestion.checks import CheckContext, check
from ingestion.findings import Finding
from ingestion.forms_catalogue import load_forms
from ingestion.reading import Reading, SourceContext, read_file
from samples.longhu import AMENDMENT, BROKEN, RESENT, write

READINGS = dict[str, list[Reading]]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> READINGS:
    home = tmp_path_factory.mktemp("longhu")
    catalogue = load_forms()
    files = write(home) + write(home, delivery="amendment")
    return {name: read(path, name, catalogue) for path in files for name in [named(path, home)]}


def named(path: Path, home: Path) -> str:
    return path.relative_to(home / "inbox").as_posix()


def read(path: Path, name: str, catalogue) -> list[Reading]:
    lane, _, rest = name.partition("/")
    source = SourceContext(lane, None if lane == "hospital" else "440507")
    return read_file(path, name=rest, catalogue=catalogue, source=source)


def findings(readings: READINGS) -> list[tuple[str, Finding]]:
    return [
        (name, finding)
        for name, found in readings.items()
        for reading in found
        for finding in [*reading.findings, *check(reading, CheckContext())]
    ]


def test_every_file_is_recognised_as_one_form(readings: READINGS) -> None:
    assert {name for name, found in readings.items() if len({r.form.code for r in found}) != 1} == set()


def test_only_the_report_that_is_meant_to_breaks_a_hard_rule(readings: READINGS) -> None:
    hard = [(name, f.rule_id) for name, f in findings(readings) if f.severity == "hard"]
    assert hard == [(BROKEN.file, BROKEN.rule)]


def test_the_one_warning_is_that_more_women_were_tested_than_delivered(readings: READINGS) -> None:
    soft = [(name.partition("/")[0], f.rule_id) for name, f in findings(readings) if f.severity == "soft"]
    assert soft == [("mch", "MM07S")]


def test_contents_differ_only_where_a_report_was_amended_or_broken(readings: READINGS) -> None:
    hashes: dict[tuple[str, str, date, date], set[str]] = {}
    for found in readings.values():
        for reading in found:
            for row in reading.reports.iter_rows(named=True):
                key = (reading.form.code, row["subject_ref"], row["period_start"], row["period_end"])
                hashes.setdefault(key, set()).add(row["content_hash"])
    differing = {(form, start) for (form, _, start, _), contents in hashes.items() if len(contents) > 1}
    assert differing == {(i.form, i.period_start) for i in (AMENDMENT, BROKEN)}
    assert RESENT.period_start not in {start for _, start in differing}


def test_reports_are_counted(readings: READINGS) -> None:
    # 132 months of units; the year-to-date workbooks repeat 66; one re-sent, one broken, one amended.
    counts: dict[str, int] = {}
    for found in readings.values():
        for reading in found:
            counts[reading.form.code] = counts.get(reading.form.code, 0) + reading.reports.height
    assert counts == {
        "hosp_monthly": 132 + 66 + 3,
        "inst_annual_hospital": 6,
        "inst_annual_phc": 5,
        "idr_monthly": 12,
        "mch_maternal_annual": 1,
        "mch_child_annual": 1,
        "epi_monthly": 60,
        "hiv_test_monthly": 36,
        "newborn_screening_monthly": 36,
        "bphs_quarterly": 20,
        "smi_quarterly": 4,
        "women_screening_quarterly": 4,
        "women_screening_annual": 1,
        "toilet_quarterly": 40,
        "task_progress": 12,
        "population_denominators": 2,
        "finance_annual": 1,
        # Cards are read as a stream, apart from reports.
        "certification_register": 0,
    }
