"""Monthly and annual reports of hospitals and primary-care units: what one number implies of another holds.

Visits and bed use follow the season, the Spring Festival, the winters' influenza and each unit's own trend; staff,
money and public-health stocks follow from them. The annual report is the sum of the months and the stocks at the
year's end.
"""

from functools import cached_property

import numpy as np

from samples.generator.draws import counts, part, split, stream
from samples.generator.reports import Reports, monthly, periodic, years
from samples.generator.seasons import Floats, Ints, days, festival_dip, season, trend
from samples.generator.world import World

VISITS = (1.02, 0.97, 1.01, 1.00, 1.01, 0.99, 0.97, 0.96, 0.98, 1.00, 1.03, 1.06)
STAYS = (1.00, 0.98, 1.02, 1.01, 1.01, 1.00, 0.99, 0.98, 0.99, 1.00, 1.01, 1.01)
VISITS_PER_BED = {"public": 95.0, "private": 75.0}
USE = {"public": 0.84, "private": 0.62, "centre": 0.40, "township": 0.52}
STAY = {"public": 8.2, "private": 8.8, "centre": 7.5, "township": 6.6}
STAFF_PER_BED = {"public": 1.45, "private": 1.05}
VISIT_COST = {"public": 230.0, "private": 190.0, "centre": 95.0, "township": 70.0}
STAY_COST = {"public": 9_200.0, "private": 6_100.0, "centre": 2_900.0, "township": 2_400.0}
DRUGS = {"public": 0.38, "private": 0.34, "centre": 0.55, "township": 0.50}


