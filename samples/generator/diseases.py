"""Monthly notifiable diseases of each district: seasons, yearly waves, outbreaks, and totals that add up."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from samples import labels
from samples.generator.draws import stream
from samples.generator.reports import KEY, PLACES, Reports
from samples.generator.seasons import Floats, Ints, month_end, season
from samples.generator.world import World

FLAT = (1.0,) * 12
SUMMER = (0.3, 0.3, 0.6, 1.3, 2.0, 2.2, 1.6, 1.1, 1.0, 0.8, 0.5, 0.3)
AUTUMN = (0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.8, 1.8, 3.0, 2.6, 0.6, 0.0)
WINTER = (1.9, 1.6, 1.3, 0.9, 0.7, 0.8, 0.7, 0.4, 0.5, 0.7, 1.0, 1.5)
SPRING = (0.7, 0.9, 1.4, 1.5, 1.3, 1.1, 0.9, 0.8, 0.8, 0.8, 0.9, 0.9)

# Cases in a year per 100,000 residents, season, how many cases a death goes with (0: none), yearly waves.
DISEASES: dict[str, tuple[float, tuple[float, ...], float, float]] = {
    "0600": (4.0, FLAT, 6, 0.10),
    "0301": (0.9, FLAT, 0, 0.10),
    "0302": (62.0, FLAT, 2_000, 0.05),
    "0303": (13.0, FLAT, 0, 0.08),
    "0304": (1.9, SPRING, 0, 0.10),
    "0305": (0.8, FLAT, 0, 0.10),
    "1000": (0.6, SPRING, 0, 0.50),
    "1500": (0.7, WINTER, 120, 0.20),
    "1600": (0.03, SUMMER, 1, 0.10),
    "2100": (0.05, AUTUMN, 20, 0.30),
    "2400": (0.4, AUTUMN, 0, 0.90),
    "0400": (3.5, SUMMER, 0, 0.10),
    "2600": (52.0, SPRING, 260, 0.05),
    "0500": (0.6, SUMMER, 0, 0.15),
    "1100": (1.4, SUMMER, 0, 0.60),
    "1400": (3.6, SPRING, 0, 0.25),
    "1800": (2.2, SPRING, 0, 0.15),
    "0700": (8.0, SUMMER, 0, 0.05),
    "0800": (33.0, FLAT, 4_000, 0.05),
    "2300": (0.15, FLAT, 0, 0.10),
    "3500": (90.0, WINTER, 0, 0.60),
    "3600": (16.0, SPRING, 0, 0.40),
    "3700": (0.4, SPRING, 0, 0.50),
    "3800": (2.6, AUTUMN, 0, 0.20),
    "3900": (80.0, WINTER, 0, 0.10),
    "4000": (120.0, SUMMER, 40_000, 0.35),
}
PRONE = {"3500": 3.5, "4000": 3.0, "3900": 2.5, "2400": 12.0, "1400": 3.0, "1000": 8.0}
"""Diseases that break out, and how many times the usual number an outbreak's worst month brings."""


@dataclass(frozen=True, slots=True)
class Outbreak:
    """More cases than the season explains, in one place: real, and no error."""

    place: int
    disease: str
    first: date
    months: int
    times: float


