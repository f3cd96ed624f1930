"""A night looks at what the candidate rebuilt; when checks or dimensions changed since, at everything again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from expectations import findings, gate, probes, scope
from expectations.catalogue import Catalogue, load
from warehouse.database import Role, engine, make_engine
from warehouse.release import Candidate, open_candidate, publish
from warehouse.settings import Settings
from warehouse.star import make_views

FACT = """
table: deeds
scope: changed_reports
key: [report_id]
rows: always
checks:
  - id: deeds.not_negative
    question: Is nothing negative?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectNoRowsWhere, condition: amount < 0}
    message_zh: 出现负数
    message_en: something is negative
  - id: deeds.known
    question: Does every deed have its kind?
    dimension: consistency
    severity: critical
    since: 2026-11-22
    expectation:
      type: ExpectNoRowsFromQuery
      query: |
        select deed.report_id, deed.kind
        from candidate.deeds as deed
        where $changed(deed.report_id) and deed.kind not in (select kind from candidate.kinds)
    message_zh: 类别不存在
    message_en: the kind does not exist
"""
DIMENSION = """
table: kinds
ground: true
key: [kind]
rows: always
checks:
  - id: kinds.grain
    question: Is there one row per kind?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectKeyToBeUnique, columns: [kind]}
    message_zh: 类别重复
    message_en: a kind stands twice
"""
PROBE = """
probe: amounts
tables: [deeds]
carried: span
when_empty: 没有该报表
kinds:
  - kind: large
    question: "Is no amount too large?"
    dimension: plausibility
    severity: warning
    owner: reporting_unit
    since: 2026-11-22
    threshold: 5
    per: form
    policy: none
    message_zh: 数额过大
    message_en: an amount is too large
"""
AMOUNTS = """
select 'large' as kind, report.form_code as item, null::bigint as looked, report.subject_type, report.subject_code,
    report.form_code, report.period_type, report.period_start, deed.report_id, deed.amount as score
from candidate.deeds as deed
inner join registry.report as report on deed.report_id = report.report_id
inner join ($spans) as judged
    on report.form_code = judged.form_code and report.subject_code = judged.subject_code
        and report.period_type = judged.period_type
        and report.period_start between judged.judged_from and judged.judged_to
union all
select null, report.form_code, count(*), null, null, null, null, null, null, null
from candidate.deeds as deed
inner join registry.report as report on deed.report_id = report.report_id
inner join ($spans) as judged
    on report.form_code = judged.form_code and report.subject_code = judged.subject_code
        and report.period_type = judged.period_type
        and report.period_start between judged.judged_from and judged.judged_to
group by report.form_code
"""
COLUMNS = "release_from int default 1, release_to int default 2147483647"


def run(role: Role, statement: str) -> None:
    with engine(role).begin() as connection:
        connection.execute(text(statement))


def night(*reports: int) -> Candidate:
    """A built candidate that claims a change of these reports."""
    for report in reports:
        run(Role.LOADER, f"insert into registry.change (report_id, cause) values ({report}, 'test')")
    opened = open_candidate(engine(Role.BUILDER), "test")
    assert opened is not None
    tests = (
        '{"dbt_tests": [{"name": "a", "model": "", "severity": "error", "status": "pass", "failures": 0}]}'
    )
    with engine(Role.BUILDER).begin() as connection:
        make_views(connection, "candidate", "candidate_release")
        connection.execute(
            text("update warehouse.release set summary = cast(:tests as jsonb) where release_id = :id"),
            {"tests": tests, "id": opened.release_id},
        )
    return opened


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "deeds.yml").write_text(FACT.lstrip(), encoding="utf-8")
    (tmp_path / "kinds.yml").write_text(DIMENSION.lstrip(), encoding="utf-8")
    return load(tmp_path)


@pytest.fixture
def published(settings: Settings, catalogue: Catalogue) -> Iterator[None]:
    """Release 1: two sound reports, passed after a look at everything; then report 1's row is damaged."""
    run(
        Role.LOADER,
        "insert into registry.report"
        " (form_code, subject_type, subject_code, region_code, period_type, period_start, period_end)"
        " select 'f', 'region', code, code, 'month', '2015-01-01', '2015-01-31' from (values ('1'), ('2')) as v (code)",
    )
    run(Role.BUILDER, f"create table star.deeds (report_id bigint, kind text, amount int, {COLUMNS})")
    run(Role.BUILDER, f"create table star.kinds (kind text, {COLUMNS})")
    run(Role.BUILDER, "insert into star.kinds values ('good')")
    run(Role.BUILDER, "insert into star.deeds select report_id, 'good', 1 from registry.report")
    candidate = night(1, 2)
    verdict = gate.audit(settings, candidate, catalogue=catalogue)
    assert verdict.passed, verdict.details()
    assert verdict.facts["everything"]
    publisher = make_engine(settings, Role.PUBLISHER)
    publish(publisher, candidate)
    publisher.dispose()
    run(Role.BUILDER, "update star.deeds set amount = -1, kind = 'odd' where report_id = 1")
    yield


