"""The gate on small hand-made candidates: it passes what is right, and whatever goes wrong, it fails closed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from expectations import gate, results
from expectations.catalogue import Catalogue, load
from expectations.results import CheckResult
from warehouse.database import Role, make_engine
from warehouse.errors import CandidateLost, GateNotPassed
from warehouse.release import Candidate, open_candidate, publish, reject
from warehouse.settings import Settings
from warehouse.star import make_views

HEAD = """
table: things
key: [thing_id]
rows: always
checks:
"""
CHECK = """
  - id: things.{name}
    question: Does it hold?
    dimension: conformance
    severity: {severity}
    since: 2026-11-22
    expectation: {expectation}
    message_zh: 不成立
    message_en: it does not hold
"""
KINDS = {
    "not_null": "{type: ExpectColumnValuesToNotBeNull, column: code}",
    "in_set": "{type: ExpectColumnValuesToBeInSet, column: code, value_set: [a, b]}",
    "between": "{type: ExpectColumnValuesToBeBetween, column: amount, min_value: 0, max_value: 100}",
    "matches": '{type: ExpectColumnValuesToMatchRegex, column: code, regex: "^[a-z]$"}',
    "where": "{type: ExpectNoRowsWhere, condition: \"amount > 50 and code like 'b%'\"}",
    "unique": "{type: ExpectKeyToBeUnique, columns: [thing_id, code]}",
    "query": '{type: ExpectNoRowsFromQuery, query: "select a.thing_id, a.amount from candidate.things as a'
    ' inner join candidate.things as b on a.thing_id = b.thing_id + 1 where a.amount < b.amount"}',
}
GOOD_ROWS = "(1, 'a', 10), (2, 'b', 20), (3, 'a', 30)"
# For each kind of check, rows on which it and only it fails.
BAD_ROWS = {
    "not_null": "(1, 'a', 10), (2, null, 20)",
    "in_set": "(1, 'a', 10), (2, 'c', 20)",
    "between": "(1, 'a', 10), (2, 'a', 101)",
    "matches": "(1, 'a', 10), (2, 'B1', 20)",
    "where": "(1, 'a', 10), (2, 'b', 60)",
    "unique": "(1, 'a', 10), (1, 'a', 10)",
    "query": "(1, 'a', 10), (2, 'b', 5)",
}


@pytest.fixture
def builder(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.BUILDER)
    yield engine
    engine.dispose()


@pytest.fixture
def auditor(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.AUDITOR)
    yield engine
    engine.dispose()


@pytest.fixture
def candidate(builder: Engine) -> Candidate:
    """An open candidate with one table."""
    opened = open_candidate(builder, "test", force=True)
    assert opened is not None
    fill(builder, opened, GOOD_ROWS)
    tested(builder, opened)
    return opened


def tested(builder: Engine, candidate: Candidate, **changed: object) -> None:
    """Leave what a build leaves: outcomes of dbt's data tests."""
    test = {"name": "a", "model": "things", "severity": "error", "status": "pass", "failures": 0}
    tests = [test | {"message": None, "query": None} | changed]
    with builder.begin() as connection:
        connection.execute(
            text("update warehouse.release set summary = cast(:summary as jsonb) where release_id = :id"),
            {"summary": json.dumps({"dbt_tests": tests}), "id": candidate.release_id},
        )


def fill(builder: Engine, candidate: Candidate, rows: str) -> None:
    with builder.begin() as connection:
        connection.execute(
            text(
                "create table if not exists star.things"
                " (thing_id int, code text, amount int, release_from int, release_to int)"
            )
        )
        connection.execute(text("truncate star.things"))
        if rows:
            connection.execute(
                text(
                    f"insert into star.things select v.*, {candidate.release_id}, 2147483647 from (values {rows}) as v"
                )
            )
        make_views(connection, "candidate", "candidate_release")


def declare(folder: Path, *names: str, severity: str = "critical", **others: str) -> Catalogue:
    """A catalogue of the named kinds, and of others given as name=expectation."""
    wanted = {name: KINDS[name] for name in names} | others
    checks = [CHECK.format(name=name, severity=severity, expectation=kind) for name, kind in wanted.items()]
    (folder / "things.yml").write_text(
        (HEAD + "".join(checks)).replace("\n\n", "\n").lstrip(), encoding="utf-8"
    )
    return load(folder)


