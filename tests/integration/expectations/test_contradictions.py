"""Every contradiction of published plans that has numbers is found by a named check when the figures are fed in."""

import csv
import os
from collections.abc import Iterator
from decimal import Decimal

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
# What the plans print, read off the published texts: plan, test, indicator, what is printed, what stands against it.
# Longhu's five-year plan, then the annual plans of Nantong, Hai'an, Jianggan and an unnamed city.
READ_OFF = [
    ("A1", "longhu_13_5", "parent_between_parts", "bed_occupancy_rate", "76.5", "69.22"),
    ("A1", "longhu_13_5", "parent_is_mean", "bed_occupancy_rate", "65.7", "71.94"),
    ("A2", "longhu_13_5", "sum_of_parts", "health_personnel", "1889", "1945"),
    ("A3", "longhu_13_5", "whole_numerator", "maternal_mortality_ratio", "1.26", "0"),
    ("A4", "longhu_13_5", "target_attainable", "sanitary_town_share", "20", "14.29"),
    ("A5", "longhu_13_5", "one_denominator", "public_hospital_beds_per_1000", "2.07", None),
    ("A5", "longhu_13_5", "one_denominator", "social_run_beds_per_1000", "0.30", None),
    ("B", "longhu_13_5", "sources_agree", "hypertension_std_mgmt_rate", "92.03", "68.93"),
    ("B", "longhu_13_5", "sources_agree", "diabetes_std_mgmt_rate", "77.58", "73.21"),
    ("B", "longhu_13_5", "sources_agree", "child_0_6_mgmt_rate", "95.74", "92.38"),
    ("B", "longhu_13_5", "sources_agree", "maternal_systematic_mgmt_rate", "97.77", "93.06"),
    ("B", "longhu_13_5", "sources_agree", "infant_mortality_rate", "1.01", "0.9"),
    ("B", "longhu_13_5", "sources_agree", "maternal_mortality_ratio", "0", "1.26"),
    ("B", "longhu_13_5", "sources_agree", "doctors_per_1000", "1.47", "1.58"),
    ("B", "longhu_13_5", "sources_agree", "nurses_per_1000", "1.1", "1.41"),
    ("B", "longhu_13_5", "sources_agree", "public_health_staff_per_1000", "0.3", "0.32"),
    ("B", "longhu_13_5", "sources_agree", "gp_per_10000", "1.43", "0.9"),
    ("B", "longhu_13_5", "sources_agree", "visit_share_primary_care", "36.41", "58.41"),
    ("B1", "longhu_13_5", "share_at_precision", "visit_share_primary_care", "58.41", "36.406"),
    ("B", "longhu_13_5", "share_at_precision", "visit_share_social_run", "16.36", "13.467"),
    ("B", "longhu_13_5", "share_at_precision", "doctor_nurse_ratio", "0.89", "0.984"),
    ("B", "longhu_13_5", "sources_agree", "institutions", "32", "33"),
    ("B2", "longhu_13_5", "breakdown_complete", "institutions", "0", "130"),
    ("B2", "longhu_13_5", "breakdown_complete", "institutions", "0", "32"),
    ("C", "longhu_13_5", "one_denominator", "beds_per_1000", "1.54", None),
    ("C", "longhu_13_5", "one_denominator", "doctors_per_1000", "1.47", None),
    ("C", "longhu_13_5", "one_denominator", "doctors_per_1000", "1.58", None),
    ("C", "longhu_13_5", "one_denominator", "nurses_per_1000", "1.1", None),
    ("C", "longhu_13_5", "one_denominator", "nurses_per_1000", "1.41", None),
    ("C", "longhu_13_5", "one_denominator", "visits_per_resident", "2.3", None),
    ("D1", "longhu_13_5", "one_denominator", "maternal_systematic_mgmt_rate", "97.77", None),
    ("D1", "longhu_13_5", "one_denominator", "maternal_systematic_mgmt_rate", "93.06", None),
    ("D1", "longhu_13_5", "numerator_within", "newborn_metabolic_screened", "7897", "7197"),
    ("D1", "longhu_13_5", "numerator_within", "pregnant_hiv_tests", "7811", "7197"),
    ("D2", "longhu_13_5", "order_of_rates", "infant_mortality_rate", "1.01", "1.01"),
    ("D3", "longhu_13_5", "bundle", "newborn_hearing_screened", "5553", "7897"),
    ("D4", "longhu_13_5", "bundle", "pregnant_syphilis_tests", "7811", "7814"),
    ("D5", "longhu_13_5", "one_denominator", "child_0_6_mgmt_rate", "95.74", None),
    ("D5", "longhu_13_5", "one_denominator", "child_0_6_mgmt_rate", "92.38", None),
    ("D6", "longhu_13_5", "bundle", "cervical_cancer_screened", "2578", "2890"),
    ("E", "longhu_13_5", "share_at_precision", "visit_share_public_hospital", "78.83", "78.824"),
    ("E", "longhu_13_5", "share_at_precision", "visit_share_private_hospital", "21.17", "21.176"),
    ("E", "longhu_13_5", "breakdown_complete", "institutions", "3", "6"),
    ("E", "longhu_13_5", "sources_agree", "institutions", "5", "3"),
    ("E", "longhu_13_5", "unit_and_scope", "admissions", "4978", None),
    ("F", "longhu_13_5", "target_improves", "infant_mortality_rate", "3", "0.9"),
    ("F", "longhu_13_5", "target_improves", "maternal_mortality_ratio", "10", "1.26"),
    ("F", "longhu_13_5", "target_improves", "government_share_of_the", "30", "45.22"),
    ("F", "longhu_13_5", "target_improves", "nip_vaccination_rate", "95", "95"),
    ("F", "longhu_13_5", "target_reference", "doctors_per_1000", "2.1", "2.8"),
    ("F", "longhu_13_5", "target_reference", "public_health_staff_per_1000", "0.8", "1.0"),
    ("F", "longhu_13_5", "target_reference", "nurses_per_1000", "2.52", "3.5"),
    ("F", "longhu_13_5", "target_reference", "gp_per_10000", "2", "3"),
    ("F", "longhu_13_5", "target_reference", "beds_per_1000", "4.20", "5.4"),
    ("F", "longhu_13_5", "unit_and_scope", "visit_share_primary_care", "70", "30"),
    ("F", "longhu_13_5", "target_direction", "public_hospital_beds_per_1000", "3.15", None),
    ("F", "longhu_13_5", "target_direction", "social_run_beds_per_1000", "1.05", None),
    ("F", "longhu_13_5", "target_number", "hypertension_std_mgmt_rate", None, None),
    ("F", "longhu_13_5", "target_baseline", "households_within_15min", "100", None),
    ("F", "longhu_13_5", "target_baseline", "eugenics_knowledge_rate", "95", None),
    ("F", "longhu_13_5", "target_baseline", "birth_defect_screening_coverage", "100", None),
    ("G", "nantong_2015", "unit_and_scope", "infant_mortality_rate", "4", None),
    ("G", "nantong_2015", "target_baseline", "smi_detection_rate", "0.1", None),
    ("G", "nantong_2015", "target_baseline", "visit_share_primary_care", "2", None),
    ("G", "nantong_2015", "target_floors", "bphs_funding_per_capita", "50", "60"),
    ("G", "nantong_2015", "target_attainable", "cdc_standard_rate", "88", "88.9"),
    ("G", "nantong_2015", "unit_and_scope", "village_doctor_contract_coverage", "20", None),
    ("H", "haian_2024", "sources_agree", "childcare_township_coverage", "90", "100"),
    ("H", "haian_2024", "unit_and_scope", "stroke_highrisk_screening", None, None),
    ("H", "haian_2024", "target_number", "village_capability_assessment", None, None),
    ("H", "haian_2024", "target_number", "youth_mental_screening", None, None),
    ("H", "haian_2024", "target_number", "two_cancer_project_completion", None, None),
    ("I", "jianggan", "unit_and_scope", "chs_station_standard_rate", "95", None),
    ("I", "anonymous", "unit_and_scope", "health_knowledge_awareness_rate", None, None),
    ("I", "anonymous", "unit_and_scope", "health_behaviour_formation_rate", None, None),
    ("I", "anonymous", "unit_and_scope", "sanitary_township_creation_rate", None, None),
]
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
def both(settings: Settings) -> Iterator[tuple[list[dict], list[dict]]]:
    """What the probe says of the printed figures, and what the mart says, agreement left out."""
    builder, auditor = make_engine(settings, Role.BUILDER), make_engine(settings, Role.AUDITOR)
    candidate = open_candidate(builder, "test", force=True)
    assert candidate is not None
    with builder.begin() as connection:
        make_views(connection, "candidate", "candidate_release")
    found = run(auditor, candidate)
    with builder.begin() as connection:
        rows = connection.execute(
            text(
                "select * from candidate.mart_plan_contradiction where verdict <> 'agrees' order by figure_no"
            )
        )
        yield found, [dict(row) for row in rows.mappings()]
    builder.dispose()
    auditor.dispose()


