"""Public-health programmes of the district in 2015: children, screening, tests, patients in care, tasks, titles.

What the plan prints is reproduced, everything else is invented. Infant and under-five mortality cannot be: no whole
number of deaths among 7,196 live births, the only number that the maternal rates allow, is 1.01 per thousand.
"""

from collections.abc import Sequence
from datetime import date

from samples.apportion import apportion, jitter
from samples.longhu import figures, maternal
from samples.longhu.residents import RESIDENTS_END
from samples.longhu.units import (
    CDC,
    MCH,
    PRIMARY_CARE,
    PRIVATE_2,
    PUBLIC_1,
    PUBLIC_2,
    REGION,
    REGION_NAME,
    Unit,
)
from samples.sheets import Record

DISTRICT = {"region_code": REGION, "region_name": REGION_NAME}

METABOLIC_SCREENED, HEARING_SCREENED = 7_897, 5_553
CERVICAL_SCREENED, BREAST_SCREENED = 2_578, 2_890
HIV_TESTS = 17_024
"""The plan prints 1.7 ten thousand."""
SMI_MANAGEMENT = 0.895
TB_MANAGEMENT = 0.90
INFANT_DEATHS = 7
"""Seven of 7,196 are 0.97 per thousand and eight are 1.11: neither is the printed 1.01."""

DELIVERING = ((PUBLIC_1, 46), (PUBLIC_2, 27), (PRIVATE_2, 39))
"""Hospitals where children are born, and their shares."""


def child_annual() -> list[Record]:
    """The table of children under seven for the maternal-child year 2015."""
    births = int(maternal.VALUES["live_births"])
    lt7, lt5, lt3 = figures.CHILDREN_0_6, 41_930, 23_410
    measured = 37_240
    return [
        {
            **DISTRICT,
            "mch_year": maternal.MCH_YEAR,
            "children_lt7": lt7,
            "children_lt5": lt5,
            "children_lt3": lt3,
            "deaths_under5": INFANT_DEATHS,
            "deaths_under5_male": 4,
            "deaths_under5_female": 3,
            "deaths_infant": INFANT_DEATHS,
            "deaths_infant_male": 4,
            "deaths_infant_female": 3,
            "deaths_neonatal": 5,
            "deaths_neonatal_male": 3,
            "deaths_neonatal_female": 2,
            "breastfeeding_surveyed": 4_950,
            "breastfed": 4_380,
            "exclusively_breastfed": 2_640,
            "newborns_visited": 7_049,
            "newborns_screened_pku": births - 61,
            "newborns_screened_ch": births - 61,
            "newborns_screened_hearing": 5_120,
            "children_0_6_managed": figures.CHILDREN_0_6_MANAGED,
            "children_lt3_systematic": 21_870,
            "measured_lt5": measured,
            "underweight": 391,
            "stunted": 428,
            "overweight": 1_890,
            "obese": 702,
            "hb_tested_lt5": 29_610,
            "anaemic": 1_244,
            "anaemic_mod_severe": 96,
        }
    ]


def newborn_screening(months: Sequence[int]) -> list[Record]:
    """Screening where children are born, by hospital and month; mothers from elsewhere included."""
    records: list[Record] = []
    for unit, share in _screened():
        for month in months:
            metabolic, hearing = share[0][month - 1], share[1][month - 1]
            positive = metabolic // 90
            records.append(
                {
                    "organization_code": unit.code,
                    "org_name": unit.name_on(date(2015, month, 1)),
                    "month": f"2015-{month:02d}",
                    "live_births_at_hospital": metabolic + 3 + month % 3,
                    "metabolic_screened": metabolic,
                    "metabolic_positive": positive,
                    "metabolic_recalled": positive,
                    "pku_confirmed": 0,
                    "ch_confirmed": 1 if (month, unit) in ((4, PUBLIC_1), (9, PRIVATE_2)) else 0,
                    "hearing_screened": hearing,
                    "hearing_failed": hearing // 11,
                    "hearing_rescreened": hearing // 11 - hearing // 200,
                    "hearing_diagnosed": 1 if month == 6 else 0,
                }
            )
    return records


def women_annual() -> list[Record]:
    """The annual table of the maternal-child year 2015; the project of rural women ran in it."""
    return [
        {
            **DISTRICT,
            "mch_year": maternal.MCH_YEAR,
            "women_20_64": 168_400,
            "women_due": 21_600,
            "women_screened": 17_930,
            "disease_found": 4_417,
            "cervical_screened": CERVICAL_SCREENED,
            "cervical_precancer": 6,
            "cervical_cancer": 1,
            "breast_screened": BREAST_SCREENED,
            "breast_cancer": 1,
            "treated": 4_102,
        }
    ]


