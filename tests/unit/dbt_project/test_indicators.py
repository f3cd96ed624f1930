"""The catalogue of indicators: which rates have limits, and why the others have none."""

import csv
import re
from pathlib import Path

SEED = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "indicator.csv"

with SEED.open(encoding="utf-8") as _file:
    INDICATORS = {row["indicator_code"]: row for row in csv.DictReader(_file)}

RATIOS = {code: row for code, row in INDICATORS.items() if row["denominator"]}

# Rates in % or ‰ whose two parts count persons, institutions, places or events, and that have no limits all the same.
WITHOUT = {
    "hiv_test_population_coverage": "tests beside residents: one person may be tested twice",
    "shanghai_training_share": "who went within the year beside the staff at its end",
    "tb_smear_positive_detection_rate": "registered patients beside an estimate",
    "two_cancer_project_completion": "women screened beside the number of a task",
    "village_station_public_private": "villages beside the number of a task",
    "sanitary_village_population_share": "residents count by the village, not each for himself",
    "rural_water_supply_rate": "residents count by the village, not each for himself",
    "bphs_indicators_compliance": "items of an assessment",
    "health_literacy_level": "weighted survey",
    "health_knowledge_awareness_rate": "weighted survey",
    "health_behaviour_formation_rate": "weighted survey",
    "youth_myopia_rate": "weighted survey",
    "households_within_15min": "weighted survey",
    "migrant_public_health_accessibility": "weighted survey",
    "eugenics_knowledge_rate": "weighted survey",
    "hotline_12320_awareness": "weighted survey",
}

# What is no count, or counts one person many times.
NOT_COUNTED = re.compile(
    r"bed|revenue|expenditure|fund|fee_|surplus|subsidy|fiscal|visits_|first_visits|^admissions|life_table"
)


def test_every_rate_has_limits_or_says_why_not():
    for code, row in INDICATORS.items():
        told = [name for name in ("interval_method", "no_interval_reason") if row[name]]
        assert len(told) == (code in RATIOS), (code, told)
        assert row["interval_method"] in ("", "binomial", "poisson"), code


def test_shares_of_what_is_counted_have_limits():
    shares = {code: row for code, row in RATIOS.items() if row["unit"] in ("%", "‰")}
    assert set(WITHOUT) <= set(shares)
    for code, row in shares.items():
        is_counted = not NOT_COUNTED.search(row["numerator"]) and not NOT_COUNTED.search(row["denominator"])
        assert bool(row["interval_method"]) == (is_counted and code not in WITHOUT), code


def test_events_beside_a_population_are_poisson():
    events = re.compile(r"death|cases|defect")
    for code, row in RATIOS.items():
        if row["interval_method"] == "poisson":
            assert events.search(row["numerator"]), code
            assert row["unit"] in ("‰", "/10万"), code
        else:
            assert row["unit"] != "/10万", code
            assert not events.search(row["numerator"]), code


def test_money_beds_and_staff_have_no_limits():
    for code, row in RATIOS.items():
        if row["unit"] not in ("%", "‰", "/10万") or NOT_COUNTED.search(
            row["numerator"] + row["denominator"]
        ):
            assert not row["interval_method"], code
