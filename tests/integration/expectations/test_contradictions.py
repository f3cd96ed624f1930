"""Every contradiction of published plans that has numbers is found by a named check when the figures are fed in."""

import csv
import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from expectations import findings, probes
from expectations.scope import EVERYTHING
from warehouse.database import Role, make_engine
from warehouse.release import Candidate, open_candidate
from warehouse.settings import CHECKOUT, Settings
from warehouse.star import make_views

SEEDS = CHECKOUT / "dbt_project" / "seeds"
PAGE = CHECKOUT / "docs" / "contradictions.md"
OPENS, CLOSES = "<!-- generated: contradictions -->\n", "<!-- end: contradictions -->"


def contradictions() -> list[dict[str, str]]:
    """What people have described as wrong in the plans; and the kind of test and the indicator that must say so."""
    with (SEEDS / "plan_contradiction.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture
def template() -> str:
    """A star that was built from lists alone: the printed figures, and no report."""
    return "warehouse_built"


@pytest.fixture
def found(settings: Settings) -> Iterator[list[dict]]:
    """What the probe says of the printed figures."""
    builder, auditor = make_engine(settings, Role.BUILDER), make_engine(settings, Role.AUDITOR)
    candidate = open_candidate(builder, "test", force=True)
    assert candidate is not None
    with builder.begin() as connection:
        make_views(connection, "candidate", "candidate_release")
    yield run(auditor, candidate)
    builder.dispose()
    auditor.dispose()


def run(auditor: Engine, candidate: Candidate) -> list[dict]:
    (printed,) = [probe for probe in probes.load({}) if probe.name == "printed"]
    with auditor.begin() as connection:
        looked = findings.collect(connection, candidate, printed, EVERYTHING)
        rows = connection.execute(
            text("select * from audit.finding where score > threshold order by check_id, indicator_code, key")
        )
        found = [dict(row) for row in rows.mappings()]
    assert set(looked.values()) == {317}
    messages = {check.id: check for check in printed.suite.checks}
    return [row | {"check": messages[row["check_id"]]} for row in found]


def test_each_contradiction_is_found_by_its_check_and_the_page_says_so(found: list[dict]):
    by_place: dict[tuple[str, str], list[dict]] = {}
    for row in found:
        by_place.setdefault((row["check_id"].removeprefix("printed."), row["indicator_code"]), []).append(row)
    unfound = [row for row in contradictions() if (row["kind"], row["indicator_code"]) not in by_place]
    assert not unfound

    lines = [
        "| part | plan | contradiction | check | indicator | printed | others give | why |",
        "|---|---|---|---|---|---:|---:|---|",
    ]
    for known in contradictions():
        slices = known["slice"].split("|") if known["slice"] else None
        row = next(
            row
            for row in by_place[known["kind"], known["indicator_code"]]
            if slices is None or row["slice"] in slices
        )
        printed, given = (
            f"{value.normalize():f}" if value is not None else ""
            for value in (row["observed"], row["expected"])
        )
        lines.append(
            f"| {known['reference']} | {known['plan_code']} | {known['title_en']} · {known['title_zh']}"
            f" | `printed.{known['kind']}` | {known['indicator_code']} | {printed} | {given} | {row['cause'] or ''} |"
        )
    table = "\n".join(lines) + "\n"
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(OPENS)
    _, _, after = rest.partition(CLOSES)
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(before + OPENS + table + CLOSES + after, encoding="utf-8")
        return
    assert table in page, "stale: run this test with WRITE_PAGES=1"


def test_the_staff_total_is_explained_by_a_wrong_sign(found: list[dict]):
    (staff,) = [row for row in found if row["check_id"] == "printed.sum_of_parts"]
    assert (staff["observed"], staff["expected"]) == (1889, 1945)
    assert staff["cause"] == "wrong sign: management_staff"


def test_what_is_printed_right_is_not_called_wrong(found: list[dict]):
    shares = {row["indicator_code"] for row in found if row["check_id"] == "printed.share_at_precision"}
    assert not shares & {"visit_share_hospital", "admission_share", "bed_share"}
    sums = {row["indicator_code"] for row in found if row["check_id"] == "printed.sum_of_parts"}
    assert sums == {"health_personnel"}
    assert not [
        row
        for row in found
        if row["indicator_code"] == "public_health_staff_per_1000" and "agree" in row["check_id"]
    ]
