"""Births and what follows from them: vaccinations, newborn screening, mothers, young children, women's screening.

All of it hangs on one table of births by catchment area and month, so that the sources agree as real ones do:
deliveries, live births of the maternal tables, first doses of hepatitis B and screened newborns differ by a few in a
thousand.
"""

from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from samples.generator.draws import counts, part, split, stream
from samples.generator.mothers import mothers_of, with_mortality
from samples.generator.reports import KEY, PLACES, Reports, monthly, of_places, quarters, years
from samples.generator.seasons import Floats, Ints, months, season
from samples.generator.world import World

SEASON = (1.04, 0.93, 0.96, 0.95, 0.96, 0.97, 1.00, 1.02, 1.04, 1.08, 1.04, 1.01)
BEFORE = 7
"""Years of births before the first report: a booster at six is due to children born before it."""

# Vaccine, dose, month of age when it falls due, whether it is a booster; first and last month of the schedule.
SCHEDULE: tuple[tuple[str, str, int, bool, date | None, date | None], ...] = (
    ("HepB", "1", 0, False, None, None),
    ("HepB", "2", 1, False, None, None),
    ("HepB", "3", 6, False, None, None),
    ("BCG", "1", 0, False, None, None),
    ("POLIO", "1", 2, False, None, None),
    ("POLIO", "2", 3, False, None, None),
    ("POLIO", "3", 4, False, None, None),
    ("POLIO", "4", 48, True, None, None),
    ("DTaP", "1", 3, False, None, None),
    ("DTaP", "2", 4, False, None, None),
    ("DTaP", "3", 5, False, None, None),
    ("DTaP", "4", 18, True, None, None),
    ("DT", "1", 72, True, None, date(2024, 12, 1)),
    ("MR", "1", 8, False, None, date(2020, 5, 1)),
    ("MMR", "1", 8, False, date(2020, 6, 1), None),
    ("MMR", "2", 18, True, None, None),
    ("JE-L", "1", 8, False, None, None),
    ("JE-L", "2", 24, True, None, None),
    ("MenA", "1", 6, False, None, None),
    ("MenA", "2", 9, False, None, None),
    ("MenAC", "1", 36, True, None, None),
    ("MenAC", "2", 72, True, None, None),
    ("HepA-L", "1", 18, False, None, None),
)


