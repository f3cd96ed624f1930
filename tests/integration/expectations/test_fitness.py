"""What a check finds marks the values that rest on it, of the unit and its regions; everything else publishes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from expectations import fitness, gate, probes
from expectations.catalogue import Catalogue, load
from warehouse.database import Role, make_engine
from warehouse.release import Candidate, open_candidate, publish, undo
from warehouse.settings import Settings
from warehouse.star import make_views

SUITE = """
table: fct_indicator
key: [subject_code]
rows: always
checks:
  - id: fct_indicator.grain
    question: Is there one row per cell?
    dimension: conformance
    severity: critical
    since: 2026-11-22
    expectation: {type: ExpectKeyToBeUnique, columns: [indicator_code, subject_code, period_type, slice]}
    message_zh: 同一指标出现多行
    message_en: a cell has two rows
"""
PROBE = """
probe: size
tables: [fct_indicator]
when_empty: 没有数据
kinds:
  - kind: large
    question: Is no number too large?
    dimension: plausibility
    severity: warning
    owner: reporting_unit
    since: 2026-11-22
    policy: hold
    message_zh: 数值过大
    message_en: a number is too large
"""
SQL = """
select 'large' as kind, null as item, null::bigint as looked, 'organization' as subject_type, 'U1' as subject_code,
    1 as organization_key, 'hosp_monthly' as form_code, 'visits_total' as field_code, 'month' as period_type,
    date '2024-03-01' as period_start, 1 as score
