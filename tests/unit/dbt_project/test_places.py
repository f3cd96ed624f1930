"""Seeds of regions, classes, diseases and vaccines: they agree with each other and with the forms' code lists."""

import csv
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from samples.longhu.vaccinations import PROGRAMME

ROOT = Path(__file__).resolve().parents[3]
CODE_LISTS = ROOT / "ingestion" / "forms" / "code_lists"


def rows(seed: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / f"{seed}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def codes(name: str) -> list[dict]:
    return yaml.safe_load((CODE_LISTS / f"{name}.yml").read_text(encoding="utf-8"))["codes"]


class TestRegions:
    EVENTS = rows("region_event")
    CHANGES = rows("region_change")

    def on(self, code: str, day: str) -> set[str]:
        """Kinds of events of a code on a day."""
        return {
            row["event_type"] for row in self.EVENTS if (row["region_code"], row["event_date"]) == (code, day)
        }

    def test_both_ends_of_a_change_have_an_event_on_its_day(self):
        for row in self.CHANGES:
            assert self.on(row["from_code"], row["change_date"]) & {"close", "boundary"}, row
            assert self.on(row["to_code"], row["change_date"]) & {"open", "reopen", "boundary"}, row

    def test_whoever_is_abolished_has_a_successor_or_a_code_that_is_used_again(self):
        reused = {row["region_code"] for row in self.EVENTS if row["event_type"] == "reopen"}
        ways = {(row["from_code"], row["change_date"]) for row in self.CHANGES}
        for row in self.EVENTS:
            if row["event_type"] == "close" and row["region_code"] not in reused:
                assert (row["region_code"], row["event_date"]) in ways, row

    def test_statistics_change_over_with_the_year_after_the_law(self):
        for row in self.EVENTS:
            legal, statistics = map(date.fromisoformat, (row["event_date"], row["statistics_from"]))
            if row["date_basis"] == "start":
                assert statistics == legal, row
            else:
                assert statistics == date(legal.year + 1, 1, 1), row

    def test_every_region_lies_in_one_that_is_listed(self):
        listed = {row["region_code"] for row in self.EVENTS}
        for row in self.EVENTS:
            assert not row["parent_code"] or row["parent_code"] in listed, row
            assert not row["inside_code"] or row["inside_code"] in listed, row
            if row["event_type"] in ("open", "reopen"):
                assert row["name_zh"], row
                assert row["level"] in ("country", "province", "prefecture", "county", "township"), row
                assert (row["region_type"] == "functional_area") == bool(row["inside_code"]), row

    def test_shares_of_what_is_known_add_up(self):
        """Who goes somewhere whole goes nowhere else; an unknown share is blank, never a guess."""
        for row in self.CHANGES:
            others = [
                other
                for other in self.CHANGES
                if (other["from_code"], other["change_date"]) == (row["from_code"], row["change_date"])
            ]
            if row["share"] == "1":
                assert others == [row], row
            assert row["share"] in ("", "1")
            assert row["back_share"] in ("", "1")

    def test_the_regions_of_the_plans_are_there_in_their_years(self):
        for plan in rows("plan"):
            if plan["region_code"]:
                assert any(row["region_code"] == plan["region_code"] for row in self.EVENTS), plan


def test_every_class_of_the_standard_has_a_group_of_the_yearbooks():
    prefixes = {row["class_prefix"]: row["class_group"] for row in rows("organization_class")}

    def group(code: str) -> str:
        return prefixes[max((prefix for prefix in prefixes if code.startswith(prefix)), key=len)]

    assert {group(row["class_code"]) for row in rows("institution_class")} == set(prefixes.values())
    told = {"A100": "hospital", "A600": "other", "A710": "hospital", "A720": "other", "B200": "primary_care",
            "C210": "primary_care", "D600": "primary_care", "G100": "public_health", "H111": "public_health",
            "P916": "public_health", "P918": "other"}  # fmt: skip
    assert {code: group(code) for code in told} == told


def test_there_is_no_class_i():
    assert {row["class_code"][0] for row in rows("institution_class")} == set("ABCDEFGHJKLMNOPQ")


@pytest.mark.parametrize(
    ("day", "diseases"),
    [
        ("1990-01-01", 35),
        ("2004-12-01", 37),
        ("2008-05-02", 38),
        ("2009-04-30", 39),
        ("2014-01-01", 39),
        ("2020-01-20", 40),
        ("2023-09-19", 40),
        ("2023-09-20", 41),
        ("2025-08-31", 41),
        ("2025-09-01", 40),
    ],
)
def test_the_list_of_notifiable_diseases_has_as_many_as_were_published(day, diseases):
    in_force = [
        row
        for row in rows("disease")
        if row["parent_code"] in ("AB_TOTAL", "C_TOTAL")
        and (row["valid_from"] or "0") <= day < (row["valid_to"] or "9")
    ]
    (version,) = [row for row in rows("disease_list") if row["valid_from"] <= day < (row["valid_to"] or "9")]
    assert (len(in_force), int(version["diseases"])) == (diseases, diseases)
    if version["class_b"] and day >= "2005-01-01":
        found = [sum(row["disease_class"] == letter for row in in_force) for letter in "ABC"]
        assert found == [int(version[f"class_{letter}"]) for letter in "abc"]


def test_versions_of_the_list_meet():
    versions = rows("disease_list")
    assert all(earlier["valid_to"] == later["valid_from"] for earlier, later in pairwise(versions))


class TestVaccines:
    DOSES = rows("vaccine_schedule")

    def test_the_schedule_in_force_is_that_of_the_forms(self):
        """A child born on the last day of 2024, as the code list of the monthly form says it."""
        born = "2024-12-31"
        for code in codes("vaccine"):
            spells = code.get("memberships", [code])
            text = str(spells[-1].get("class", ""))
            doses = [
                row
                for row in self.DOSES
                if row["vaccine_code"] == code["code"] and row["born_from"] <= born < (row["born_to"] or "9")
            ]
            if code["code"] in ("NONE", "JE", "HepA") or text.startswith("停止"):
                assert not doses, code
            elif code["code"] == "HPV":
                assert [row["sex"] for row in doses] == ["female", "female"]
            elif code["code"] == "JE-I":
                assert [row["due_months"] for row in doses] == ["8", "8", "24", "72"]
            else:
                ages = sorted(doses, key=lambda row: int(row["dose_no"]))
                assert [row["age_zh"] for row in ages] == text.split("、"), code

    def test_cohorts_of_a_dose_follow_each_other(self):
        for row in self.DOSES:
            same = [
                other
                for other in self.DOSES
                if (other["vaccine_code"], other["dose_no"]) == (row["vaccine_code"], row["dose_no"])
            ]
            ordered = sorted(same, key=lambda other: other["born_from"])
            for earlier, later in pairwise(ordered):
                assert earlier["born_to"], earlier
                assert earlier["born_to"] <= later["born_from"], (earlier, later)

    def test_what_replaced_another_begins_with_the_next_child(self):
        """百白破 took the place of 白破 at six, 麻腮风 that of 麻风 at eight months."""
        starts = {(row["vaccine_code"], row["dose_no"], row["schedule"]): row for row in self.DOSES}
        assert starts["DT", "1", "2021"]["born_to"] == starts["DTaP", "5", "2025"]["born_from"]
        assert starts["MR", "1", "2008"]["born_to"] == starts["MMR", "1", "2021"]["born_from"]

    def test_polio_of_any_type_falls_due_when_its_types_do(self):
        for schedule in ("2008", "2016", "2021"):
            ages = {
                vaccine: sorted(
                    int(row["due_months"])
                    for row in self.DOSES
                    if row["schedule"] == schedule and row["vaccine_code"] in vaccine
                )
                for vaccine in (("POLIO",), ("IPV", "OPV"))
            }
            assert ages["POLIO",] == ages["IPV", "OPV"] == [2, 3, 4, 48], schedule

    def test_every_dose_that_the_sample_reports_is_in_the_schedule(self):
        """By the schedule of 2015 and at its age; the sample's list is written apart from this one."""
        listed = {
            (row["vaccine_code"], row["dose_no"])
            for row in self.DOSES
            if row["born_from"] <= "2008-01-01" and row["vaccine_code"] != "HPV"
        }
        assert {(vaccine, dose) for vaccine, dose, _ in PROGRAMME} <= listed
