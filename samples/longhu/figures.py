"""The constructed figures: unit by unit and month by month, adding up to what the plan prints.

Group totals are the plan's; how they split over units and months is invented. Counts the plan prints
are split from above (largest remainder), everything else is built from below, so that each yearly
figure is the sum of its months and every balance rule of the forms holds.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from samples.apportion import apportion, jitter
from samples.longhu.units import HOSPITALS, INSTITUTIONS, PRIMARY_CARE, Group, Unit

YEAR = 2015
MONTHS = range(1, 13)

Value = int | Decimal | str | None
Values = dict[str, Value]

# What the plan prints (bed days: chosen so that the printed rates follow; beds x 365 days are open).
TOTALS: Mapping[Group, Mapping[str, int]] = MappingProxyType(
    {
        Group.PUBLIC: {"visits": 632_383, "admissions": 17_257, "beds": 459, "occupied": 125_484},
        Group.PRIVATE: {"visits": 169_887, "admissions": 4_978, "beds": 219, "occupied": 45_803},
        Group.PRIMARY: {"visits": 459_273, "admissions": 2_185, "beds": 109, "occupied": 17_346},
    }
)
DOCTORS, NURSES = 731, 719
OTHER_TECHNICAL, MANAGEMENT, LOGISTICS = 42, 28, 102
TECHNICIANS = MappingProxyType(
    dict(
        zip((u.code for u in INSTITUTIONS), (430, 310, 170, 190, 130, 105, 110, 95, 83, 85, 65), strict=True)
    )
)
BEDS = MappingProxyType(
    dict(zip((u.code for u in INSTITUTIONS), (222, 158, 79, 95, 70, 54, 15, 10, 10, 42, 32), strict=True))
)

VISIT_SHARE = dict(
    zip((u.code for u in INSTITUTIONS), (45, 34, 21, 46, 31, 23, 27, 22, 19, 18, 14), strict=True)
)
BED_USE = dict(zip((u.code for u in INSTITUTIONS), (78, 74, 68, 62, 55, 52, 38, 35, 34, 47, 45), strict=True))
STAY = dict(zip((u.code for u in INSTITUTIONS), (75, 72, 70, 99, 65, 120, 70, 70, 70, 82, 82), strict=True))
"""Relative length of stay, tenths of a day."""

# Spring Festival fell on 19 February 2015.
VISIT_SEASON = (1.00, 0.83, 1.02, 1.00, 1.03, 1.01, 1.00, 0.98, 0.99, 1.00, 1.02, 1.08)
BED_SEASON = (1.01, 0.92, 1.00, 1.01, 1.02, 1.01, 1.00, 0.99, 0.99, 1.00, 1.02, 1.05)

VISIT_COST = {Group.PUBLIC: 158.0, Group.PRIVATE: 176.0, Group.PRIMARY: 61.0}
STAY_COST = {Group.PUBLIC: 6_480.0, Group.PRIVATE: 5_350.0, Group.PRIMARY: 2_050.0}
"""Yuan per visit and per discharge."""
DRUG_SHARE = {Group.PUBLIC: 0.41, Group.PRIVATE: 0.36, Group.PRIMARY: 0.52}
APPOINTMENT_SHARE = {Group.PUBLIC: 0.17, Group.PRIVATE: 0.08, Group.PRIMARY: 0.03}
OTHER_VISIT_SHARE = {Group.PUBLIC: 0.012, Group.PRIVATE: 0.009, Group.PRIMARY: 0.034}
"""Visits that are neither outpatient nor emergency: home visits, single checks."""

POPULATION_SERVED = 510_500
CHILDREN_0_6, CHILDREN_0_6_MANAGED = 58_841, 56_334
HYPERTENSION, HYPERTENSION_STANDARD = 24_818, 22_840
DIABETES, DIABETES_STANDARD = 8_046, 6_242
ELDERLY_MANAGEMENT = 0.7418
GP_REGISTERED, GP_CERTIFIED = 21, 58


def month(unit: Unit, number: int) -> Values:
    """Monthly report of a unit: field code to value; a field it does not fill is absent."""
    return dict(_months(unit.code)[number - 1])


def year(unit: Unit) -> Values:
    """Annual report of a unit: stocks at 31 December, flows as the sum of its months."""
    return dict(_year(unit.code))


def days_in(number: int) -> int:
    """Days of that month of 2015."""
    return monthrange(YEAR, number)[1]


@lru_cache(maxsize=1)
def _split() -> dict[str, dict[str, int]]:
    """Yearly figures split from above over the units."""
    figures: dict[str, dict[str, int]] = {unit.code: {} for unit in INSTITUTIONS}

    def spread(name: str, total: int, units: Sequence[Unit], weights: Sequence[float]) -> None:
        for unit, value in zip(units, apportion(total, weights), strict=True):
            figures[unit.code][name] = value

    for group, totals in TOTALS.items():
        units = [unit for unit in INSTITUTIONS if unit.group == group]
        occupied = [BEDS[unit.code] * BED_USE[unit.code] for unit in units]
        stays = [days / STAY[unit.code] for unit, days in zip(units, occupied, strict=True)]
        spread("visits", totals["visits"], units, [VISIT_SHARE[unit.code] for unit in units])
        spread("occupied", totals["occupied"], units, occupied)
        spread("admissions", totals["admissions"], units, stays)
        # A few of the year's patients were still in bed on New Year's Eve.
        spread("discharges", totals["admissions"] - totals["admissions"] // 300, units, stays)

    staff = [TECHNICIANS[unit.code] for unit in INSTITUTIONS]
    hospital = [unit in HOSPITALS for unit in INSTITUTIONS]
    pairs = list(zip(staff, hospital, strict=True))
    spread("doctors", DOCTORS, INSTITUTIONS, [n * (0.40 if h else 0.45) for n, h in pairs])
    spread("nurses", NURSES, INSTITUTIONS, [n * (0.44 if h else 0.30) for n, h in pairs])
    spread("other_technical", OTHER_TECHNICAL, INSTITUTIONS, staff)
    spread("management", MANAGEMENT, INSTITUTIONS, staff)
    spread("logistics", LOGISTICS, INSTITUTIONS, [n * (1.2 if h else 1.0) for n, h in pairs])
    spread("gp_registered", GP_REGISTERED, INSTITUTIONS, [n * (0.2 if h else 1.5) for n, h in pairs])
    spread("gp_certified", GP_CERTIFIED, INSTITUTIONS, [n * (0.3 if h else 1.5) for n, h in pairs])

    visits = [figures[unit.code]["visits"] for unit in PRIMARY_CARE]
    for name, total in (
        ("served_population", POPULATION_SERVED),
        ("children_0_6", CHILDREN_0_6),
        ("children_0_6_managed", CHILDREN_0_6_MANAGED),
        ("hypertension", HYPERTENSION),
        ("hypertension_standard", HYPERTENSION_STANDARD),
        ("diabetes", DIABETES),
        ("diabetes_standard", DIABETES_STANDARD),
    ):
        spread(name, total, PRIMARY_CARE, visits)
    return figures


@lru_cache(maxsize=32)
def _months(code: str) -> tuple[Values, ...]:
    unit = _unit(code)
    group = _group(unit)
    yearly = _split()[code]
    days = [days_in(m) for m in MONTHS]
    visits = apportion(yearly["visits"], _season(unit, "visits", VISIT_SEASON))
    bed_season = _season(unit, "beds", BED_SEASON)
    occupied = apportion(yearly["occupied"], [s * d for s, d in zip(bed_season, days, strict=True)])
    discharges = apportion(yearly["discharges"], [s * d for s, d in zip(bed_season, days, strict=True)])
    deaths = apportion(yearly["discharges"] // (180 if group is Group.PUBLIC else 400), days)
    months = []
    for m, in_month, seen, in_bed, left, died in zip(
        MONTHS, days, visits, occupied, discharges, deaths, strict=True
    ):
        outpatient = seen - _part(seen, OTHER_VISIT_SHARE[group], code, m, "other visits")
        values: Values = {
            "staff_technical": _stock(TECHNICIANS[code], m, 4),
            "doctors": _stock(yearly["doctors"], m, 2),
            "gp_registered": yearly["gp_registered"],
            "gp_certified": yearly["gp_certified"],
            "nurses": _stock(yearly["nurses"], m, 2),
            "beds_actual": BEDS[code],
            "bed_days_open": BEDS[code] * in_month,
            "bed_days_occupied": in_bed,
            "bed_days_of_discharged": _part(in_bed, 0.985, code, m, "stay", spread=0.012),
            "visits_total": seen,
            "visits_outpatient_emergency": outpatient,
            "visits_by_appointment": _part(outpatient, APPOINTMENT_SHARE[group], code, m, "appointments"),
            "discharges": left,
            "inpatient_deaths": died,
        }
        values |= _money(unit, m, visits=seen, discharges=left)
        if group is Group.PUBLIC:
            values |= {
                "pathway_diseases": 8,
                "pathway_discharges": _part(left, 0.21, code, m, "pathway"),
                "case_payment_diseases": 3,
            }
        if group is Group.PRIMARY:
            values |= _public_health(unit, m)
        months.append(values)
    return tuple(months)


def _money(unit: Unit, m: int, *, visits: int, discharges: int) -> Values:
    """Income and expenditure of a month in thousand yuan, as the form asks."""
    group = _group(unit)

    def share(amount: Decimal, part: float, what: str) -> Decimal:
        return _thousands(float(amount) * part * jitter(unit.code, m, what, spread=0.012))

    outpatient = _thousands(
        visits * VISIT_COST[group] / 1000 * jitter(unit.code, m, "visit cost", spread=0.012)
    )
    inpatient = _thousands(
        discharges * STAY_COST[group] / 1000 * jitter(unit.code, m, "stay cost", spread=0.012)
    )
    outpatient_drug = share(outpatient, DRUG_SHARE[group], "outpatient drugs")
    inpatient_drug = share(inpatient, DRUG_SHARE[group] - 0.05, "inpatient drugs")
    drugs = outpatient_drug + inpatient_drug
    revenue = outpatient + inpatient
    spent_on_drugs = share(drugs, 0.93 if group is not Group.PRIMARY else 0.98, "drug cost")
    values: Values = {
        "revenue_medical": revenue,
        "revenue_outpatient": outpatient,
        "revenue_outpatient_drug": outpatient_drug,
        "revenue_inpatient": inpatient,
        "revenue_inpatient_drug": inpatient_drug,
        "revenue_essential_drug": share(drugs, 0.95 if group is Group.PRIMARY else 0.38, "essential drugs"),
        "revenue_tcm_drug": share(drugs, 0.14, "tcm drugs"),
        "expenditure_medical": share(revenue, 0.97, "cost"),
        "expenditure_drug": spent_on_drugs,
        "expenditure_tcm_drug": share(spent_on_drugs, 0.13, "tcm cost"),
    }
    if group is Group.PRIMARY:
        values["expenditure_public_health"] = share(revenue, 0.22, "public health")
    return values


def _public_health(unit: Unit, m: int) -> Values:
    """Month-end stocks of the basic public-health services."""
    yearly = _split()[unit.code]
    records = yearly["served_population"] * 86 // 100
    recorded = _stock(records, m, records // 40)
    return {
        "health_records_cum": recorded,
        "health_records_electronic": recorded * 94 // 100,
        "hypertension_std_managed": _stock(yearly["hypertension_standard"], m, 60),
        "diabetes_std_managed": _stock(yearly["diabetes_standard"], m, 24),
    }


@lru_cache(maxsize=32)
def _year(code: str) -> Values:
    unit = _unit(code)
    group = _group(unit)
    yearly = _split()[code]
    months = _months(code)

    def total(field: str) -> int:
        return sum(int(values[field] or 0) for values in months)

    def money(field: str) -> Decimal:
        return sum((Decimal(values[field] or 0) for values in months), Decimal(0))

    technicians, doctors, nurses = TECHNICIANS[code], yearly["doctors"], yearly["nurses"]
    assistants = doctors * (10 if unit in HOSPITALS else 22) // 100
    licensed = doctors - assistants
    tcm, dental = licensed * 12 // 100, licensed * 5 // 100
    public_health = licensed * (2 if unit in HOSPITALS else 9) // 100
    pharmacists, laboratory, imaging, others = apportion(technicians - doctors - nurses, (35, 22, 13, 30))
    staff = technicians + yearly["other_technical"] + yearly["management"] + yearly["logistics"]
    outpatient_emergency = total("visits_outpatient_emergency")
    emergency = outpatient_emergency * (9 if group is Group.PUBLIC else 4) // 100
    medical = money("revenue_medical")
    subsidy = _thousands(
        float(medical) * {Group.PUBLIC: 0.11, Group.PRIVATE: 0.0, Group.PRIMARY: 0.62}[group]
    )
    science = _thousands(float(medical) * (0.004 if group is Group.PUBLIC else 0.0))
    other_revenue = _thousands(float(medical) * 0.015)
    revenue = medical + subsidy + science + other_revenue
    spent = _thousands(float(revenue) * 0.981)
    assets = _thousands(float(revenue) * 1.35)
    current = _thousands(float(assets) * 0.24)
    long_term = _thousands(float(assets) * 0.07)
    values: Values = {
        "staff_authorised": staff * (92 if group is not Group.PRIVATE else 0) // 100,
        "staff_total": staff,
        "staff_technical": technicians,
        "doctors_licensed": licensed,
        "doctors_licensed_clinical": licensed - tcm - dental - public_health,
        "doctors_licensed_tcm": tcm,
        "doctors_licensed_dental": dental,
        "doctors_licensed_ph": public_health,
        "doctors_assistant": assistants,
        "gp_registered": yearly["gp_registered"],
        "gp_certified": yearly["gp_certified"],
        "nurses": nurses,
        "midwives": nurses * (5 if unit in HOSPITALS else 3) // 100,
        "pharmacists": pharmacists,
        "lab_technicians": laboratory,
        "imaging_technicians": imaging,
        "other_health_technicians": others,
        "staff_other_technical": yearly["other_technical"],
        "staff_management": yearly["management"],
        "staff_logistics": yearly["logistics"],
        "beds_authorised": -(-BEDS[code] // 10) * 10,
        "beds_actual": BEDS[code],
        "beds_special": BEDS[code] * (2 if group is Group.PUBLIC else 0) // 100,
        "beds_negative_pressure": 2 if unit.level == "2" else 0,
        "bed_days_open": total("bed_days_open"),
        "bed_days_occupied": total("bed_days_occupied"),
        "bed_days_of_discharged": total("bed_days_of_discharged"),
        "floor_area": BEDS[code] * 62 + technicians * 9,
        "equipment_value_10k": _thousands(technicians * (6.4 if unit in HOSPITALS else 2.3)),
        "equipment_count_10k": technicians * (7 if unit in HOSPITALS else 3) // 10,
        "revenue_total": revenue,
        "revenue_medical": medical,
        "revenue_fiscal_subsidy": subsidy,
        "revenue_science_education": science,
        "revenue_other": other_revenue,
        "expenditure_total": spent,
        "expenditure_personnel": _thousands(float(spent) * 0.38),
        "assets_total": assets,
        "liabilities_current": current,
        "liabilities_noncurrent": long_term,
        "net_assets": assets - current - long_term,
        "visits_total": yearly["visits"],
        "visits_outpatient": outpatient_emergency - emergency,
        "visits_emergency": emergency,
        "visits_home": (yearly["visits"] - outpatient_emergency) * 3 // 4,
        "visits_by_appointment": total("visits_by_appointment"),
        "observation_cases": emergency // 12,
        "health_checks": yearly["visits"] * (9 if unit in HOSPITALS else 14) // 100,
        "admissions": yearly["admissions"],
        "discharges": total("discharges"),
        "discharges_to_primary": total("discharges") * (2 if unit in HOSPITALS else 0) // 100,
        "inpatient_deaths": total("inpatient_deaths"),
        "inpatient_surgeries": total("discharges") * (27 if unit in HOSPITALS else 0) // 100,
    }
    if group is Group.PRIMARY:
        values |= _year_of_public_health(unit)
    return values


def _year_of_public_health(unit: Unit) -> Values:
    yearly = _split()[unit.code]
    december = _months(unit.code)[-1]
    people, children = yearly["served_population"], yearly["children_0_6"]
    infants, elderly = children * 44 // 100, people * 71 // 1000
    return {
        "served_population": people,
        "children_0_6": children,
        "children_0_3": infants,
        "population_65_plus": elderly,
        "health_records_cum": december["health_records_cum"],
        "health_records_electronic": december["health_records_electronic"],
        "consult_beneficiaries": people * 4 // 100,
        "lecture_beneficiaries": people * 3 // 100,
        "child_vaccinations": children * 2,
        "children_0_6_managed": yearly["children_0_6_managed"],
        "early_pregnancy_registered": people * 138 // 10_000,
        "elderly_65_managed": round(elderly * ELDERLY_MANAGEMENT),
        "hypertension_managed_cum": yearly["hypertension"],
        "diabetes_managed_cum": yearly["diabetes"],
        "smi_managed": people * 33 // 10_000,
        "tb_managed": people * 5 // 10_000,
        "idr_phe_reports": people * 12 // 10_000,
        "supervision_patrols": 180 + people // 1_000,
        "tcm_managed_0_3": infants * 46 // 100,
        "tcm_managed_65": elderly * 44 // 100,
    }


def _season(unit: Unit, what: str, season: Sequence[float]) -> list[float]:
    return [
        factor * jitter(unit.code, what, m, spread=0.012) for m, factor in zip(MONTHS, season, strict=True)
    ]


def _part(whole: int, share: float, *key: object, spread: float = 0.04) -> int:
    return min(whole, round(whole * share * jitter(*key, spread=spread)))


def _stock(at_year_end: int, m: int, growth: int) -> int:
    """A stock that grew by ``growth`` over the year, at the end of month ``m``."""
    return at_year_end - growth * (12 - m) // 12


def _thousands(amount: float) -> Decimal:
    return Decimal(round(amount * 10)) / 10


def _unit(code: str) -> Unit:
    return next(unit for unit in INSTITUTIONS if unit.code == code)


def _group(unit: Unit) -> Group:
    if unit.group is None:
        raise ValueError(f"{unit.code} files no service reports")
    return unit.group