def stored(auditor: Engine, candidate: Candidate) -> tuple[str | None, dict[str, str], dict]:
    with auditor.connect() as connection:
        release = connection.execute(
            text("select verdict, summary from warehouse.release where release_id = :id"),
            {"id": candidate.release_id},
        ).one()
        checks = connection.execute(
            text(
                "select check_id, status from audit.check_result where release_id = :id and attempt = :attempt"
            ),
            {"id": candidate.release_id, "attempt": candidate.attempt},
        )
        return release.verdict, {row.check_id: row.status for row in checks}, release.summary


def test_a_sound_candidate_passes_and_every_declared_check_has_a_result(
    settings: Settings, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    assert verdict.passed, verdict.details()
    word, checks, summary = stored(auditor, candidate)
    assert word == "passed"
    declared = ["things.rows", *(f"things.{name}" for name in KINDS), "dbt.tests_ran", "dbt.a"]
    assert checks == dict.fromkeys(declared, "passed")
    assert summary["checks"] == {
        "declared": 10,
        "passed": 10,
        "not_applicable": 0,
        "critical": 0,
        "warning": 0,
    }
    publisher = make_engine(settings, Role.PUBLISHER)
    publish(publisher, candidate)
    publisher.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_check_can_fail_and_says_how_many_rows_and_where(
    kind: str, settings: Settings, builder: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, BAD_ROWS[kind])
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, kind))
    assert not verdict.passed
    (failed,) = verdict.failed
    assert (failed.check_id, failed.status, failed.failing_rows) == (f"things.{kind}", "failed", 1)
    assert "thing_id=" in str(failed.observed)
    with make_engine(settings, Role.AUDITOR).connect() as connection:
        assert len(connection.execute(text(str(failed.failing_query))).all()) == 1
    assert failed.check_id in verdict.line()
    assert "1 row," in verdict.line()
    assert str(failed.failing_query) in verdict.line()


def test_a_critical_failure_keeps_the_candidate_from_being_published(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, BAD_ROWS["between"])
    gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    word, checks, summary = stored(auditor, candidate)
    assert word == "failed"
    assert checks["things.between"] == "failed"
    assert summary["not_passed"][0] == {
        "check": "things.between",
        "severity": "critical",
        "status": "failed",
        "rows": 1,
    }
    publisher = make_engine(settings, Role.PUBLISHER)
    with pytest.raises(GateNotPassed):
        publish(publisher, candidate)
    publisher.dispose()


def test_what_failed_is_still_known_after_the_candidate_is_rejected(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, BAD_ROWS["between"])
    gate.audit(settings, candidate, catalogue=declare(tmp_path, "between"))
    reject(builder, candidate, "gate")
    verdict = results.last_verdict(auditor)
    assert verdict is not None
    assert verdict.blocking[0].observed == "thing_id=2"


def test_a_warning_does_not_block(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, BAD_ROWS["between"])
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, "between", severity="warning"))
    assert verdict.passed
    assert [result.check_id for result in verdict.failed] == ["things.between"]
    assert stored(auditor, candidate)[0] == "passed"
    assert "1 warnings" in verdict.line()


def test_a_check_on_a_column_that_is_not_there_breaks_alone_and_blocks(
    settings: Settings, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    broken = {
        "lost_column": "{type: ExpectColumnValuesToNotBeNull, column: nowhere}",
        "lost_condition": '{type: ExpectNoRowsWhere, condition: "nowhere > 1"}',
        "lost_key": "{type: ExpectKeyToBeUnique, columns: [nowhere]}",
        "lost_query": '{type: ExpectNoRowsFromQuery, query: "select thing_id from candidate.nowhere"}',
        "no_sql": '{type: ExpectNoRowsWhere, condition: "amount >"}',
        "division": '{type: ExpectNoRowsWhere, condition: "amount / (amount - amount) > 1"}',
    }
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS, **broken))
    assert not verdict.passed
    word, checks, _ = stored(auditor, candidate)
    assert word == "failed"
    assert {name for name, status in checks.items() if status == "error"} == {
        f"things.{name}" for name in broken
    }
    assert {name for name, status in checks.items() if status == "passed" and "dbt" not in name} == {
        "things.rows",
        *(f"things.{name}" for name in KINDS),
    }
    assert all(result.observed for result in verdict.failed)