@pytest.fixture
def found(both: tuple[list[dict], list[dict]]) -> list[dict]:
    """What the probe says of the printed figures."""
    return both[0]


@pytest.fixture
def told(both: tuple[list[dict], list[dict]]) -> list[dict]:
    """What the mart says of the printed figures."""
    return both[1]


def run(auditor: Engine, candidate: Candidate) -> list[dict]:
    (printed,) = [probe for probe in probes.load({}) if probe.name == "printed"]
    with auditor.begin() as connection:
        looked = findings.collect(connection, candidate, printed, EVERYTHING)
        rows = connection.execute(
            text("select * from audit.finding where score > threshold order by check_id, indicator_code, key")
        )
        found = [dict(row) for row in rows.mappings()]
    assert set(looked.values()) == {318}
    messages = {check.id: check for check in printed.suite.checks}
    return [row | {"check": messages[row["check_id"]]} for row in found]


def test_the_mart_finds_what_the_plans_print_item_by_item(told: list[dict]):
    columns = ("reference", "plan_code", "kind", "indicator_code", "printed_value", "expected_value")
    has = {tuple(row[column] for column in columns) for row in told}
    missing = [
        item
        for item in READ_OFF
        if (*item[:4], *(None if number is None else Decimal(number) for number in item[4:])) not in has
    ]
    assert not missing


def test_what_is_no_contradiction_stays_out(told: list[dict]):
    assert not [row for row in told if row["indicator_code"] == "hiv_antibody_tests"]
    stacked = [row["indicator_code"] for row in told if "overlap" in (row["cause"] or "")]
    assert stacked == ["visit_share_primary_care"]
    slipped = [row["indicator_code"] for row in told if "printed in" in (row["cause"] or "")]
    assert slipped == ["admissions"]
    counted = [row["indicator_code"] for row in told if "stands for a number" in (row["cause"] or "")]
    assert counted == ["cdc_standard_rate"]


def test_each_contradiction_is_found_by_its_check_and_the_page_says_so(found: list[dict], told: list[dict]):
    by_place: dict[tuple[str, str], list[dict]] = {}
    # A difference in the last digit is told of, and no finding.
    within = [
        {**row, "check_id": f"printed.{row['kind']}"}
        | {"observed": row["printed_value"], "expected": row["expected_value"]}
        for row in told
        if row["verdict"] == "rounding" and row["score"] == 0
    ]
    for row in [*found, *within]:
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