def women_screening(quarter: int) -> list[Record]:
    """The cancer project of rural women, running from January to the end of a quarter."""
    done = (0.18, 0.52, 0.81, 1.0)[quarter - 1]
    cervical, breast = round(CERVICAL_SCREENED * done), round(BREAST_SCREENED * done)
    return [
        {
            **DISTRICT,
            "quarter": f"2015年第{quarter}季度",
            "women_due": 3_000,
            "women_screened": breast,
            "disease_found": breast // 5,
            "cervical_screened": cervical,
            "cervical_precancer": cervical // 400,
            "cervical_cancer": 1 if quarter > 2 else 0,
            "breast_screened": breast,
            "breast_cancer": 1 if quarter > 1 else 0,
            "treated": breast // 5 - 4,
        }
    ]


def hiv_tests(month: int) -> list[Record]:
    """Tests for HIV by place and group of people."""
    records: list[Record] = []
    for unit, groups in _HIV.items():
        for group, tests in groups.items():
            found = 1 if group in ("VCT", "STI_CLINIC") and month % 4 == 0 else 0
            records.append(
                {
                    "organization_code": unit,
                    "org_name": _NAMES[unit],
                    "month": f"2015-{month:02d}",
                    "test_site_type": group,
                    "tests": _monthly(tests, f"hiv {unit} {group}")[month - 1],
                    "positives_screen": found,
                    "positives_confirmed": found,
                }
            )
    return records


def patients_in_care(quarter: int) -> tuple[int, int]:
    """Patients with severe mental illness in care and registered; at the year's end those of the annual form."""
    managed = sum(int(figures.year(unit)["smi_managed"] or 0) for unit in PRIMARY_CARE) - 6 * (4 - quarter)
    return managed, round(managed / SMI_MANAGEMENT)


def mental_illness(quarter: int) -> list[Record]:
    """The table of patients at the end of a quarter."""
    managed, registered = patients_in_care(quarter)
    types = apportion(registered, (72, 2, 3, 8, 6, 9))
    names = ("schizophrenia", "paranoid", "schizoaffective", "bipolar", "epilepsy", "retardation")
    return [
        {
            **DISTRICT,
            "quarter": f"2015年第{quarter}季度",
            "smi_registered": registered,
            "smi_consented": registered - 41,
            "smi_managed": managed,
            "smi_std_managed": managed * 91 // 100,
            "smi_medicated": managed * 92 // 100,
            "smi_regular_medication": managed * 71 // 100,
            "smi_stable": managed * 94 // 100,
            "smi_deaths": 3,
            "smi_lost": 12,
            "resident_population": RESIDENTS_END[2015],
            **{f"smi_{name}": number for name, number in zip(names, types, strict=True)},
        }
    ]


def basic_services(quarter: int) -> list[Record]:
    """Basic public-health services of the centres, accumulating from January to the end of a quarter."""
    done = (0.27, 0.53, 0.77, 1.0)[quarter - 1]
    elderly = {unit.code: int(figures.year(unit)["population_65_plus"] or 0) for unit in PRIMARY_CARE}
    old = apportion(round(sum(elderly.values()) * figures.ELDERLY_MANAGEMENT), [*elderly.values()])
    ill = apportion(120, [*elderly.values()])
    cared = apportion(round(120 * TB_MANAGEMENT), ill)
    records: list[Record] = []
    for unit, managed, notified, in_care in zip(PRIMARY_CARE, old, ill, cared, strict=True):
        year = {name: int(value) for name, value in figures.year(unit).items() if isinstance(value, int)}
        standard = {
            name: int(figures.month(unit, 12)[f"{name}_std_managed"] or 0)
            for name in ("hypertension", "diabetes")
        }
        hypertension, diabetes = year["hypertension_managed_cum"], year["diabetes_managed_cum"]
        children = year["children_0_6"]
        records.append(
            {
                "organization_code": unit.code,
                "org_name": unit.name,
                "quarter": f"2015年第{quarter}季度",
                "resident_population": year["served_population"],
                "health_records_cum": year["health_records_cum"] - 50 * (4 - quarter),
                "health_records_electronic": year["health_records_electronic"] - 60 * (4 - quarter),
                "children_0_6": children,
                "children_0_6_followed": round(year["children_0_6_managed"] * done),
                "children_0_6_systematic": round(year["children_0_6_managed"] * done * 0.95),
                "population_65_plus": elderly[unit.code],
                "elderly_65_managed": int(managed * done),
                "hypertension_estimated": round(hypertension * 1.7),
                "hypertension_managed": round(hypertension * (0.85 + 0.15 * done)),
                "hypertension_std_managed": round(standard["hypertension"] * done),
                "hypertension_controlled": round(standard["hypertension"] * done * 0.62),
                "diabetes_estimated": round(diabetes * 1.9),
                "diabetes_managed": round(diabetes * (0.85 + 0.15 * done)),
                "diabetes_std_managed": round(standard["diabetes"] * done),
                "diabetes_controlled": round(standard["diabetes"] * done * 0.58),
                "tb_notified": round(notified * done),
                "tb_managed": min(round(notified * done), round(in_care * done)),
            }
        )
    return records