def failed(settings: Settings, candidate: Candidate, catalogue: Catalogue) -> tuple[bool, set[str]]:
    verdict = gate.audit(settings, candidate, catalogue=catalogue)
    return verdict.facts["everything"], {result.check_id for result in verdict.failed}


def with_probe(catalogue: Catalogue, folder: Path, kinds: str, query: str) -> Catalogue:
    """The catalogue with a probe of amounts."""
    (folder / "probes").mkdir()
    (folder / "probes" / "amounts.yml").write_text(kinds.lstrip(), encoding="utf-8")
    (folder / "probes" / "amounts.sql").write_text(query, encoding="utf-8")
    return Catalogue(catalogue.suites, tuple(probes.load({"form": ("f",)}, folder / "probes")))


def told(settings: Settings, catalogue: Catalogue, *changed: int) -> tuple[list[dict[str, Any]], bool]:
    """What a published night that changed these reports tells of amounts, and whether it looked at everything."""
    candidate = night(*changed)
    verdict = gate.audit(settings, candidate, catalogue=catalogue)
    publisher = make_engine(settings, Role.PUBLISHER)
    publish(publisher, candidate)
    publisher.dispose()
    rows = findings.failing(engine(Role.AUDITOR), candidate.release_id, only="amounts.*")
    return rows, verdict.facts["everything"]


@pytest.mark.usefixtures("published")
def test_a_night_looks_at_the_reports_it_rebuilt(settings: Settings, catalogue: Catalogue):
    assert failed(settings, night(2), catalogue) == (False, set())
    assert failed(settings, night(1), catalogue) == (False, {"deeds.not_negative", "deeds.known"})


@pytest.mark.usefixtures("published")
def test_a_long_list_of_reports_is_looked_at_as_well(
    settings: Settings, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scope, "LITERAL_LIMIT", 1)
    assert failed(settings, night(1, 2), catalogue) == (False, {"deeds.not_negative", "deeds.known"})


@pytest.mark.usefixtures("published")
def test_a_new_check_is_asked_of_everything(settings: Settings, catalogue: Catalogue, tmp_path: Path):
    (tmp_path / "deeds.yml").write_text(
        FACT.lstrip().replace("amount < 0", "amount < -0.5"), encoding="utf-8"
    )
    everything, checks = failed(settings, night(2), load(tmp_path))
    assert everything
    assert "deeds.not_negative" in checks


@pytest.mark.usefixtures("published")
def test_a_changed_dimension_is_held_against_everything(settings: Settings, catalogue: Catalogue):
    run(Role.BUILDER, "insert into star.kinds values ('odd')")
    assert failed(settings, night(2), catalogue) == (True, {"deeds.not_negative"})


@pytest.mark.usefixtures("published")
def test_a_release_whose_changes_nobody_claimed_is_looked_at_as_a_whole(
    settings: Settings, catalogue: Catalogue
):
    forced = open_candidate(engine(Role.BUILDER), "test", force=True)
    assert forced is not None
    everything, checks = failed(settings, forced, catalogue)
    assert everything
    assert "deeds.not_negative" in checks


