"""Family-doctor contracts, HIV tests and day care: forms that come later in the years, or from few units."""

from datetime import date

import numpy as np
import polars as pl

from samples.generator.draws import Generator, part, split, stream
from samples.generator.reports import KEY, PLACES, Reports, Values, monthly, periodic, quarters
from samples.generator.seasons import Ints
from samples.generator.world import World

CONTRACTS_FROM, NURSERIES_FROM = date(2016, 1, 1), date(2019, 1, 1)
"""From when on all units report: contracts were on trial before, day care had no form."""

TESTED = {
    "PRE_OPERATION": 0.52,
    "PRE_TRANSFUSION": 0.12,
    "STI_CLINIC": 0.05,
    "VCT": 0.02,
    "OTHER_PATIENTS": 0.29,
}
"""Groups tested for HIV in hospitals, and their shares."""


class Programmes:
    """Reports that follow from residents, discharges and nurseries."""

    def __init__(self, world: World, residents: Ints, discharges: Ints) -> None:
        """``residents``, ``discharges``: units × months."""
        self.world = world
        self._residents = residents
        self._discharges = discharges

    def reports(self) -> list[Reports]:
        """All of them; a form whose first edition is later than the years has none."""
        return [one for one in (self._contracts(), self._hiv_tests(), self._day_care()) if len(one.frame)]

    def _contracts(self) -> Reports:
        """Stocks at the month's end that grow from year to year, and the services of the month."""
        world = self.world
        rng = stream(world.options.seed, "contracts")
        who = world.primary
        people = self._residents[who]
        grown = np.clip(np.array([month.year - 2015 for month in world.axis]) * 0.05, 0.05, 0.5)
        own = np.exp(0.1 * rng.standard_normal((len(who), 1)))
        key = people * 21 // 100
        contracted = np.floor(people * np.clip(grown * own, 0, 0.7)).astype(np.int64)
        contracted_key = np.minimum(
            np.floor(key * np.clip(grown * own * 1.6, 0, 0.9)).astype(np.int64), contracted
        )
        values: Values = {
            "resident_population": people,
            "contracted": contracted,
            "contracted_key": contracted_key,
            "key_population": key,
            "personalised": contracted * 4 // 100,
            "renewed": contracted * 71 // 100,
            "services_delivered": part(rng, contracted, 0.16, 0.08),
            "teams": np.maximum(1, people // 4000),
        }
        whole = monthly(world, "contract_monthly", who, values)
        return Reports(whole.form, whole.frame.filter(pl.col("start") >= CONTRACTS_FROM))

    def _hiv_tests(self) -> Reports:
        """Tests of public hospitals by group, with their total: they go with the discharges."""
        world = self.world
        rng = stream(world.options.seed, "hiv tests")
        who = world.of_kind("public")
        tests = part(rng, self._discharges[who], 0.82, 0.02)
        groups = split(tests, np.broadcast_to(list(TESTED.values()), (*tests.shape, len(TESTED))))
        tables = [self._tested(rng, who, name, groups[..., i]) for i, name in enumerate(TESTED)]
        parts = pl.concat(tables)
        total = (
            parts.group_by([*KEY, *PLACES], maintain_order=True)
            .agg(pl.col("tests", "positives_screen", "positives_confirmed").sum())
            .with_columns(test_site_type=pl.lit("TOTAL"))
        )
        frame = pl.concat([parts, total.select(parts.columns)]).sort(KEY, maintain_order=True)
        return Reports("hiv_test_monthly", frame)

    def _tested(self, rng: Generator, who: Ints, group: str, tests: Ints) -> pl.DataFrame:
        screened = rng.binomial(tests, 0.02 if group == "VCT" else 0.0015).astype(np.int64)
        values: Values = {
            "tests": tests,
            "positives_screen": screened,
            "positives_confirmed": rng.binomial(screened, 0.6).astype(np.int64),
        }
        frame = monthly(self.world, "hiv_test_monthly", who, values).frame
        return frame.select(*KEY, *PLACES, pl.lit(group).alias("test_site_type"), *values)

    def _day_care(self) -> Reports:
        """Nurseries of every district; most inclusive ones are not full."""
        world = self.world
        nurseries = world.nurseries
        rng = stream(world.options.seed, "day care")
        spans = [
            span
            for span in quarters(world.options.first_year, world.options.last_year)
            if span[0] >= NURSERIES_FROM
        ]
        places = np.repeat(rng.integers(5, 16, len(nurseries))[:, None] * 10, len(spans), axis=1)
        values: Values = {"places": places, "children": part(rng, places, 0.74, 0.08)}
        there = np.array(
            [[n.opened is None or n.opened <= start for start, _ in spans] for n in nurseries], dtype=bool
        )
        reports = periodic("childcare_quarterly", nurseries, spans, values, there)
        inclusive = {n.code: "是" if number % 3 else "否" for number, n in enumerate(nurseries)}
        frame = reports.frame.with_columns(is_inclusive=pl.col("subject").replace_strict(inclusive))
        return Reports(reports.form, frame)