def toilets(year: int) -> list[Record]:
    """Sanitary toilets of the two towns, quarter by quarter; 111 new ones in the five years from 2011."""
    new = _TOILETS[year]
    earlier = [apportion(number, (3, 2)) for before, number in _TOILETS.items() if before < year]
    bases = [sum(one) for one in zip(*earlier, strict=True)] or [0, 0]
    records: list[Record] = []
    for quarter in range(1, 5):
        so_far = apportion(new * quarter // 4, (3, 2))
        for (code, name, households), added, base in zip(_TOWNS, so_far, bases, strict=True):
            harmless = households * 82 // 100 + base + added
            records.append(
                {
                    "township_code": code,
                    "township_name": name,
                    "quarter": f"{year}年第{quarter}季度",
                    "households": households,
                    "toilets_cum": households * 93 // 100,
                    "toilets_harmless_cum": harmless,
                    "toilets_new": added,
                    "toilets_removed": 0,
                }
            )
    return records


def certificates() -> list[Record]:
    """Titles granted in the five years from 2011: the provincial demonstration area, nine sanitary villages."""
    area: Record = {
        "subject_type": "4",
        "subject_code": REGION,
        "cert_type": "省级慢性病综合防治示范区",
        "cert_level": "2",
        "document_no": "构造文号〔2015〕1号",
        "valid_from": "2015-11-20",
    }
    villages: list[Record] = [
        {
            "subject_type": "3",
            "subject_code": f"{_TOWNS[number % 2][0]}{200 + number}",
            "cert_type": "省卫生村",
            "cert_level": "2",
            "document_no": f"构造文号〔{2011 + number % 5}〕{number + 2}号",
            "valid_from": f"{2011 + number % 5}-12-0{1 + number % 9}",
        }
        for number in range(9)
    ]
    return [area, *villages]


def tasks(year: int, quarter: int) -> list[Record]:
    """Progress of tasks up to a quarter's end; what the plan prints of 2011 to 2015 adds up over the years."""
    done = (0.2, 0.5, 0.8, 1.0)[quarter - 1]
    records: list[Record] = []
    for number, (unit, code, measured, by_year, denominator) in enumerate(_TASKS, start=1):
        if year in by_year:
            rate = denominator is not None
            reached = by_year[year] if rate and measured == "个" else round(by_year[year] * done)
            records.append(
                {
                    "organization_code": unit.code,
                    "lead_unit": unit.name,
                    "quarter": f"{year}年第{quarter}季度",
                    "task_code": f"LH{year}-{number:02d}",
                    "indicator_code": code,
                    "region_code": REGION,
                    "unit": measured,
                    "done_cumulative": reached,
                    "denominator": denominator,
                    "status": "2",
                }
            )
    return records


_NAMES = {CDC.code: CDC.name, PUBLIC_1.code: PUBLIC_1.name, MCH.code: MCH.name}
_HIV = {
    CDC.code: {"VCT": 1_912, "STI_CLINIC": 1_344, "ENTERTAINMENT": 857},
    PUBLIC_1.code: {"PRE_OPERATION": 3_260, "PRE_TRANSFUSION": 940, "OTHER_PATIENTS": 900},
    MCH.code: {"MATERNAL": 7_811},
}
HIV_TESTED_AT = tuple(_HIV)
"""Units that test for HIV."""
_TOWNS = (("440507101", "样例镇一", 9_200), ("440507100", "样例镇二", 6_100))
_TOILETS = {2011: 31, 2012: 26, 2013: 22, 2014: 18, 2015: 14}

# Who answers for it, which indicator, unit, reached by year, denominator of a share.
_TASKS: tuple[tuple[Unit, str, str, dict[int, int], int | None], ...] = (
    (MCH, "pregnant_thalassaemia_tests", "例", {2015: 7_753}, None),
    (MCH, "folic_acid_women", "人", {2015: 4_314}, None),
    (MCH, "pre_pregnancy_check_coverage", "人", {2015: 3_870}, 3_870),
    (CDC, "public_toilets_converted", "个", {2011: 4, 2012: 4, 2013: 3, 2014: 3, 2015: 3}, None),
    (CDC, "old_pits_filled", "个", {2011: 402, 2012: 337, 2013: 281, 2014: 226, 2015: 171}, None),
    (CDC, "village_doctor_subsidy", "元", {2015: 10_000}, None),
    (CDC, "discount_tcm_pack_coverage", "个", {2015: 37}, 37),
)


def _screened() -> list[tuple[Unit, tuple[list[int], list[int]]]]:
    """Metabolic and hearing screening by hospital and month."""
    shares = [share for _, share in DELIVERING]
    metabolic = apportion(METABOLIC_SCREENED, shares)
    hearing = apportion(HEARING_SCREENED, shares)
    return [
        (unit, (_monthly(one, f"metabolic {unit.code}"), _monthly(two, f"hearing {unit.code}")))
        for (unit, _), one, two in zip(DELIVERING, metabolic, hearing, strict=True)
    ]


def _monthly(total: int, what: str) -> list[int]:
    return apportion(total, [jitter(what, month, spread=0.06) for month in range(1, 13)])
