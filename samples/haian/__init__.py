"""Hai'an 2024: reports behind the year's plan of the city's health bureau, which prints 17 targets and not one result.

Every number is invented. Most targets are met, some are not, so that each status of the marts occurs.
"""

from collections.abc import Iterator
from dataclasses import replace

from samples.identifiers import uscc
from samples.longhu.moments import delivery
from samples.progress import (
    Plan,
    Task,
    Title,
    duty,
    progress_table,
    region_table,
    title_table,
    town_opens,
    unit_event,
)
from samples.sheets import Record
from samples.writers import Delivery

PLAN = Plan(
    "320685",
    "海安市",
    2024,
    "HA-B01",
    "海安样例卫生健康管理中心",
    tuple(f"320685{number}" for number in range(101, 111)),
)
NURSERIES, NEW = 12, 3
"""Day-care institutions; the last three opened in 2024, are inclusive, and have 150 places."""
CENTRES = 3
MOTHERS = "HA-G01"
"""Maternal and child health care of the city."""
SOURCE = ""
"""All files come through the bureau of the sample."""

TASKS = (
    Task("medical_community_centres", 5),
    Task("new_mch_facilities", 1),
    Task("first_contact_primary_rate", 68_400, "人次", 97_300),
    Task("village_capability_assessment", 46),
    Task("ppv23_vaccination_elderly", 7_120, "人"),
    Task("stroke_highrisk_screening", 4_310, "人"),
    Task("cancer_highrisk_screening", 2_860, "人"),
    Task("youth_mental_screening", 51_700, "人"),
    Task("healthy_city_action_programmes", 25, "项"),
)
BEFORE = (Task("first_contact_primary_rate", 61_900, "人次", 95_800),)
"""What the year is held against: a share that the plan only wants to rise."""

TITLES = (
    Title("省健康镇", "2", 1, "2024-11-28", ("320685101",)),
    Title("省健康村（社区）", "2", 2, "2024-11-28"),
    Title("省健康促进医院", "2", 1, "2024-12-05", ("320685",)),
)


def events() -> list[dict[str, str]]:
    """The unit that files the tasks and the day-care institutions, as rows of the directory."""
    lead = unit_event(PLAN, PLAN.lead_code, PLAN.lead_name, uscc(7101, registered_by="12"))
    nurseries = [
        unit_event(
            PLAN,
            code,
            name,
            uscc(7110 + number, registered_by="52"),
            opened="2024-03-01" if number >= NURSERIES - NEW else "2005-01-01",
        )
        for number, (code, name) in enumerate(_nurseries())
    ]
    centres = [
        unit_event(PLAN, code, name, uscc(7130 + number, registered_by="12"), "C220")
        for number, (code, name) in enumerate(_centres())
    ]
    mothers = unit_event(PLAN, MOTHERS, "海安样例妇幼保健院", uscc(7140, registered_by="12"), "G100")
    return [lead, *nurseries, *centres, mothers]


def duties() -> list[dict[str, str]]:
    """Who files for 2024 what the sample below owes for its own year; of tasks only the last quarter is told."""
    year = ("2024-01-01", "2025-01-01")
    maternal = ("2023-10-01", "2024-10-01")
    of_region = (
        ("mch_maternal_annual", maternal),
        ("women_screening_annual", maternal),
        ("women_screening_quarterly", year),
    )
    return [
        duty("task_progress", PLAN.lead_code, ("2024-10-01", "2025-01-01")),
        *(duty(form, PLAN.region, spell, reporter=MOTHERS) for form, spell in of_region),
    ]


def towns() -> list[dict[str, str]]:
    """The towns of the city, constructed like all else."""
    return [
        town_opens(code, f"海安样例{number}镇", "2018-01-01", from_year=2019)
        for number, code in enumerate(PLAN.towns, start=1)
    ]


def deliveries() -> Iterator[Delivery]:
    """All files, received in January 2025."""
    for name, content in {
        "2023年重点任务进度.xlsx": progress_table(replace(PLAN, year=2023), BEFORE),
        "2024年重点任务进度.xlsx": progress_table(PLAN, TASKS),
        "2024年命名台账.csv": title_table(PLAN, TITLES),
        **{f"2024年_{form}.csv": region_table(form, records) for form, records in _tables().items()},
    }.items():
        yield delivery(f"bureau/海安/构造_{name}", content, 2025, 1, 20)


def _nurseries() -> list[tuple[str, str]]:
    return [(f"HA-N{number:02d}", f"海安样例托育园{number}") for number in range(1, NURSERIES + 1)]


