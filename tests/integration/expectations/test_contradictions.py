"""Every contradiction of published plans that has numbers is found by a named check when the figures are fed in."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

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


def contradictions() -> list[tuple[str, str, str, str]]:
    """What is wrong in the plans, in a reader's words, and the check and indicator that must say so."""
    with (Path(__file__).parent / "contradictions.csv").open(encoding="utf-8", newline="") as table:
        return [tuple(row.values()) for row in csv.DictReader(table)]


def rows(name: str) -> list[dict[str, str | None]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as seed:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(seed)]


def put(builder: Engine, table: str, columns: str, select: str, data: list[dict[str, str | None]]) -> None:
    """A table of the star as the seeds have it, in release 1."""
    with builder.begin() as connection:
        connection.execute(text(f"create table star.{table} ({columns}, release_from int, release_to int)"))
        if data:
            connection.execute(text(f"insert into star.{table} select {select}, 1, 2147483647"), data)


@pytest.fixture
def found(settings: Settings) -> Iterator[list[dict]]:
    """What the probe says of the printed figures; no report is there."""
    builder, auditor = make_engine(settings, Role.BUILDER), make_engine(settings, Role.AUDITOR)
    candidate = open_candidate(builder, "test", force=True)
    assert candidate is not None
    feed(builder)
    with builder.begin() as connection:
        make_views(connection, "candidate", "candidate_release")
    yield run(auditor, candidate)
    builder.dispose()
    auditor.dispose()


def feed(builder: Engine) -> None:
    put(
        builder, "dim_plan_figure",
        "plan_code text, figure_no int, line_no int, indicator_code text, slice text, kind text, operator text,"
        " value numeric, decimals int, value_text text, region_code text, every_unit_of text, quote text,"
        " period_type text, period_start date, period_end date",
        ":plan_code, cast(:figure_no as int), cast(:line_no as int), :indicator_code, :slice, :kind, :operator,"
        " cast(:value as numeric), cast(:decimals as int), :value_text, :region_code, :every_unit_of, :quote, 'year',"
        " make_date(cast(left(:period, 4) as int), 1, 1), make_date(cast(right(:period, 4) as int), 12, 31)",
        rows("plan_figure"),
    )  # fmt: skip
    put(
        builder, "dim_indicator",
        "indicator_code text, name_zh text, unit text, scale numeric, aggregation_class text, numerator text,"
        " denominator text",
        ":indicator_code, :name_zh, :unit, cast(:scale as numeric), :aggregation_class, :numerator, :denominator",
        rows("indicator"),
    )  # fmt: skip
    put(builder, "dim_slice", "slice text, parent_slice text", ":slice, :parent_slice", rows("slice"))
    put(
        builder, "dim_plan", "plan_code text, plan_type text, period_start date",
        ":plan_code, :plan_type, cast(:period_start as date)", rows("plan"),
    )  # fmt: skip
    put(
        builder, "bridge_indicator_sum", "indicator_code text, part_code text", ":indicator_code, :part_code",
        rows("indicator_sum"),
    )  # fmt: skip
    # Two towns and five streets, as the plan itself counts them.
    towns = [{"code": f"44050700{number}"} for number in range(7)]
    put(
        builder, "dim_region", "region_code text, parent_code text, level text, valid_from date, valid_to date",
        ":code, '440507', 'township', '2003-01-01', '9999-12-31'", towns,
    )  # fmt: skip
    put(
        builder, "fct_indicator",
        "indicator_code text, subject_code text, slice text, status text, period_end date",
        "null, null, null, null, null", [],
    )  # fmt: skip


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
    unfound = [what for _, what, kind, indicator in contradictions() if (kind, indicator) not in by_place]
    assert not unfound

    lines = ["| plan | contradiction | check | message |", "|---|---|---|---|"]
    for plan, what, kind, indicator in contradictions():
        row = by_place[kind, indicator][0]
        figures = f"{row['observed'].normalize():f}" if row["observed"] is not None else "no number"
        cause = f" ({row['cause']})" if row["cause"] else ""
        lines.append(
            f"| {plan} | {what} | `printed.{kind}` | {row['check'].message_zh}：{indicator} {figures}{cause} |"
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