from candidate.fct_indicator where subject_code = 'U1' and value > 10000 and period_type = 'month'
union all
select null, null, count(*), null, null, null, null, null, null, null, null from candidate.fct_indicator
"""
TABLES = {
    "dim_report": (
        "report_id bigint, period_end date",
        "",
    ),
    "dim_organization": (
        "organization_key int, region_code text, class_group text, ownership text, applies_from date, valid_to date",
        "(1, '990101', 'hospital', 'public', date '2000-01-01', date '9999-12-31')",
    ),
    "dim_region": (
        "region_code text, parent_code text, valid_from date, valid_to date",
        "('990101', '990100', date '2000-01-01', date '9999-12-31'),"
        " ('990100', null, date '2000-01-01', date '9999-12-31')",
    ),
    "dim_slice": (
        "slice text, class_group text, ownership text",
        "('all', null, null), ('hospital', 'hospital', null), ('primary_care', 'primary_care', null)",
    ),
}


@pytest.fixture
def builder(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings, Role.BUILDER)
    yield engine
    engine.dispose()


def catalogue(folder: Path) -> Catalogue:
    (folder / "fct_indicator.yml").write_text(SUITE.lstrip(), encoding="utf-8")
    inside = folder / "probes"
    inside.mkdir(exist_ok=True)
    (inside / "size.yml").write_text(PROBE.lstrip(), encoding="utf-8")
    (inside / "size.sql").write_text(SQL, encoding="utf-8")
    return Catalogue(load(folder).suites, tuple(probes.load({}, inside)))


def cells(own: int) -> list[dict]:
    """Visits of one unit and another, of their district and prefecture, by month and year."""
    made = []
    for period, start, end in (("month", "2024-03-01", "2024-03-31"), ("year", "2024-01-01", "2024-12-31")):
        for kind, key, subject, groups, value in (
            ("organization", 1, "U1", ("all",), own),
            ("organization", 2, "U2", ("all",), 70),
            ("region", None, "990101", ("all", "hospital", "primary_care"), own + 70),
            ("region", None, "990100", ("all",), own + 70),
            ("region", None, "990200", ("all",), 5),
        ):
            for group in groups:
                made.append(
                    {
                        "key": key,
                        "type": kind,
                        "subject": subject,
                        "slice": group,
                        "period": period,
                        "start": start,
                        "end": end,
                        "value": value,
                    }
                )
    return made


def night(settings: Settings, builder: Engine, folder: Path, own: int) -> Candidate:
    """Build by hand, audit, mark and publish."""
    candidate = open_candidate(builder, "test", force=True)
    assert candidate is not None
    test = {"name": "a", "model": "x", "severity": "error", "status": "pass", "failures": 0}
    release = candidate.release_id
    with builder.begin() as connection:
        for table, (columns, values) in TABLES.items():
            if release == 1:
                connection.execute(
                    text(f"create table star.{table} ({columns}, release_from int, release_to int)")
                )
                if values:
                    connection.execute(
                        text(
                            f"insert into star.{table} select v.*, 1, 2147483647 from (values {values}) as v"
                        )
                    )
        connection.execute(
            text(
                "create table if not exists star.fct_indicator (organization_key int, indicator_code text,"
                " subject_type text, subject_code text, slice text, period_type text, period_start date,"
                " period_end date, numerator numeric, denominator numeric, value numeric, status text,"
                " release_from int, release_to int)"
            )
        )
        connection.execute(
            text(f"update star.fct_indicator set release_to = {release} where release_to = 2147483647")
        )
        connection.execute(
            text(
                "insert into star.fct_indicator values (:key, 'total_visits', :type, :subject, :slice, :period,"
                " cast(:start as date), cast(:end as date), :value, null, :value, 'computed',"
                f" {release}, 2147483647)"
            ),
            cells(own),
        )
        make_views(connection, "candidate", "candidate_release")
        connection.execute(
            text("update warehouse.release set summary = cast(:s as jsonb) where release_id = :id"),
            {"s": json.dumps({"dbt_tests": [test | {"message": None, "query": None}]}), "id": release},
        )
    verdict = gate.audit(settings, candidate, catalogue=catalogue(folder))
    assert verdict.passed, verdict.details()
    fitness.mark(builder, candidate)
    assert fitness.mark(builder, candidate) == fitness.mark(builder, candidate)
    publisher = make_engine(settings, Role.PUBLISHER)
    publish(publisher, candidate)
    publisher.dispose()
    return candidate


def marks(settings: Settings) -> dict[tuple, tuple]:
    """Marks as BI reads them."""
    reader = make_engine(settings, Role.READER)
    with reader.connect() as connection:
        rows = connection.execute(text("select * from published.fct_indicator_mark")).mappings().all()
    reader.dispose()
    return {
        (row["subject_code"], row["slice"], row["period_type"]): (
            row["policy"],
            row["checks"],
            row["good_release"],
            row["good_value"] if row["good_value"] is None else int(row["good_value"]),
        )
        for row in rows
    }


def test_the_unit_and_the_regions_that_count_it_are_held_at_the_last_good_value(
    settings: Settings, builder: Engine, tmp_path: Path
):
    night(settings, builder, tmp_path, own=100)
    assert marks(settings) == {}
    night(settings, builder, tmp_path, own=100_000)
    held = ("hold", "size.large", 1, 100)
    region = ("hold", "size.large", 1, 170)
    expected = {
        (subject, group, period): held if subject == "U1" else region
        for period in ("month", "year")
        for subject, group in (("U1", "all"), ("990101", "all"), ("990101", "hospital"), ("990100", "all"))
    }
    assert marks(settings) == expected
    # As long as it is not mended, the last good value stays that of release 1.
    night(settings, builder, tmp_path, own=200_000)
    assert marks(settings) == expected
    night(settings, builder, tmp_path, own=101)
    assert marks(settings) == {}
    publisher = make_engine(settings, Role.PUBLISHER)
    undo(publisher, "to see what was marked")
    publisher.dispose()
    assert marks(settings) == expected


def test_what_was_never_good_is_held_without_a_value(settings: Settings, builder: Engine, tmp_path: Path):
    night(settings, builder, tmp_path, own=100_000)
    assert marks(settings)["U1", "all", "month"] == ("hold", "size.large", None, None)
    assert ("U2", "all", "month") not in marks(settings)
