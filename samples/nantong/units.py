"""Reports of Nantong's single units: hospitals, centres, village clinics, disease control; and its cards."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from samples.apportion import apportion, jitter
from samples.identifiers import uscc
from samples.longhu.vaccinations import PROGRAMME
from samples.nantong.plan import COUNTIES, PLAN
from samples.progress import duty, unit_event
from samples.sheets import Record

CDCS = (*(f"NT-J{number:02d}" for number in range(len(COUNTIES))), "NT-J99")
"""Disease control of each county and, last, of the prefecture."""
MOTHERS = "NT-G01"
"""Maternal and child health care of the prefecture."""
CENTRES = tuple(f"NT-C{number:02d}" for number in range(1, 6))
CLINICS = tuple(f"NT-D{number:02d}" for number in range(1, 13))
HOSPITALS = {
    "NT-H01": ("320602", "3", 900, 52_000),
    "NT-H02": ("320612", "2", 700, 44_000),
    "NT-H03": ("320602", "2", 600, 28_000),
    "NT-H04": ("320602", "1", 80, 3_000),
    "NT-H05": ("320612", "1", 60, 3_000),
}
"""General hospitals: county, level, beds, visits of a usual month of 2015."""
PRIVATE = ("NT-H04", "NT-H05")
TOWN_CENTRES = {f"NT-T{number:02d}": county for number, county in enumerate(COUNTIES, start=1)}
"""Health centre of the town of each county."""
CONTRACTS = dict(
    zip(
        (*CENTRES, *TOWN_CENTRES),
        (
            (58_000, 33), (63_000, 29), (41_000, 36), (72_000, 31), (55_000, 28),
            (46_200, 24), (38_900, 22), (61_400, 27), (52_300, 31),
            (57_800, 26), (49_500, 29), (66_100, 25), (43_700, 23),
        ),
        strict=True,
    )
)  # fmt: skip
"""Residents of each centre at the end of 2015, and how many in a hundred have a contract."""
COOPERATING = {"NT-H02": 4, "NT-H03": 2}
"""Disciplines in which the hospitals of the second level work with Shanghai."""
CENTRE_VISITS = 27_000
REHABILITATION = (46, 38, 32, 30, 30)
SEASON = (98, 93, 100, 101, 102, 101, 100, 99, 100, 102, 103, 104)
"""Each month in hundredths of a usual one."""
BIRTH_DEFECTS = 236
DEFECTS = ("Q21.0", "Q37.9", "Q69.0", "Q66.8", "Q17.0", "Q54.9", "Q90.9", "Q25.0")
TESTS = 62_000
"""Tests for HIV of a usual month."""


def events() -> list[dict[str, str]]:
    """All units, as rows of the directory."""
    rows = [
        unit_event(PLAN, code, f"{name}样例疾病预防控制中心", _number(10 + i), "J100", region=region)
        for i, (code, (region, name)) in enumerate(
            zip(CDCS, [*COUNTIES.items(), (PLAN.region, PLAN.region_name)], strict=True)
        )
    ]
    rows.append(unit_event(PLAN, MOTHERS, f"{PLAN.region_name}样例妇幼保健院", _number(90), "G100"))
    rows += [
        unit_event(PLAN, code, _centre(code), _number(30 + i), "B100", region=("320602", "320612")[i % 2])
        for i, code in enumerate(CENTRES)
    ]
    rows += [
        unit_event(PLAN, code, hospital(code), _number(40 + i), "A100", region=region, level=level)
        | ({"economic_type_code": "171", "sponsor_code": "3"} if code in PRIVATE else {})
        for i, (code, (region, level, _, _)) in enumerate(HOSPITALS.items())
    ]
    rows += [
        unit_event(PLAN, code, _town_centre(code), _number(70 + i), "C220", region=county)
        | {"township_code": f"{county}101"}
        for i, (code, county) in enumerate(TOWN_CENTRES.items())
    ]
    return rows + [
        unit_event(
            PLAN, code, _clinic(code), _number(50 + i), "D600", region=("320612", "320621", "320623")[i % 3]
        )
        for i, code in enumerate(CLINICS)
    ]


def duties(year: tuple[str, str]) -> list[dict[str, str]]:
    """What each unit files itself for the months of the year."""
    return [
        *(duty("hosp_monthly", code, year) for code in (*HOSPITALS, *CENTRES)),
        *(duty("epi_monthly", code, year) for code in CENTRES),
        duty("hiv_test_monthly", CDCS[-1], year),
    ]


def tables() -> Iterator[tuple[str, str, list[Record]]]:
    """Name, form and records of each file."""
    for year in (PLAN.year - 1, PLAN.year):
        yield (
            f"{year}年医疗服务月报",
            "hosp_monthly",
            [record for month in range(1, 13) for record in _services(year, month)],
        )
    yield "2015年分科床位", "inst_annual_hospital_dept", _departments()
    yield (
        "2015年村卫生室年报",
        "inst_annual_village",
        [
            {
                "organization_code": code,
                "org_name": _clinic(code),
                "report_year": PLAN.year,
                "village_doctors": 2,
                "visits_total": 3_800 + 90 * number,
                "essential_drugs": "是",
                "tcm_service": "否" if number == 7 else "是",
            }
            for number, code in enumerate(CLINICS)
        ],
    )
    yield (
        "2015年常规接种",
        "epi_monthly",
        [
            record
            for code in CENTRES
            for vaccine, dose, booster in PROGRAMME
            for record in _course(code, vaccine, dose, booster)
        ],
    )
    yield "2015年12月家庭医生签约", "contract_monthly", _contracts()
    yield "2015年艾滋病检测", "hiv_test_monthly", [record for month in range(1, 13) for record in _hiv(month)]
    yield (
        "2015年度出生缺陷儿登记卡",
        "birth_defect_card",
        [_defect(number) for number in range(BIRTH_DEFECTS)],
    )


def _services(year: int, month: int) -> Iterator[Record]:
    """Monthly reports; from 2014 to 2015 visits move to the centres, and drugs earn a smaller part."""
    days, season = monthrange(year, month)[1], SEASON[month - 1]
    before = year < PLAN.year
    drugs = Decimal("0.42") if before else Decimal("0.39")
    for code, (_, _, beds, usual) in HOSPITALS.items():
        visits = _in_month(usual * season * (1.023 if before else 1), code, year, month, "visits")
        left = _in_month(beds * days * 9, code, year, month, "discharges", spread=0.06)
        outpatient = Decimal(_in_month(visits * 18.5, code, year, month, "visit cost"))
        inpatient = Decimal(_in_month(left * 820, code, year, month, "stay cost"))
        yield {
            "organization_code": code,
            "org_name": hospital(code),
            "report_month": f"{year}-{month:02d}",
            "staff_technical": beds * 12 // 10,
            "doctors": beds * 4 // 10,
            "nurses": beds * 6 // 10,
            "beds_actual": beds,
            "bed_days_open": beds * days,
            "bed_days_occupied": _in_month(beds * days * 91, code, year, month, "in bed", spread=0.06),
            "bed_days_of_discharged": left * (99 if before else 96) // 10,
            "revenue_medical": outpatient + inpatient,
            "revenue_outpatient": outpatient,
            "revenue_outpatient_drug": _tenth(outpatient * drugs),
            "revenue_inpatient": inpatient,
            "revenue_inpatient_drug": _tenth(inpatient * drugs),
            "visits_total": visits,
            "visits_outpatient_emergency": visits * 98 // 100,
            "discharges": left,
            "inpatient_deaths": left // 200,
            "drug_markup": "零差率" if year == PLAN.year and month == 12 else "15%",
            "pathway_diseases": 12 if before else 18,
            "pathway_discharges": left // 4,
        }
    for code in CENTRES:
        visits = _in_month(CENTRE_VISITS * season * (0.926 if before else 1), code, year, month, "visits")
        outpatient = Decimal(_in_month(visits * 7.2, code, year, month, "visit cost"))
        yield {
            "organization_code": code,
            "org_name": _centre(code),
            "report_month": f"{year}-{month:02d}",
            "staff_technical": 96,
            "doctors": 41,
            "nurses": 36,
            "beds_actual": 0,
            "bed_days_open": 0,
            "bed_days_occupied": 0,
            "revenue_medical": outpatient,
            "revenue_outpatient": outpatient,
            "revenue_outpatient_drug": _tenth(outpatient * (drugs + Decimal("0.1"))),
            "revenue_inpatient": 0,
            "revenue_inpatient_drug": 0,
            "visits_total": visits,
            "visits_outpatient_emergency": visits * 96 // 100,
            "discharges": 0,
        }


def _departments() -> list[Record]:
    records: list[Record] = []
    for (code, (_, _, beds, _)), rehabilitation in zip(HOSPITALS.items(), REHABILITATION, strict=True):
        rest = beds - rehabilitation
        split = zip(("03", "04", "05", "07"), apportion(rest, (40, 35, 15, 10)), strict=True)
        records += [
            {
                "organization_code": code,
                "org_name": hospital(code),
                "report_year": PLAN.year,
                "department": department,
                "beds_actual": number,
            }
            for department, number in (*split, ("21", rehabilitation))
        ]
    return records


def _contracts() -> list[Record]:
    """Family-doctor contracts at the end of the year."""
    return [
        {
            "organization_code": code,
            "org_name": _centre(code) if code in CENTRES else _town_centre(code),
            "report_month": f"{PLAN.year}-12",
            "resident_population": people,
            "contracted": people * share // 100,
            "contracted_key": people * share // 400,
            "key_population": people * 3 // 10,
            "teams": 6,
        }
        for code, (people, share) in CONTRACTS.items()
    ]


def _course(code: str, vaccine: str, dose: str, booster: bool) -> Iterator[Record]:
    """A year of one dose at one centre; who is left stays due."""
    kind, left = ("booster" if booster else "basic"), 3
    for month in range(1, 13):
        due = left + round(84 * jitter(code, vaccine, dose, month, spread=0.08))
        left = due // 30
        yield {
            "org_code": code,
            "org_name": _centre(code),
            "month": f"{PLAN.year}-{month:02d}",
            "vaccine": vaccine,
            "dose_no": dose,
            "residence_class": "0",
            f"due_{kind}": due,
            f"given_{kind}": due - left,
        }


def _hiv(month: int) -> Iterator[Record]:
    """Tests of the whole prefecture, as its disease control counts them."""
    groups = ("PRE_OPERATION", "MATERNAL", "OTHER_PATIENTS", "DONORS", "VCT")
    tests = apportion(TESTS * SEASON[month - 1] // 100 + 100, (38, 12, 36, 12, 2))
    for group, number in zip(groups, tests, strict=True):
        yield {
            "organization_code": CDCS[-1],
            "org_name": f"{PLAN.region_name}样例疾病预防控制中心",
            "month": f"{PLAN.year}-{month:02d}",
            "test_site_type": group,
            "tests": number,
            "positives_screen": number // 2_000,
            "positives_confirmed": number // 3_000,
        }


def _defect(number: int) -> Record:
    """A card of the maternal-child year, October to September, that says nothing of the mother."""
    born = date(PLAN.year - 1, 10, 1) + timedelta(days=number * 364 // BIRTH_DEFECTS)
    return {
        "card_no": f"NTQX{PLAN.year}{number + 1:04d}",
        "birth_time": f"{born.isoformat()} 10:{number % 60:02d}",
        "sex": "12"[number % 2],
        "gestational_weeks": 36 + number % 5,
        "birth_weight": 2_480 + 13 * (number % 90),
        "place": "12"[number % 2],
        "fill_date": (born + timedelta(days=2)).isoformat(),
        "defect_codes_1": DEFECTS[number % len(DEFECTS)],
    }


def _number(serial: int) -> str:
    return uscc(7000 + serial, registered_by="12")


def _centre(code: str) -> str:
    return f"南通样例社区卫生服务中心{int(code[-2:])}"


def _town_centre(code: str) -> str:
    return f"{COUNTIES[TOWN_CENTRES[code]]}样例镇卫生院"


def hospital(code: str) -> str:
    """Name of a hospital."""
    return f"南通样例综合医院{int(code[-2:])}"


def _clinic(code: str) -> str:
    return f"南通样例村卫生室{int(code[-2:])}"


def _in_month(hundredfold: float, *key: object, spread: float = 0.02) -> int:
    """A hundredth of a number as one month has it: a little more or less."""
    return round(hundredfold / 100 * jitter(*key, spread=spread))


def _tenth(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.1"))