class Births:
    """Births by primary-care unit and month, and the forms that follow from them."""

    def __init__(self, world: World, residents: Ints) -> None:
        """``residents``: units × months."""
        self.world = world
        self._residents = residents
        options = world.options
        self._axis = months(options.first_year - BEFORE, options.last_year)
        self._months = len(world.axis)

    @cached_property
    def births(self) -> Ints:
        """Primary-care units × months of the longer axis."""
        rng = stream(self.world.options.seed, "births")
        first = self._residents[self.world.primary][:, :1]
        people = np.concatenate(
            [np.repeat(first, BEFORE * 12, axis=1), self._residents[self.world.primary]], axis=1
        )
        level = np.exp(0.10 * rng.standard_normal((len(people), 1)))
        falling = np.linspace(0.0105, 0.0075, len(self._axis))
        return counts(rng, people * falling / 12 * season(self._axis, SEASON) * level, 0.02)

    @cached_property
    def of_place(self) -> Ints:
        """Places × months of the longer axis."""
        place = self.world.place_of[self.world.primary]
        return np.array([self.births[place == p].sum(axis=0) for p in range(self.world.places)])

    def reports(self) -> list[Reports]:
        """All forms that follow from births."""
        return [self._vaccinations(), self._screening(), *self._mothers_and_children(), self._women()]

    def _vaccinations(self) -> Reports:
        """Due are the children who reach the age in the month and those left from the month before."""
        rng = stream(self.world.options.seed, "vaccinations")
        who = self.world.primary
        number = self._months
        frames = []
        for vaccine, dose, age, booster, first, last in SCHEDULE:
            start = BEFORE * 12 - age
            reaching = self.births[:, start : start + number]
            cover = np.clip(
                0.965 - 0.0004 * age + 0.012 * rng.standard_normal((len(who), number)), 0.85, 0.995
            )
            due, given = np.zeros_like(reaching), np.zeros_like(reaching)
            left = np.rint(reaching[:, 0] * 0.03).astype(np.int64)
            for month in range(number):
                due[:, month] = reaching[:, month] + left
                given[:, month] = np.rint(due[:, month] * cover[:, month]).astype(np.int64)
                left = due[:, month] - given[:, month]
            kind = "booster" if booster else "basic"
            values: dict[str, Ints | Floats] = {f"due_{kind}": due, f"given_{kind}": given}
            if not booster:
                young = 1.0 if age < 10 else 0.0
                values["due_basic_lt12m"] = np.rint(due * 0.985 * young).astype(np.int64)
                values["given_basic_lt12m"] = np.minimum(
                    given, np.rint(given * 0.988 * young).astype(np.int64)
                )
            if (vaccine, dose) == ("HepB", "1"):
                values["hepb_birth_dose_timely"] = part(rng, given, 0.97, 0.01)
            frame = monthly(self.world, "epi_monthly", who, values).frame
            if first or last:
                frame = frame.filter(
                    pl.col("start").is_between(first or self.world.axis[0], last or self.world.axis[-1])
                )
            frames.append(frame.with_columns(vaccine=pl.lit(vaccine), dose_no=pl.lit(dose)))
        frames.append(self._points())
        together = pl.concat(frames, how="diagonal").with_columns(residence_class=pl.lit("0"))
        order = [
            "units_due", "units_reported", "population_last_year", "births_last_year", "due_basic", "due_basic_lt12m",
            "given_basic", "given_basic_lt12m", "hepb_birth_dose_timely", "due_booster", "given_booster",
            "certificates_due", "certificates_done", "aefi",
        ]  # fmt: skip
        columns = [*KEY, *PLACES, "vaccine", "dose_no", "residence_class", *order]
        return Reports("epi_monthly", together.select(columns).sort("subject", "start", maintain_order=True))

    def _points(self) -> pl.DataFrame:
        """The line of a vaccination point as a whole; people and births of last year stand in January's."""
        rng = stream(self.world.options.seed, "vaccination points")
        start = BEFORE * 12
        born = self.births[:, start:]
        january = np.array([month.month == 1 for month in self.world.axis])
        people = np.where(january, np.rint(self._residents[self.world.primary] / 1.006), np.nan)
        of_year = self.births.reshape(len(born), -1, 12).sum(axis=2)[:, BEFORE - 1 : -1]
        frame = monthly(
            self.world, "epi_monthly", self.world.primary,
            {
                "population_last_year": people,
                "births_last_year": np.where(january, np.repeat(of_year, 12, axis=1), np.nan),
                "certificates_due": born,
                "certificates_done": part(rng, born, 0.995, 0.003),
                "aefi": rng.poisson(born * 0.004),
            },
        ).frame  # fmt: skip
        return frame.with_columns(
            vaccine=pl.lit("NONE"), dose_no=pl.lit("0"),
            units_due=pl.lit(1, pl.Int64), units_reported=pl.lit(1, pl.Int64),
        )  # fmt: skip

    def _screening(self) -> Reports:
        """Newborns are screened where they are born: in the public hospitals of their place.

        A place without one, as small prefectures have, delivers in its first primary-care unit.
        """
        world = self.world
        rng = stream(world.options.seed, "screening")
        public = world.of_kind("public")
        without = set(range(world.places)) - {int(place) for place in world.place_of[public]}
        first = [int(world.primary[world.place_of[world.primary] == place][0]) for place in sorted(without)]
        who = np.array([*public.tolist(), *first], dtype=np.int64)
        own = self.of_place[:, BEFORE * 12 :]
        delivered = np.zeros((len(who), self._months), dtype=np.int64)
        for place in range(world.places):
            here = np.flatnonzero(world.place_of[who] == place)
            weights = (world.beds[who][here][:, None] * world.active[who][here]).T
            delivered[here] += split(own[place], weights).T
        screened = part(rng, delivered, 0.985, 0.005)
        hearing = part(rng, delivered, 0.978, 0.006)
        positive = rng.binomial(screened, 0.012)
        recalled = rng.binomial(positive, 0.95)
        confirmed = rng.binomial(recalled, 0.05)
        failed = part(rng, hearing, 0.09, 0.06)
        values: dict[str, Ints | Floats] = {
            "live_births_at_hospital": delivered,
            "metabolic_screened": screened,
            "metabolic_positive": positive,
            "metabolic_recalled": recalled,
            "pku_confirmed": np.zeros_like(confirmed),
            "ch_confirmed": confirmed,
            "hearing_screened": hearing,
            "hearing_failed": failed,
            "hearing_rescreened": part(rng, failed, 0.93, 0.02),
            "hearing_diagnosed": rng.binomial(failed, 0.02),
        }
        return monthly(world, "newborn_screening_monthly", who, values)

    def _mothers_and_children(self) -> list[Reports]:
        """Quarterly tables of each district, and the annual ones, which are the sums of four quarters from October."""
        world = self.world
        options = world.options
        spans = quarters(options.first_year - 1, options.last_year)[3:]
        start = BEFORE * 12 - 3
        by_quarter = self.of_place[:, start:].reshape(world.places, -1, 3).sum(axis=2)
        mothers = mothers_of(stream(options.seed, "mothers"), by_quarter)
        children = self._children(by_quarter)
        annual = years(options.first_year, options.last_year, maternal=True)
        whole = 4 * len(annual)

        def of_year(values: Ints) -> Ints:
            return np.asarray(values[:, :whole].reshape(world.places, -1, 4).sum(axis=2), dtype=np.int64)

        yearly = {name: of_year(value) for name, value in mothers.items()}
        stocks = ("children_lt7", "children_lt5", "children_lt3")
        grown = {
            name: value[:, :whole].reshape(world.places, -1, 4)[:, :, -1]
            if name in stocks
            else of_year(value)
            for name, value in children.items()
        }
        return [
            of_places(world, "mch_maternal_quarterly", spans, mothers),
            of_places(world, "mch_child_quarterly", spans, children),
            with_mortality(of_places(world, "mch_maternal_annual", annual, yearly)),
            of_places(world, "mch_child_annual", annual, grown),
        ]

    def _children(self, born: Ints) -> dict[str, Ints]:
        """Flows of a quarter are about a quarter of the year's; every number keeps the order that the rules ask."""
        rng = stream(self.world.options.seed, "children")
        ends = BEFORE * 12 - 3 + 3 * np.arange(1, born.shape[1] + 1)
        sums = np.concatenate(
            [np.zeros((self.world.places, 1), dtype=np.int64), self.of_place.cumsum(axis=1)], axis=1
        )

        def younger(age: int) -> Ints:
            born_since = sums[:, ends] - sums[:, np.maximum(0, ends - 12 * age)]
            return np.asarray(np.maximum(1, born_since), dtype=np.int64)

        lt7, lt5, lt3 = younger(7) + 2, younger(5) + 1, younger(3)
        neonatal = {sex: rng.poisson(born * 0.00065) for sex in ("male", "female")}
        infant = {sex: neonatal[sex] + rng.poisson(born * 0.00055) for sex in neonatal}
        under5 = {sex: infant[sex] + rng.poisson(born * 0.00050) for sex in neonatal}
        surveyed = part(rng, born, 0.80)
        breastfed = part(rng, surveyed, 0.88)
        measured = part(rng, lt5, 0.225)
        tested = part(rng, measured, 0.80)
        anaemic = part(rng, tested, 0.035, 0.06)
        values: dict[str, Ints] = {"children_lt7": lt7, "children_lt5": lt5, "children_lt3": lt3}
        for name, by_sex in (
            ("deaths_under5", under5),
            ("deaths_infant", infant),
            ("deaths_neonatal", neonatal),
        ):
            values |= {
                name: by_sex["male"] + by_sex["female"],
                f"{name}_male": by_sex["male"],
                f"{name}_female": by_sex["female"],
            }
        return values | {
            "breastfeeding_surveyed": surveyed,
            "breastfed": breastfed,
            "exclusively_breastfed": part(rng, breastfed, 0.62),
            "newborns_visited": part(rng, born, 0.965, 0.006),
            "newborns_screened_pku": part(rng, born, 0.985, 0.004),
            "newborns_screened_ch": part(rng, born, 0.985, 0.004),
            "newborns_screened_hearing": part(rng, born, 0.978, 0.005),
            "children_0_6_managed": part(rng, lt7, 0.236, 0.01),
            "children_lt3_systematic": part(rng, lt3, 0.228, 0.01),
            "measured_lt5": measured,
            "underweight": part(rng, measured, 0.008, 0.08),
            "stunted": part(rng, measured, 0.010, 0.08),
            "overweight": part(rng, measured, 0.052, 0.06),
            "obese": part(rng, measured, 0.021, 0.06),
            "hb_tested_lt5": tested,
            "anaemic": anaemic,
            "anaemic_mod_severe": part(rng, anaemic, 0.14, 0.1),
        }

    def _women(self) -> Reports:
        world = self.world
        rng = stream(world.options.seed, "women")
        spans = years(world.options.first_year, world.options.last_year, maternal=True)
        people = np.array(
            [
                self._residents[world.place_of == place].sum(axis=0).reshape(-1, 12)[:, 8]
                for place in range(world.places)
            ]
        )
        women = np.rint(people * 0.31).astype(np.int64)
        due = part(rng, women, 0.34, 0.03)
        screened = part(rng, due, 0.86, 0.03)
        found = part(rng, screened, 0.24, 0.04)
        cervical, breast = part(rng, women, 0.055, 0.05), part(rng, women, 0.056, 0.05)
        values: dict[str, Ints] = {
            "women_20_64": women,
            "women_due": due,
            "women_screened": screened,
            "disease_found": found,
            "cervical_screened": cervical,
            "cervical_precancer": rng.binomial(cervical, 0.0022),
            "cervical_cancer": rng.binomial(cervical, 0.00015),
            "breast_screened": breast,
            "breast_cancer": rng.binomial(breast, 0.0005),
            "treated": part(rng, found, 0.93, 0.02),
        }
        return of_places(world, "women_screening_annual", spans, values)