def _centres() -> list[tuple[str, str]]:
    return [(f"HA-C{number:02d}", f"海安样例{number}镇卫生院") for number in range(1, CENTRES + 1)]


def _contracts() -> list[Record]:
    """Family-doctor contracts at the ends of 2023 and 2024."""
    return [
        {
            "organization_code": code,
            "org_name": name,
            "report_month": f"{year}-12",
            "resident_population": people,
            "contracted": people * share // 100,
            "contracted_key": people * share // 400,
            "key_population": people * 3 // 10,
            "teams": 6,
        }
        for year, share in ((2023, 41), (2024, 44))
        for (code, name), people in zip(_centres(), (42_300, 51_800, 36_400), strict=True)
    ]


def _childcare() -> list[Record]:
    """The last quarters of 2023 and 2024; nine of twelve are inclusive, four have a contract with a hospital.

    The nine lie in nine of the ten towns.
    """
    records: list[Record] = []
    for year, present in ((2023, NURSERIES - NEW), (2024, NURSERIES)):
        for number, (code, name) in enumerate(_nurseries()[:present], start=1):
            new = number > NURSERIES - NEW
            records.append(
                {
                    "organization_code": code,
                    "org_name": name,
                    "quarter": f"{year}年第4季度",
                    "is_inclusive": "是" if new or number <= 6 else "否",
                    "places": 50 if new else 60 + 5 * number,
                    "children": 38 if new else 52 + 4 * number,
                    "township_code": PLAN.towns[number - 4 if new else (number - 1) % 6],
                    "medical_contract_org": "HA-B01" if number % 3 == 0 else None,
                }
            )
    return records


def _tables() -> dict[str, list[Record]]:
    own, year = PLAN.own, PLAN.year
    return {
        "childcare_quarterly": _childcare(),
        "occupational_reports": [
            {
                **own,
                "year": year,
                "enterprise_id": f"HAQY{number:03d}",
                "hazard": "104",
                "workers_exposed": 14 + number % 3,
            }
            | {"workers_checked": 12 + number % 3, "points_sampled": 4, "points_exceed": number % 2}
            for number in range(1, 41)
        ],
        "mch_maternal_annual": [
            {
                **own,
                "mch_year": year,
                "live_births": 3_104,
                "live_births_male": 1_610,
                "live_births_female": 1_494,
            }
            | {"women_delivered": 3_070, "women_nonagri": 1_950, "women_agri": 1_120, "stillbirths": 9}
            | {
                "women_systematic_managed": 2_951,
                "women_antenatal_checked": 3_061,
                "women_antenatal_5plus": 3_020,
            }
            | {
                "women_early_checked": 3_011,
                "women_postnatal_visited": 3_005,
                "live_births_in_hospital": 3_104,
            }
            | {"maternal_deaths": 0, "maternal_deaths_haemorrhage": 0, "maternal_deaths_hypertension": 0}
            | {"maternal_deaths_medical": 0, "maternal_deaths_embolism": 0, "maternal_deaths_other": 0}
        ],
        "women_screening_annual": [
            {**own, "mch_year": year, "women_20_64": 244_000, "women_due": 28_000, "women_screened": 27_410}
            | {
                "disease_found": 6_240,
                "cervical_screened": 13_900,
                "breast_screened": 13_510,
                "treated": 6_010,
            }
        ],
        "women_screening_quarterly": [
            {**own, "quarter": f"{year}年第{quarter}季度", "women_due": 28_000, "women_screened": screened}
            | {"disease_found": screened * 22 // 100, "cervical_screened": cervical}
            | {"breast_screened": screened - cervical, "treated": screened * 21 // 100}
            for quarter, screened, cervical in (
                (1, 5_120, 2_610),
                (2, 13_240, 6_730),
                (3, 21_060, 10_690),
                (4, 27_410, 13_900),
            )
        ],
        "contract_monthly": _contracts(),
        "population_denominators": [
            {
                **own,
                "year": year,
                "definition": "RESIDENT_END",
                "population": 868_000,
                "source_version": "快报",
            }
        ],
        "survey_result": [
            {
                **own,
                "report_year": year,
                "survey_code": "儿童青少年近视调查",
                "item": "总体近视率",
                "sample_size": 5_400,
            }
            | {"weighted_rate": 49}
        ],
        "insurance_exchange": [
            {
                **own,
                "month": f"{one}-{month:02d}",
                "insured": 861_000,
                "visits_in_region": 271_000,
                "visits_total": 318_000,
            }
            | {"admissions_in_region": inside + month, "admissions_total": 9_598 + month}
            for one, inside in ((2023, 7_678), (2024, 7_868))
            for month in range(1, 13)
        ],
    }
