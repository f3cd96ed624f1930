"""Probes: one scan leaves findings for many checks, to be judged again; whatever goes wrong, the gate fails closed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from expectations import findings, gate, history, probes
from expectations.catalogue import Catalogue, load
from expectations.results import last_verdict
from expectations.scope import Look
from warehouse.database import Role, make_engine
from warehouse.release import Candidate, open_candidate, publish, reject
from warehouse.settings import Settings
from warehouse.star import make_views

SUITE = """
table: units
key: [subject_code]
rows: always
checks:
  - id: units.grain
    question: Is there one row per unit?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectKeyToBeUnique, columns: [subject_code]}
    message_zh: 同一单位出现多行
    message_en: a unit has two rows
"""
PROBE = """
probe: size
tables: [units]
when_empty: 没有该报表
kinds:
  - kind: large
    question: Is no unit too large?
    dimension: plausibility
    severity: warning
    owner: reporting_unit
    since: 2026-11-22
    threshold: 10
    per: form
    policy: none
    message_zh: 单位过大
    message_en: a unit is too large
"""
SQL = """
select 'large' as kind, units.form_code as item, null::bigint as looked, units.subject_code, units.amount as score,
    units.amount as observed, 'so large' as cause
from candidate.units where units.amount > 5
union all
select null, form_code, count(*), null, null, null, null from candidate.units group by form_code
"""
UNITS = [("U1", "a", 3), ("U2", "a", 8), ("U3", "a", 12), ("U4", "b", 30)]


@pytest.fixture
def auditor(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.AUDITOR)
    yield engine
    engine.dispose()


@pytest.fixture
def builder(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.BUILDER)
    yield engine
    engine.dispose()


@pytest.fixture
def candidate(builder: Engine) -> Candidate:
    return begin(builder, UNITS)


def begin(builder: Engine, units: list[tuple[str, str, int]]) -> Candidate:
    opened = open_candidate(builder, "test", force=True)
    assert opened is not None
    test = {"name": "a", "model": "units", "severity": "error", "status": "pass", "failures": 0}
    with builder.begin() as connection:
        connection.execute(
            text(
                "create table if not exists star.units"
                " (subject_code text, form_code text, amount int, release_from int, release_to int)"
            )
        )
        connection.execute(text("truncate star.units"))
        connection.execute(
            text("insert into star.units values (:unit, :form, :amount, :release, 2147483647)"),
            [{"unit": u, "form": f, "amount": a, "release": opened.release_id} for u, f, a in units],
        )
        make_views(connection, "candidate", "candidate_release")
        connection.execute(
            text("update warehouse.release set summary = cast(:s as jsonb) where release_id = :id"),
            {
                "s": json.dumps({"dbt_tests": [test | {"message": None, "query": None}]}),
                "id": opened.release_id,
            },
        )
    return opened


def catalogue(folder: Path, sql: str = SQL, forms: tuple[str, ...] = ("a", "b", "c")) -> Catalogue:
    (folder / "suites").mkdir(exist_ok=True)
    (folder / "probes").mkdir(exist_ok=True)
    (folder / "suites" / "units.yml").write_text(SUITE.lstrip(), encoding="utf-8")
    (folder / "probes" / "size.yml").write_text(PROBE.lstrip(), encoding="utf-8")
    (folder / "probes" / "size.sql").write_text(sql, encoding="utf-8")
    made = probes.load({"form": forms}, folder / "probes")
    return Catalogue(load(folder / "suites").suites, tuple(made))


def test_one_scan_answers_a_check_for_each_form_and_says_why_one_has_nothing_to_ask(
    settings: Settings, candidate: Candidate, tmp_path: Path
):
    verdict = gate.audit(settings, candidate, catalogue=catalogue(tmp_path))
    assert verdict.passed
    by_check = {result.check_id: result for result in verdict.results if result.suite == "size"}
    facts = {
        name: (one.status, one.failing_rows, one.denominator, one.scope) for name, one in by_check.items()
    }
    assert facts == {
        "size.large_a": ("failed", 1, 3, "form a"),
        "size.large_b": ("failed", 1, 1, "form b"),
        "size.large_c": ("not_applicable", 0, 0, "form c"),
    }
    assert by_check["size.large_c"].observed == "没有该报表"
    assert by_check["size.large_a"].observed == "U3 (so large)"


def test_other_thresholds_are_judged_without_looking_at_a_fact(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    gate.audit(settings, candidate, catalogue=catalogue(tmp_path))
    reject(builder, candidate, "the rows are gone")
    looser, stricter = (history.judge(auditor, {"size.large_a": threshold})[0] for threshold in (15.0, 6.0))
    assert (looser.status_before, looser.status, looser.failing_rows) == ("failed", "passed", 0)
    assert (stricter.status, stricter.failing_rows) == ("failed", 2)


def test_two_releases_are_compared_by_what_came_and_went(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    declared = catalogue(tmp_path)
    gate.audit(settings, candidate, catalogue=declared)
    reject(builder, candidate, "the next night")
    following = begin(builder, [("U1", "a", 50), ("U4", "b", 30)])
    gate.audit(settings, following, catalogue=declared)
    changes = {
        row["check_id"]: (row["came"], row["went"], row["stayed"])
        for row in history.compare(auditor, candidate.release_id, following.release_id)
    }
    assert changes["size.large_a"] == (1, 1, 0)
    assert "size.large_b" not in changes


@pytest.mark.parametrize(
    "sql",
    [
        SQL.replace("candidate.units", "candidate.nowhere"),
        SQL.replace("units.amount as score", "units.amount / (units.amount - units.amount) as score"),
        SQL.replace("'large' as kind", "'unheard_of' as kind"),
        "select 1 as nothing",
    ],
    ids=["lost table", "error in the middle", "undeclared kind", "no finding at all"],
)
def test_a_probe_that_breaks_blocks_with_all_its_checks(
    sql: str, settings: Settings, candidate: Candidate, tmp_path: Path
):
    verdict = gate.audit(settings, candidate, catalogue=catalogue(tmp_path, sql))
    assert not verdict.passed
    assert {one.check_id: one.status for one in verdict.blocking} == {
        f"size.large_{form}": "error" for form in "abc"
    }


def test_a_check_taken_out_of_a_probe_whose_findings_it_answered_for_blocks(
    settings: Settings, candidate: Candidate, tmp_path: Path
):
    verdict = gate.audit(settings, candidate, catalogue=catalogue(tmp_path, forms=("a",)))
    assert [(one.check_id, one.status) for one in verdict.blocking] == [("size.large_a", "error")]
    assert "size.large_b" in str(verdict.blocking[0].observed) or "declared" in str(
        verdict.blocking[0].observed
    )


def test_without_a_place_for_results_there_is_no_verdict(
    settings: Settings, candidate: Candidate, tmp_path: Path
):
    owner = make_engine(settings, Role.OWNER)
    with owner.begin() as connection:
        connection.execute(text("alter table audit.finding rename to away"))
    with pytest.raises(DBAPIError):
        gate.audit(settings, candidate, catalogue=catalogue(tmp_path))
    with owner.begin() as connection:
        verdict = connection.scalar(
            text("select verdict from warehouse.release where release_id = :id"), {"id": candidate.release_id}
        )
    owner.dispose()
    assert verdict is None


def test_results_name_places_and_no_more_than_the_probe_selects(
    settings: Settings, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    gate.audit(settings, candidate, catalogue=catalogue(tmp_path))
    rows = findings.failing(auditor)
    assert [(row["check_id"], row["subject_code"], row["is_new"]) for row in rows] == [
        ("size.large_a", "U3", True),
        ("size.large_b", "U4", True),
    ]
    assert last_verdict(auditor) is not None


def test_each_unit_gets_a_page_and_a_workbook_of_what_it_has_to_mend(
    settings: Settings, candidate: Candidate, tmp_path: Path
):
    from openpyxl import load_workbook

    from expectations import quality

    assert quality.build(settings) is None
    gate.audit(settings, candidate, catalogue=catalogue(tmp_path))
    first = quality.build(settings)
    assert first is not None
    index = first.read_text(encoding="utf-8")
    assert "size.large_a" in index
    assert 'href="U3.html"' in index
    assert not (first.parent / "U1.html").exists()
    page = (first.parent / "U3.html").read_text(encoding="utf-8")
    assert "单位过大" in page
    assert "so large" in page
    sheet = load_workbook(first.parent / "U3.xlsx").active
    assert [cell.value for cell in sheet[4]][3:7] == [12, None, "单位过大", "so large"]


def test_findings_of_series_that_did_not_change_still_hold_and_are_not_new(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    declared = catalogue(
        tmp_path, SQL.replace("candidate.units", "candidate.units where $changed(units.amount)", 1)
    )
    (probe,) = declared.probes
    file = tmp_path / "probes" / "size.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("when_empty", "carried: span\nwhen_empty"),
        encoding="utf-8",
    )
    sql = "\n".join(
        line.replace("where $changed(units.amount) where", "where $changed(units.amount) and")
        for line in probe.sql.splitlines()
    )
    (tmp_path / "probes" / "size.sql").write_text(sql, encoding="utf-8")
    (probe,) = probes.load({"form": ("a", "b", "c")}, tmp_path / "probes")
    gate.audit(settings, candidate, catalogue=Catalogue(declared.suites, (probe,)))
    publisher = make_engine(settings, Role.PUBLISHER)
    publish(publisher, candidate)
    publisher.dispose()
    following = begin(builder, UNITS)
    assert following.base_release == candidate.release_id
    nothing = Look(reports="null", periods="(null, null)")
    with auditor.begin() as connection:
        findings.collect(connection, following, probe, nothing)
        assert findings.tally(connection, following.release_id, following.attempt) == {}
        findings.carry(connection, following, probe)
        findings.settle(connection, following, [], [])
        tallies = findings.tally(connection, following.release_id, following.attempt)
    assert {name: (one.failing, one.new) for name, one in tallies.items()} == {
        "size.large_a": (1, 0),
        "size.large_b": (1, 0),
    }