def test_a_finding_stays_through_nights_that_do_not_touch_its_series_and_goes_when_it_is_mended(
    settings: Settings, published: None, catalogue: Catalogue, tmp_path: Path
):
    asked = with_probe(catalogue, tmp_path, PROBE, AMOUNTS)

    def after(*changed: int) -> tuple[bool, set[tuple[str, bool]]]:
        """Whether a night that changed these reports looked at everything; its findings, and whether they are new."""
        rows, everything = told(settings, asked, *changed)
        return everything, {(row["subject_code"], row["is_new"]) for row in rows}

    run(Role.BUILDER, "update star.deeds set amount = 9, kind = 'good'")
    assert after(1, 2) == (True, {("1", True), ("2", True)})
    run(Role.BUILDER, "update star.deeds set amount = 1 where report_id = 1")
    assert after(1) == (False, {("2", False)})
    assert after(1) == (False, {("2", False)})
    run(Role.BUILDER, "update star.deeds set amount = 8 where report_id = 1")
    assert after(1) == (False, {("1", True), ("2", False)})
    run(Role.BUILDER, "update star.deeds set amount = 1")
    assert after(2) == (False, {("1", False)})
    assert after(1) == (False, set())


def test_a_finding_stays_where_a_change_of_its_series_lies_years_apart(
    settings: Settings, published: None, catalogue: Catalogue, tmp_path: Path
):
    asked = with_probe(catalogue, tmp_path, PROBE, AMOUNTS)
    run(
        Role.LOADER,
        "insert into registry.report"
        " (form_code, subject_type, subject_code, region_code, period_type, period_start, period_end)"
        " values ('f', 'region', '1', '1', 'month', '2013-12-01', '2013-12-31'),"
        " ('f', 'region', '1', '1', 'month', '2014-01-01', '2014-01-31')",
    )
    run(Role.BUILDER, "insert into star.deeds values (3, 'good', 9), (4, 'good', 9)")

    def after(*changed: int) -> set[str]:
        """Months in which series 1 has findings after a night that changed these reports."""
        rows, _ = told(settings, asked, *changed)
        return {f"{row['period_start']:%Y-%m}" for row in rows if row["subject_code"] == "1"}

    run(Role.BUILDER, "update star.deeds set amount = 9, kind = 'good'")
    assert after(1, 2, 3, 4) == {"2013-12", "2014-01", "2015-01"}
    run(Role.BUILDER, "update star.deeds set amount = 1")
    assert after(2) == {"2013-12", "2014-01", "2015-01"}
    assert after(1) == {"2013-12"}
    assert after(3) == set()


def test_a_finding_of_a_period_stays_until_the_periods_around_it_are_judged_again(
    settings: Settings, published: None, catalogue: Catalogue, tmp_path: Path
):
    asked = with_probe(
        catalogue,
        tmp_path,
        PROBE.replace("carried: span", "carried: since"),
        "select 'large' as kind, report.form_code as item, null::bigint as looked, report.subject_type,"
        " report.subject_code, report.form_code, report.period_type, report.period_start, deed.report_id,"
        " deed.amount as score from candidate.deeds as deed"
        " inner join registry.report as report on deed.report_id = report.report_id"
        " where $since(report.period_start)"
        " union all select null, 'f', count(*), null, null, null, null, null, null, null from candidate.deeds",
    )
    run(
        Role.LOADER,
        "insert into registry.report"
        " (form_code, subject_type, subject_code, region_code, period_type, period_start, period_end)"
        " values ('f', 'region', '1', '1', 'year', '2013-01-01', '2013-12-31'),"
        " ('f', 'region', '2', '2', 'year', '2014-01-01', '2014-12-31')",
    )
    run(Role.BUILDER, "insert into star.deeds values (3, 'good', 9), (4, 'good', 9)")

    def after(*changed: int) -> set[int]:
        """Years with findings after a night that changed these reports."""
        rows, _ = told(settings, asked, *changed)
        return {row["period_start"].year for row in rows}

    run(Role.BUILDER, "update star.deeds set amount = 9, kind = 'good'")
    assert after(1, 2, 3, 4) == {2013, 2014, 2015}
    run(Role.BUILDER, "update star.deeds set amount = 1")
    # A month of 2015 speaks of 2015 and the year before, of whatever unit.
    assert after(1) == {2013}
    assert after(4) == set()