class Diseases:
    """Cases and deaths of all places and months, disease by disease."""

    def __init__(self, world: World, residents: Ints) -> None:
        """``residents``: places × months."""
        self.world = world
        self._residents = residents

    @cached_property
    def outbreaks(self) -> list[Outbreak]:
        """About one outbreak a place every two years."""
        rng = stream(self.world.options.seed, "outbreaks")
        axis = self.world.axis
        found = []
        for place in range(self.world.places):
            for _ in range(int(rng.poisson(len(axis) / 24))):
                disease = str(rng.choice(list(PRONE)))
                length = int(rng.integers(2, 4))
                start = int(rng.integers(0, max(1, len(axis) - length)))
                times = PRONE[disease] * float(np.exp(0.2 * rng.standard_normal()))
                found.append(Outbreak(place, disease, axis[start], min(length, len(axis) - start), times))
        return found

    @cached_property
    def influenza(self) -> Floats:
        """By place and month, the excess of influenza over its mean, 0 to about 1."""
        excess = self._expected["3500"] / np.maximum(self._residents * 90e-5 / 12, 1e-9)
        return np.clip((excess - 1) / 6, 0, 1)

    def report(self) -> Reports:
        """The table of each district and month: every disease of the day's list, with its totals."""
        drawn = self.drawn
        lists: dict[date, list[labels.Disease]] = {m: labels.diseases(m) for m in self.world.axis}
        blocks = []
        for number, month in enumerate(self.world.axis):
            lines = [
                d
                for d in lists[month]
                if d.disease_class == "total" or d.parent in ("AB_TOTAL", "C_TOTAL", "0300")
            ]
            cases = {d.code: drawn.get(d.code, (0, 0))[0] for d in lines}
            deaths = {d.code: drawn.get(d.code, (0, 0))[1] for d in lines}
            none = np.zeros(self.world.places, dtype=np.int64)
            blocks.append(
                _month(
                    self.world,
                    month,
                    lines,
                    {c: none if isinstance(v, int) else v[:, number] for c, v in cases.items()},
                    {c: none if isinstance(v, int) else v[:, number] for c, v in deaths.items()},
                )
            )
        frame = (
            pl.concat(blocks)
            .group_by([*KEY, "name", "uscc", "disease_code"], maintain_order=True)
            .agg(pl.col("place").min(), pl.col("cases", "deaths").sum())
        )
        return Reports("idr_monthly", frame.select(*KEY, *PLACES, "disease_code", "cases", "deaths"))

    @cached_property
    def _expected(self) -> dict[str, Floats]:
        axis = self.world.axis
        years = np.array([month.year for month in axis]) - axis[0].year
        expected = {}
        for disease, (rate, by_month, _, waves) in DISEASES.items():
            rng = stream(self.world.options.seed, f"disease {disease}")
            shape = season(axis, by_month) / (sum(by_month) / 12)
            yearly = np.exp(waves * rng.standard_normal(years.max() + 1))[years]
            local = np.exp(0.15 * rng.standard_normal((self.world.places, 1)))
            expected[disease] = self._residents * rate * 1e-5 / 12 * shape * yearly * local
        for outbreak in self.outbreaks:
            start = axis.index(outbreak.first)
            for offset in range(outbreak.months):
                times = 1 + (outbreak.times - 1) / (1 + abs(offset - outbreak.months // 2))
                expected[outbreak.disease][outbreak.place, start + offset] *= times
        return expected

    @cached_property
    def drawn(self) -> dict[str, tuple[Ints, Ints]]:
        """Cases and deaths by disease, places × months: Poisson with a little more spread; deaths follow cases."""
        drawn = {}
        for disease, expected in self._expected.items():
            rng = stream(self.world.options.seed, f"cases {disease}")
            spread = np.exp(0.06 * rng.standard_normal(expected.shape))
            cases = rng.poisson(expected * spread).astype(np.int64)
            per_death = DISEASES[disease][2]
            deaths = rng.binomial(cases, 1 / per_death) if per_death else np.zeros_like(cases)
            drawn[disease] = (cases, deaths.astype(np.int64))
        return drawn


def _month(
    world: World, month: date, lines: list[labels.Disease], cases: dict[str, Ints], deaths: dict[str, Ints]
) -> pl.DataFrame:
    parents = {line.code: line.parent for line in lines}
    cases, deaths = dict(cases), dict(deaths)
    for code in sorted(parents, key=lambda code: -_depth(code, parents)):
        parent = parents[code]
        if parent is not None:
            cases[parent] = cases[parent] + cases[code]
            deaths[parent] = deaths[parent] + deaths[code]
    places = range(world.places)
    end = month_end(month)
    districts = [world.district(place, end) for place in places]
    number = len(lines)
    return pl.DataFrame(
        {
            "subject": [d.code for d in districts for _ in lines],
            "start": [month] * (number * world.places),
            "end": [end] * (number * world.places),
            "place": [place for place in places for _ in lines],
            "name": [d.name for d in districts for _ in lines],
            "uscc": pl.Series([None] * (number * world.places), dtype=pl.String),
            "disease_code": [line.code for line in lines] * world.places,
            "cases": np.stack([cases[line.code] for line in lines], axis=1).ravel(),
            "deaths": np.stack([deaths[line.code] for line in lines], axis=1).ravel(),
        }
    )


def _depth(code: str, parents: dict[str, str | None]) -> int:
    parent = parents[code]
    return 0 if parent is None else 1 + _depth(parent, parents)