def test_a_table_that_is_not_there_breaks_all_its_checks(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    with builder.begin() as connection:
        connection.execute(text("drop view candidate.things"))
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    assert not verdict.passed
    word, checks, _ = stored(auditor, candidate)
    assert word == "failed"
    things = [status for name, status in checks.items() if name.startswith("things.")]
    assert things == ["error"] * (len(KINDS) + 1)


def test_an_empty_table_that_must_have_rows_fails_and_proves_nothing_else(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, "")
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    assert not verdict.passed
    _, checks, _ = stored(auditor, candidate)
    assert checks["things.rows"] == "failed"
    assert {status for name, status in checks.items() if name in map("things.{}".format, KINDS)} == {
        "missing"
    }


def test_an_empty_table_is_fine_where_nothing_was_reported(
    settings: Settings, builder: Engine, candidate: Candidate, tmp_path: Path
):
    fill(builder, candidate, "")
    declare(tmp_path, *KINDS)
    suite = tmp_path / "things.yml"
    suite.write_text(suite.read_text().replace("rows: always", "rows: {when_reported: [hosp_monthly]}"))
    assert gate.audit(settings, candidate, catalogue=load(tmp_path)).passed


def test_a_declared_check_that_gives_no_result_is_missing_and_blocks(
    settings: Settings,
    auditor: Engine,
    candidate: Candidate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    from expectations import validation

    run = validation.Auditor.run

    def forgetful(*arguments):
        outcomes = run(*arguments)
        outcomes.pop("things.between", None)
        return outcomes

    monkeypatch.setattr(validation.Auditor, "run", forgetful)
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    assert not verdict.passed
    word, checks, _ = stored(auditor, candidate)
    assert word == "failed"
    assert checks["things.between"] == "missing"


def test_an_expectation_that_great_expectations_refuses_blocks(
    settings: Settings, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    none = "{type: ExpectColumnValuesToBeBetween, column: amount}"
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, "query", unbounded=none))
    assert not verdict.passed
    checks = stored(auditor, candidate)[1]
    assert {name: status for name, status in checks.items() if name.startswith("things.")} == {
        "things.rows": "passed",
        "things.query": "passed",
        "things.unbounded": "error",
    }


def test_an_audit_that_dies_leaves_no_verdict_even_after_an_earlier_pass(
    settings: Settings,
    auditor: Engine,
    candidate: Candidate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    from expectations import validation

    catalogue = declare(tmp_path, *KINDS)
    assert gate.audit(settings, candidate, catalogue=catalogue).passed

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(validation.Auditor, "run", die)
    with pytest.raises(KeyboardInterrupt):
        gate.audit(settings, candidate, catalogue=catalogue)
    assert stored(auditor, candidate)[0] is None


def test_a_second_audit_replaces_the_first(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    catalogue = declare(tmp_path, "between")
    fill(builder, candidate, BAD_ROWS["between"])
    assert not gate.audit(settings, candidate, catalogue=catalogue).passed
    fill(builder, candidate, GOOD_ROWS)
    assert gate.audit(settings, candidate, catalogue=catalogue).passed
    word, checks, _ = stored(auditor, candidate)
    assert word == "passed"
    assert checks["things.between"] == "passed"


def test_only_the_run_that_owns_the_candidate_may_audit_it(
    settings: Settings, builder: Engine, candidate: Candidate, tmp_path: Path
):
    open_candidate(builder, "another run", force=True)
    with pytest.raises(CandidateLost):
        gate.audit(settings, candidate, catalogue=declare(tmp_path, "between"))


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        (
            {"status": "fail", "failures": 2, "message": "Got 2 results", "query": "select 1\nfrom t"},
            "failed",
        ),
        ({"status": "error", "message": "no such column"}, "error"),
        ({"status": "skipped"}, "error"),
        ({"severity": "warn", "status": "warn", "failures": 2}, "failed"),
        ({}, "passed"),
    ],
)
def test_outcomes_of_dbt_tests_are_results_of_the_gate(
    changed: dict, status: str, settings: Settings, candidate: Candidate, tmp_path: Path
):
    builder = make_engine(settings, Role.BUILDER)
    tested(builder, candidate, **changed)
    builder.dispose()
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, "between"))
    assert verdict.passed is (status == "passed" or changed.get("severity") == "warn")
    (result,) = [result for result in verdict.results if result.check_id == "dbt.a"]
    assert (result.status, result.suite, result.failing_rows) == (status, "dbt", changed.get("failures", 0))