class Services:
    """Numbers of all units and months, as arrays units × months."""

    def __init__(self, world: World, influenza: Floats) -> None:
        """``influenza``: by place and month, how many more visits the season brings (0 for none)."""
        self.world = world
        self._influenza = influenza
        self._kinds = [unit.kind for unit in world.units]
        self._days = days(world.axis)

    def reports(self) -> list[Reports]:
        """The monthly form, and the two annual ones."""
        hospital, primary = self.world.hospitals, self.world.primary
        everyone = np.sort(np.concatenate([hospital, primary]))
        return [
            monthly(self.world, "hosp_monthly", everyone, {k: v[everyone] for k, v in self.months.items()}),
            self._annual("inst_annual_hospital", hospital),
            self._annual("inst_annual_phc", primary),
        ]

    @cached_property
    def months(self) -> dict[str, Ints | Floats]:
        """The monthly form by field."""
        values = self._volumes | self._money
        people = self._staff
        stocks = {
            name: people[name]
            for name in ("staff_technical", "doctors", "gp_registered", "gp_certified", "nurses")
        }
        return {**stocks, **values, **self._public_health}

    @property
    def discharges(self) -> Ints:
        """Discharged patients, units × months."""
        return np.asarray(self._volumes["discharges"], dtype=np.int64)

    def staff(self, who: int) -> dict[str, int]:
        """A unit's staff at the end of the last month, by the fields of the annual form."""
        return {name: int(people[who, -1]) for name, people in self._staff.items()}

    @cached_property
    def _beds(self) -> Ints:
        """Beds change with the year, never within it."""
        axis = self.world.axis
        rng = self._rng("beds")
        growth = 1 + 0.03 * rng.random((len(self._kinds), 1))
        back = np.array([axis[-1].year - month.year for month in axis])
        return np.asarray(np.maximum(4, np.rint(self.world.beds[:, None] * growth**-back)), dtype=np.int64)

    @cached_property
    def _volumes(self) -> dict[str, Ints | Floats]:
        world, axis = self.world, self.world.axis
        rng = self._rng("volumes")
        units = len(self._kinds)
        own = np.array([VISITS_PER_BED.get(kind, 0.0) for kind in self._kinds]) * world.beds
        own = np.where(own > 0, own, world.residents * 0.16) * np.exp(0.25 * rng.standard_normal(units))
        yearly = np.array([trend(axis, g) for g in 0.03 + 0.02 * rng.standard_normal(units)])
        winter = 1 + 0.35 * self._influenza[world.place_of]
        shape = season(axis, VISITS) * festival_dip(axis, 0.42) * self._days / 30.4
        visits = counts(rng, own[:, None] * yearly * winter * shape, 0.025)
        taken = self._taken_over(visits)
        visits = np.maximum(visits + taken, 30)
        other = np.array([0.035 if kind in ("centre", "township") else 0.012 for kind in self._kinds])
        outpatient = visits - part(rng, visits, other[:, None], 0.08)
        booked = np.array([{"public": 0.30, "private": 0.08}.get(kind, 0.04) for kind in self._kinds])

        opened = self._beds * self._days
        use = np.array([USE[kind] for kind in self._kinds]) * (1 + 0.06 * rng.standard_normal(units))
        rate = (
            use[:, None]
            * season(axis, STAYS)
            * festival_dip(axis, 0.35)
            * (1 + 0.05 * self._influenza[world.place_of])
        )
        occupied = np.minimum(
            counts(rng, np.asarray(opened * np.minimum(rate, 0.96), dtype=np.float64), 0.015), opened
        )
        stay = np.array([STAY[kind] for kind in self._kinds]) * np.exp(0.12 * rng.standard_normal(units))
        of_discharged = part(rng, occupied, 0.985, 0.004)
        discharges = np.maximum(
            1, np.rint(of_discharged / (stay[:, None] * np.exp(0.015 * rng.standard_normal(occupied.shape))))
        ).astype(np.int64)
        died = np.array([{"public": 0.006, "private": 0.002}.get(kind, 0.001) for kind in self._kinds])
        deaths = np.minimum(rng.poisson(discharges * died[:, None]), discharges).astype(np.int64)
        values: dict[str, Ints | Floats] = {
            "beds_actual": self._beds,
            "bed_days_open": opened,
            "bed_days_occupied": occupied,
            "bed_days_of_discharged": of_discharged,
            "visits_total": visits,
            "visits_outpatient_emergency": outpatient,
            "visits_by_appointment": part(rng, outpatient, booked[:, None], 0.05),
            "discharges": discharges,
            "inpatient_deaths": deaths,
        }
        return values

    def _taken_over(self, visits: Ints) -> Ints:
        """Visits that come from a unit which was merged into another."""
        more = np.zeros_like(visits)
        for index, unit in enumerate(self.world.units):
            if unit.successor is not None:
                more[unit.successor] += np.where(self.world.active[index] == 1, 0, visits[index])
        return more

    @cached_property
    def _staff(self) -> dict[str, Ints]:
        axis = self.world.axis
        rng = self._rng("staff")
        units = len(self._kinds)
        by_bed = np.array([STAFF_PER_BED.get(kind, 0.0) for kind in self._kinds])
        size = np.where(by_bed > 0, by_bed * self.world.beds, self.world.residents * 0.0016 + 12)
        size = size * np.exp(0.12 * rng.standard_normal(units))
        yearly = np.array([trend(axis, g) for g in np.abs(0.02 + 0.01 * rng.standard_normal(units))])
        technical = np.maximum(9, np.rint(size[:, None] * yearly)).astype(np.int64)
        hospital = np.isin(self._kinds, ["public", "private"])[:, None]
        doctors = np.maximum(3, np.rint(technical * np.where(hospital, 0.36, 0.44))).astype(np.int64)
        assistants = np.rint(doctors * np.where(hospital, 0.08, 0.24)).astype(np.int64)
        nurses = np.maximum(3, np.rint(technical * np.where(hospital, 0.45, 0.32))).astype(np.int64)
        return {
            "staff_technical": technical,
            "doctors": doctors,
            "doctors_assistant": assistants,
            "nurses": nurses,
            "gp_registered": np.rint(doctors * np.where(hospital, 0.03, 0.30)).astype(np.int64),
            "gp_certified": np.rint(doctors * np.where(hospital, 0.02, 0.22)).astype(np.int64),
            "staff_other_technical": np.rint(technical * 0.04).astype(np.int64),
            "staff_management": np.rint(technical * 0.05).astype(np.int64),
            "staff_logistics": np.rint(technical * 0.07).astype(np.int64),
        }  # fmt: skip

    @cached_property
    def _money(self) -> dict[str, Ints | Floats]:
        """Thousand yuan with one decimal, as the form asks; parts add up to the last digit."""
        rng = self._rng("money")
        axis = self.world.axis
        volumes = self._volumes
        units = len(self._kinds)

        def thousands(amount: Floats) -> Floats:
            return np.round(amount, 1)

        def costs(table: dict[str, float]) -> Floats:
            own = np.array([table[kind] for kind in self._kinds]) * np.exp(0.15 * rng.standard_normal(units))
            return np.asarray(own[:, None] * trend(axis, 0.05))

        noise = (units, len(axis))
        outpatient = thousands(
            volumes["visits_total"] * costs(VISIT_COST) / 1000 * np.exp(0.015 * rng.standard_normal(noise))
        )
        inpatient = thousands(
            volumes["discharges"] * costs(STAY_COST) / 1000 * np.exp(0.02 * rng.standard_normal(noise))
        )
        drugs = np.array([DRUGS[kind] for kind in self._kinds])[:, None] * np.exp(
            0.02 * rng.standard_normal(noise)
        )
        outpatient_drug, inpatient_drug = thousands(outpatient * drugs), thousands(inpatient * (drugs - 0.05))
        bought = outpatient_drug + inpatient_drug
        revenue = thousands(outpatient + inpatient)
        basic = np.array([0.9 if kind in ("centre", "township") else 0.4 for kind in self._kinds])[:, None]
        return {
            "revenue_medical": revenue,
            "revenue_outpatient": outpatient,
            "revenue_outpatient_drug": outpatient_drug,
            "revenue_inpatient": inpatient,
            "revenue_inpatient_drug": inpatient_drug,
            "revenue_essential_drug": thousands(bought * basic),
            "revenue_tcm_drug": thousands(bought * 0.12),
            "expenditure_medical": thousands(revenue * (0.97 + 0.01 * rng.standard_normal(noise))),
            "expenditure_drug": thousands(bought * 0.93),
            "expenditure_tcm_drug": thousands(bought * 0.11),
        }

    @cached_property
    def residents(self) -> Ints:
        """Residents served by each unit in each year, repeated for its months."""
        axis = self.world.axis
        back = np.array([axis[-1].year - month.year for month in axis])
        return np.rint(self.world.residents[:, None] * 1.006 ** -back.astype(float)).astype(np.int64)

    @cached_property
    def _public_health(self) -> dict[str, Ints | Floats]:
        """Stocks at the end of the month; nothing (empty) for hospitals."""
        rng = self._rng("public health")
        people = np.maximum.accumulate(self.residents, axis=1)
        share = np.clip(np.linspace(0.78, 0.90, len(self.world.axis)), 0, 0.95)
        records = np.rint(people * share).astype(np.int64)
        cover = np.exp(0.1 * rng.standard_normal((len(self._kinds), 1)))
        tension = np.rint(people * 0.075 * cover * share).astype(np.int64)
        sugar = np.rint(people * 0.024 * cover * share).astype(np.int64)
        stocks: dict[str, Ints | Floats] = {
            "health_records_cum": records,
            "health_records_electronic": np.rint(records * 0.94).astype(np.int64),
            "hypertension_std_managed": np.rint(tension * 0.78).astype(np.int64),
            "diabetes_std_managed": np.rint(sugar * 0.74).astype(np.int64),
        }
        nothing = self.world.residents == 0
        return {
            name: np.where(nothing[:, None], np.nan, value.astype(float)) for name, value in stocks.items()
        }

    def _annual(self, form: str, who: Ints) -> Reports:
        world = self.world
        options = world.options
        number = options.years
        open_in = world.active[who].reshape(len(who), number, 12)
        at_end = open_in[:, :, -1] == 1

        def total(name: str) -> Floats:
            values = self.months[name][who].reshape(len(who), number, 12)
            return np.asarray((values * open_in).sum(axis=2), dtype=np.float64)

        def stock(values: Ints) -> Ints:
            return values[who].reshape(len(who), number, 12)[:, :, -1]

        people = {name: stock(value) for name, value in self._staff.items()}
        licensed = people["doctors"] - people["doctors_assistant"]
        kinds = split(licensed, np.broadcast_to([0.80, 0.11, 0.05, 0.04], (*licensed.shape, 4)))
        rest = people["staff_technical"] - people["doctors"] - people["nurses"]
        others = split(rest, np.broadcast_to([0.34, 0.22, 0.14, 0.30], (*rest.shape, 4)))
        staff = people["staff_technical"] + people["staff_other_technical"] + people["staff_management"]
        staff = staff + people["staff_logistics"]
        beds = stock(self._beds)
        medical = np.round(total("revenue_medical"), 1)
        public = np.array([world.units[i].kind != "private" for i in who])[:, None]
        primary = np.array([world.units[i].kind in ("centre", "township") for i in who])[:, None]
        subsidy = np.round(medical * np.where(primary, 0.5, np.where(public, 0.09, 0.0)), 1)
        other = np.round(medical * 0.012, 1)
        revenue = np.round(medical + subsidy + other, 1)
        spent = np.round(revenue * 0.98, 1)
        assets = np.round(revenue * 1.3, 1)
        current, longer = np.round(assets * 0.22, 1), np.round(assets * 0.06, 1)
        outpatient = total("visits_outpatient_emergency").astype(np.int64)
        emergency = np.rint(outpatient * np.where(primary, 0.02, 0.08)).astype(np.int64)
        discharges = total("discharges").astype(np.int64)
        values: dict[str, Ints | Floats] = {
            "staff_total": staff,
            "staff_technical": people["staff_technical"],
            "doctors_licensed": licensed,
            "doctors_licensed_clinical": kinds[..., 0],
            "doctors_licensed_tcm": kinds[..., 1],
            "doctors_licensed_dental": kinds[..., 2],
            "doctors_licensed_ph": kinds[..., 3],
            "doctors_assistant": people["doctors_assistant"],
            "gp_registered": people["gp_registered"],
            "gp_certified": people["gp_certified"],
            "nurses": people["nurses"],
            "midwives": np.rint(people["nurses"] * 0.04).astype(np.int64),
            "pharmacists": others[..., 0],
            "lab_technicians": others[..., 1],
            "imaging_technicians": others[..., 2],
            "other_health_technicians": others[..., 3],
            "staff_other_technical": people["staff_other_technical"],
            "staff_management": people["staff_management"],
            "staff_logistics": people["staff_logistics"],
            "beds_authorised": beds + beds // 10,
            "beds_actual": beds,
            "beds_special": np.rint(beds * np.where(primary, 0.0, 0.02)).astype(np.int64),
            "bed_days_open": total("bed_days_open").astype(np.int64),
            "bed_days_occupied": total("bed_days_occupied").astype(np.int64),
            "bed_days_of_discharged": total("bed_days_of_discharged").astype(np.int64),
            "floor_area": beds * 70 + people["staff_technical"] * 9,
            "equipment_value_10k": np.round(people["staff_technical"] * np.where(primary, 2.4, 7.1), 1),
            "equipment_count_10k": np.rint(people["staff_technical"] * np.where(primary, 0.3, 0.7)).astype(
                np.int64
            ),
            "revenue_total": revenue,
            "revenue_medical": medical,
            "revenue_fiscal_subsidy": subsidy,
            "revenue_science_education": np.zeros_like(medical),
            "revenue_other": other,
            "expenditure_total": spent,
            "expenditure_personnel": np.round(spent * 0.37, 1),
            "assets_total": assets,
            "liabilities_current": current,
            "liabilities_noncurrent": longer,
            "net_assets": np.round(assets - current - longer, 1),
            "visits_total": total("visits_total").astype(np.int64),
            "visits_outpatient": outpatient - emergency,
            "visits_emergency": emergency,
            "visits_by_appointment": total("visits_by_appointment").astype(np.int64),
            "observation_cases": emergency // 12,
            "health_checks": np.rint(total("visits_total") * 0.1).astype(np.int64),
            # A few patients of the year were in bed on New Year's Eve, and a few of the year before left in it.
            "admissions": discharges + np.rint(discharges * 0.004).astype(np.int64),
            "discharges": discharges,
            "inpatient_deaths": total("inpatient_deaths").astype(np.int64),
            "inpatient_surgeries": np.rint(discharges * np.where(primary, 0.0, 0.29)).astype(np.int64),
        }
        if form == "inst_annual_phc":
            values |= self._year_of_public_health(who)
        units = [world.units[i] for i in who]
        return periodic(form, units, years(options.first_year, options.last_year), values, at_end)

    def _year_of_public_health(self, who: Ints) -> dict[str, Ints | Floats]:
        number = self.world.options.years

        def stock(values: Ints | Floats) -> Ints:
            return np.asarray(values[who].reshape(len(who), number, 12)[:, :, -1], dtype=np.int64)

        people = stock(self.residents)
        children, elderly = people * 66 // 1000, people * 118 // 1000
        infants = children * 42 // 100
        december = {name: stock(value) for name, value in self._public_health.items()}
        return {
            "served_population": people,
            "children_0_6": children,
            "children_0_3": infants,
            "population_65_plus": elderly,
            "health_records_cum": december["health_records_cum"],
            "health_records_electronic": december["health_records_electronic"],
            "child_vaccinations": children * 2,
            "children_0_6_managed": children * 94 // 100,
            "early_pregnancy_registered": people * 78 // 10_000,
            "elderly_65_managed": elderly * 71 // 100,
            "hypertension_managed_cum": december["hypertension_std_managed"] * 128 // 100,
            "diabetes_managed_cum": december["diabetes_std_managed"] * 134 // 100,
            "smi_managed": people * 41 // 10_000,
            "tb_managed": people * 4 // 10_000,
            "idr_phe_reports": people * 11 // 10_000,
            "supervision_patrols": 24 + people // 900,
            "tcm_managed_0_3": infants * 72 // 100,
            "tcm_managed_65": elderly * 68 // 100,
        }

    def _rng(self, what: str) -> np.random.Generator:
        return stream(self.world.options.seed, f"services {what}")
