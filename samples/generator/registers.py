"""Quarterly and annual tables of public health: basic services, mental illness, tuberculosis, people, money."""

import numpy as np
import polars as pl

from samples.generator.draws import part, split, stream
from samples.generator.reports import (
    KEY,
    PLACES,
    Reports,
    of_places,
    of_prefecture,
    periodic,
    quarters,
    years,
)
from samples.generator.seasons import Ints
from samples.generator.world import World


class Registers:
    """Forms whose numbers follow from the residents."""

    def __init__(self, world: World, residents: Ints) -> None:
        """``residents``: units × months."""
        self.world = world
        self._residents = residents
        options = world.options
        self._years = years(options.first_year, options.last_year)
        self._quarters = quarters(options.first_year, options.last_year)

    def reports(self) -> list[Reports]:
        """All of them."""
        return [
            self._basic_services(),
            self._mental_illness(),
            self._tuberculosis(),
            *self._population(),
            self._expenditure(),
        ]

    def of_place(self, every: int) -> Ints:
        """Residents, places × periods of ``every`` months, at their ends."""
        world = self.world
        return np.array(
            [
                self._residents[world.place_of == place].sum(axis=0).reshape(-1, every)[:, -1]
                for place in range(world.places)
            ]
        )

    def _basic_services(self) -> Reports:
        """Numbers accumulate within the year; stocks stand as they are at the quarter's end."""
        world = self.world
        rng = stream(world.options.seed, "basic services")
        who = world.primary
        people = self._residents[who].reshape(len(who), -1, 3)[:, :, -1]
        number = people.shape[1]
        done = np.tile([0.30, 0.55, 0.78, 1.0], number // 4)
        level = np.exp(0.06 * rng.standard_normal((len(who), 1)))

        def so_far(of_year: Ints) -> Ints:
            """The year's number as far as it has got, never less than a quarter before."""
            whole = of_year.reshape(len(who), -1, 4)[:, :, -1:].repeat(4, axis=2).reshape(of_year.shape)
            return np.asarray(np.floor(whole * done), dtype=np.int64)

        records = np.floor(people * np.linspace(0.78, 0.90, number)).astype(np.int64)
        children, elderly = people * 66 // 1000, people * 118 // 1000
        followed = part(rng, children, 0.955 * level.clip(0, 1.03), 0.004)
        births = np.rint(people * 0.0088).astype(np.int64)
        tension = np.floor(people * 0.145 * 0.62 * level).astype(np.int64)
        sugar = np.floor(people * 0.052 * 0.58 * level).astype(np.int64)
        tension_so_far, sugar_so_far = so_far(tension), so_far(sugar)
        ill = np.rint(people * 0.0041).astype(np.int64) + 1
        notified = np.rint(people * 0.00045).astype(np.int64) + 1
        completed = so_far(part(rng, notified, 0.9, 0.0))
        values: dict[str, Ints] = {
            "resident_population": people,
            "health_records_cum": records,
            "health_records_electronic": np.floor(records * 0.95).astype(np.int64),
            "health_records_active": np.floor(records * 0.61).astype(np.int64),
            "children_0_6": children,
            "children_0_6_followed": so_far(followed),
            "children_0_6_systematic": so_far(np.floor(followed * 0.94).astype(np.int64)),
            "newborns": so_far(births),
            "newborns_visited": so_far(np.floor(births * 0.96).astype(np.int64)),
            "early_registered": so_far(np.floor(births * 0.94).astype(np.int64)),
            "postnatal_visited": so_far(np.floor(births * 0.95).astype(np.int64)),
            "population_65_plus": elderly,
            "elderly_65_managed": so_far(part(rng, elderly, 0.70, 0.03)),
            "hypertension_estimated": np.floor(people * 0.145).astype(np.int64),
            "hypertension_managed": tension_so_far,
            "hypertension_std_managed": np.floor(tension_so_far * 0.79).astype(np.int64),
            "hypertension_controlled": np.floor(tension_so_far * 0.66).astype(np.int64),
            "diabetes_estimated": np.floor(people * 0.052).astype(np.int64),
            "diabetes_managed": sugar_so_far,
            "diabetes_std_managed": np.floor(sugar_so_far * 0.76).astype(np.int64),
            "diabetes_controlled": np.floor(sugar_so_far * 0.59).astype(np.int64),
            "smi_registered": ill,
            "smi_std_managed": so_far(np.floor(ill * 0.88).astype(np.int64)),
            "tb_notified": so_far(notified),
            "tb_managed": so_far(np.floor(notified * 0.97).astype(np.int64)),
            "tb_completed": completed,
            "tb_regular_medication": np.floor(completed * 0.95).astype(np.int64),
            "tcm_65_managed": so_far(part(rng, elderly, 0.66, 0.03)),
            "tcm_children_managed": so_far(part(rng, children, 0.30, 0.03)),
            "idr_reported_timely": so_far(np.rint(people * 0.0011).astype(np.int64) + 1),
            "supervision_events": so_far(24 + people // 900),
        }
        spans = quarters(world.options.first_year, world.options.last_year, cumulative=True)
        # A unit's whole year is reported by the units of its end; none of them opens or closes within the years.
        return periodic("bphs_quarterly", [world.units[i] for i in who], spans, values)

    def _mental_illness(self) -> Reports:
        rng = stream(self.world.options.seed, "mental illness")
        people = self.of_place(3)
        registered = np.maximum(20, np.rint(people * 0.0044)).astype(np.int64)
        managed = part(rng, registered, 0.93, 0.005)
        medicated = part(rng, registered, 0.85, 0.008)
        shares = np.broadcast_to([0.72, 0.02, 0.03, 0.08, 0.06, 0.09], (*registered.shape, 6))
        types = split(registered, shares)
        risks = split(managed, np.broadcast_to([0.86, 0.08, 0.03, 0.015, 0.01, 0.005], (*managed.shape, 6)))
        values: dict[str, Ints] = {
            "smi_registered": registered,
            "smi_consented": part(rng, registered, 0.95, 0.005),
            "smi_managed": managed,
            "smi_std_managed": part(rng, managed, 0.94, 0.005),
            "smi_medicated": medicated,
            "smi_regular_medication": part(rng, medicated, 0.74, 0.01),
            "smi_stable": part(rng, managed, 0.95, 0.005),
            **{f"smi_risk_{level}": risks[..., level] for level in range(6)},
            "smi_deaths": rng.poisson(registered * 0.004),
            "smi_lost": part(rng, registered, 0.012, 0.05),
            "resident_population": people,
            "smi_schizophrenia": types[..., 0],
            "smi_paranoid": types[..., 1],
            "smi_schizoaffective": types[..., 2],
            "smi_bipolar": types[..., 3],
            "smi_epilepsy": types[..., 4],
            "smi_retardation": types[..., 5],
        }
        return of_places(self.world, "smi_quarterly", self._quarters, values)

    def _tuberculosis(self) -> Reports:
        rng = stream(self.world.options.seed, "tuberculosis")
        people = self.of_place(3)
        reported = rng.poisson(people * 52e-5 / 4)
        registered = part(rng, reported, 0.88)
        notified = part(rng, registered, 0.95)
        cohort = rng.poisson(people * 45e-5 / 4)
        outcome = split(cohort, np.broadcast_to([0.36, 0.54, 0.01, 0.03, 0.02, 0.04], (*cohort.shape, 6)))
        resistant = rng.binomial(registered, 0.02)
        names = ("cured", "completed", "failed", "died", "lost", "other")
        values: dict[str, Ints] = {
            "tb_reported": reported,
            "tb_referred": part(rng, reported, 0.55),
            "tb_traced": part(rng, reported, 0.40),
            "tb_registered_active": registered,
            "tb_bacteriological_positive": part(rng, registered, 0.52),
            "tb_mdr_confirmed": resistant,
            "tb_mdr_treated": rng.binomial(resistant, 0.8),
            "tb_notified_phc": notified,
            "tb_managed_phc": part(rng, notified, 0.97, 0.01),
            "tb_cohort_registered": cohort,
            **{f"tb_cohort_{name}": outcome[..., i] for i, name in enumerate(names)},
        }
        return of_places(self.world, "tb_quarterly", self._quarters, values)

    def _population(self) -> list[Reports]:
        """Residents at the year's end and on average, the registered, and those served; of districts and prefecture."""
        people = self.of_place(12)
        before = np.concatenate([np.rint(people[:, :1] / 1.006).astype(np.int64), people[:, :-1]], axis=1)
        registered = np.rint(people * 0.93).astype(np.int64)
        definitions = {
            "RESIDENT_END": people,
            "RESIDENT_AVERAGE": (people + before) // 2,
            "REGISTERED_END": registered,
            "SERVED": people,
        }
        tables: list[Reports] = []
        for where in ("districts", "prefecture"):
            frames = []
            for definition, number in definitions.items():
                values = {
                    "population": number,
                    "population_65_plus": number * 118 // 1000,
                    "population_0_6": number * 66 // 1000,
                }
                if where == "districts":
                    one = of_places(self.world, "population_denominators", self._years, values)
                else:
                    added = {name: value.sum(axis=0) for name, value in values.items()}
                    one = of_prefecture("population_denominators", self._years, added)
                frames.append(
                    one.frame.with_columns(definition=pl.lit(definition), source_version=pl.lit("年鉴"))
                )
            together = pl.concat(frames).sort(*KEY, maintain_order=True)
            columns = [
                *KEY,
                *PLACES,
                "definition",
                "population",
                "population_65_plus",
                "population_0_6",
                "source_version",
            ]
            tables.append(Reports("population_denominators", together.select(columns)))
        return [Reports("population_denominators", pl.concat([table.frame for table in tables]))]

    def _expenditure(self) -> Reports:
        """Total health expenditure of the prefecture by source, in ten thousand yuan."""
        rng = stream(self.world.options.seed, "expenditure")
        people = self.of_place(12).sum(axis=0)
        number = len(self._years)
        back = np.arange(number)[::-1]
        total = np.round(
            people * 0.62 * 1.08 ** -back.astype(float) * np.exp(0.01 * rng.standard_normal(number)), 1
        )
        government = np.round(total * 0.27, 1)
        personal = np.round(total * np.linspace(0.33, 0.27, number), 1)
        return of_prefecture(
            "finance_annual",
            self._years,
            {
                "the_total": total,
                "the_government": government,
                "the_social": np.round(total - government - personal, 1),
                "the_personal": personal,
                "gdp": np.round(total / 0.068, 1),
                "fiscal_health": np.round(government * 0.9, 1),
                "bphs_funds": np.round(people * 0.0089, 1),
            },
        )