def test_a_candidate_whose_dbt_tests_did_not_run_does_not_pass(
    settings: Settings, builder: Engine, candidate: Candidate, tmp_path: Path
):
    with builder.begin() as connection:
        connection.execute(text("update warehouse.release set summary = '{}'"))
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, "between"))
    assert [(result.check_id, result.status) for result in verdict.blocking] == [("dbt.tests_ran", "missing")]


def test_results_that_another_room_records_count_and_survive_the_audit(
    settings: Settings, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    other = CheckResult(
        check_id="bulletin.totals",
        suite="bulletin",
        table_name=None,
        severity="critical",
        status="failed",
        message_zh="公报合计不一致",
        message_en="the bulletin's totals differ",
        failing_rows=2,
    )
    gate.record(auditor, candidate, [other])
    assert not gate.audit(settings, candidate, catalogue=declare(tmp_path, "between")).passed
    assert stored(auditor, candidate)[1]["bulletin.totals"] == "failed"


def test_the_trend_of_a_check_spans_releases(
    settings: Settings, builder: Engine, auditor: Engine, candidate: Candidate, tmp_path: Path
):
    catalogue = declare(tmp_path, "between")
    gate.audit(settings, candidate, catalogue=catalogue)
    reject(builder, candidate, "test")
    following = open_candidate(builder, "test", force=True)
    assert following is not None
    fill(builder, following, BAD_ROWS["between"])
    tested(builder, following)
    gate.audit(settings, following, catalogue=catalogue)
    trend = results.trend(auditor, "things.between")
    assert [(row["release_id"], row["status"], row["failing_rows"]) for row in trend] == [
        (2, "failed", 1),
        (1, "passed", 0),
    ]


def test_the_gate_cannot_change_what_it_looks_at(settings: Settings, candidate: Candidate, tmp_path: Path):
    write = (
        "{type: ExpectNoRowsFromQuery,"
        ' query: "with gone as (delete from audit.check_result returning 1) select 1 as a from gone"}'
    )
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, write=write))
    assert [(result.check_id, result.status) for result in verdict.failed] == [("things.write", "error")]


def test_no_password_is_written_anywhere(settings: Settings, candidate: Candidate, tmp_path: Path):
    from expectations import docs
    from warehouse.secrets import password

    gate.audit(
        settings,
        candidate,
        catalogue=declare(tmp_path, *KINDS, bad="{type: ExpectKeyToBeUnique, columns: [x]}"),
    )
    docs.build(settings)
    secret = password(settings, Role.AUDITOR).encode()
    for file in settings.home.rglob("*"):
        if file.is_file() and settings.secrets not in file.parents:
            assert secret not in file.read_bytes(), file


def test_data_docs_are_built_from_stored_results_and_need_no_internet(
    settings: Settings, builder: Engine, candidate: Candidate, tmp_path: Path
):
    from expectations import docs

    assert docs.build(settings) is None
    fill(builder, candidate, BAD_ROWS["where"])
    gate.audit(settings, candidate, catalogue=declare(tmp_path, *KINDS))
    (tmp_path / "things.yml").unlink()
    first_page = docs.build(settings)
    assert first_page == settings.artifacts / "data_docs" / "index.html"
    index = first_page.read_text(encoding="utf-8")
    assert "things.where" in index
    assert "amount &gt; 50" in index
    pages = list(first_page.parent.glob("validations/**/*.html"))
    assert len(pages) == 2
    assert all(page.relative_to(first_page.parent).as_posix() in index for page in pages)
    markups = {page.name: page.read_text(encoding="utf-8") for page in pages}
    assert all(f"things.{name}" in markups["candidate.things.html"] for name in KINDS)
    for markup in (index, *markups.values()):
        assert "<script" not in markup
        assert 'src="http' not in markup
        assert 'rel="stylesheet" href="http' not in markup


def test_results_in_the_summary_are_json(settings: Settings, candidate: Candidate, tmp_path: Path):
    verdict = gate.audit(settings, candidate, catalogue=declare(tmp_path, "between"))
    assert json.loads(json.dumps(verdict.summary()))["gate"]["seconds"]["things"] >= 0
