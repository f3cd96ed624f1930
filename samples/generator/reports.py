"""Reports of a form as one table of records, whatever files they will lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingestion.form import period_bounds
from samples.generator.seasons import month_end
from samples.generator.world import PREFECTURE, PREFECTURE_NAME, Unit, World
from samples.labels import columns

KEY = ("subject", "start", "end")
"""Columns that tell one report of a form from another."""

PLACES = ("place", "name", "uscc")
"""Columns that say where a report comes from; with the key, the head of every table."""


@dataclass(frozen=True)
class Reports:
    """All records of a form: ``subject``, ``start``, ``end``, ``place``, ``name``, ``uscc``, breakdowns, measures.

    Measures are named by their field codes and stand in the unit that the form prints. ``place`` is the number of the
    place whose bureau or centre files it, -1 for the prefecture.
    """

    form: str
    frame: pl.DataFrame

    @property
    def measures(self) -> list[str]:
        """Columns with the numbers that an error may strike."""
        fields = columns(self.form)
        return [c for c in self.frame.columns if c in fields and fields[c].role == "measure"]

    def typed(self) -> "Reports":
        """The same with whole numbers as integers and what is not given as null."""
        fields = columns(self.form)
        casts = [
            pl.col(name)
            .cast(pl.Float64)
            .fill_nan(None)
            .cast(pl.Int64 if fields[name].type == "int" else pl.Float64)
            for name in self.frame.columns
            if name in fields and fields[name].type in ("int", "dec")
        ]
        return Reports(self.form, self.frame.with_columns(casts))

    @property
    def breakdowns(self) -> list[str]:
        """Columns that tell the records of one report apart."""
        fields = columns(self.form)
        return [c for c in self.frame.columns if c in fields and fields[c].role == "breakdown"]


Array = NDArray[np.int64] | NDArray[np.float64]
Values = Mapping[str, Array]


def monthly(world: World, form: str, who: Sequence[int] | NDArray[np.int64], values: Values) -> Reports:
    """One report for each unit at ``who`` and month in which it is open; ``values`` are arrays units × months."""
    axis = world.axis
    units = [world.units[i] for i in who]
    frame = _heads(units, [(month, month_end(month)) for month in axis])
    frame = frame.with_columns(_column(name, value) for name, value in values.items())
    return Reports(form, frame.filter(pl.Series(world.active[list(who)].ravel() == 1)))


def periodic(
    form: str,
    units: Sequence[Unit],
    spans: Sequence[tuple[date, date]],
    values: Values,
    keep: NDArray[np.bool_] | None = None,
) -> Reports:
    """One report for each unit and span; ``values`` are arrays units × spans, ``keep`` says which there are."""
    frame = _heads(units, spans).with_columns(_column(name, value) for name, value in values.items())
    return Reports(form, frame if keep is None else frame.filter(pl.Series(keep.ravel())))


def of_places(world: World, form: str, spans: Sequence[tuple[date, date]], values: Values) -> Reports:
    """One report for each district and span, from arrays places × spans; a merged district adds up its places."""
    rows = [
        {"place": place, "subject": district.code, "name": district.name, "start": start, "end": end}
        for place in range(world.places)
        for start, end in spans
        for district in [world.district(place, end)]
    ]
    heads = pl.DataFrame(rows, schema_overrides={"place": pl.Int64}).with_columns(
        uscc=pl.lit(None, pl.String)
    )
    frame = heads.with_columns(_column(name, value) for name, value in values.items())
    names = list(values)
    added = frame.group_by([*KEY, "name", "uscc"], maintain_order=True).agg(
        pl.col("place").min(), pl.col(names).sum()
    )
    return Reports(form, added.select(*KEY, *PLACES, *names))


def of_prefecture(form: str, spans: Sequence[tuple[date, date]], values: Values) -> Reports:
    """One report of the prefecture for each span, from arrays with one value a span."""
    heads = pl.DataFrame({"start": [s for s, _ in spans], "end": [e for _, e in spans]}).select(
        pl.lit(PREFECTURE).alias("subject"),
        "start",
        "end",
        place=pl.lit(-1, pl.Int64),
        name=pl.lit(PREFECTURE_NAME),
        uscc=pl.lit(None, pl.String),
    )
    return Reports(form, heads.with_columns(_column(name, value) for name, value in values.items()))


def quarters(first_year: int, last_year: int, *, cumulative: bool = False) -> list[tuple[date, date]]:
    """First and last days of all quarters, or of the accumulations up to their ends."""
    kind = "cumulative_quarter" if cumulative else "quarter"
    return [
        period_bounds(kind, year, quarter)  # type: ignore[arg-type]
        for year in range(first_year, last_year + 1)
        for quarter in (1, 2, 3, 4)
    ]


def years(first_year: int, last_year: int, *, maternal: bool = False) -> list[tuple[date, date]]:
    """First and last days of calendar years, or of maternal-child years (October to September)."""
    return [
        period_bounds("mch_year" if maternal else "year", year) for year in range(first_year, last_year + 1)
    ]


def _heads(units: Sequence[Unit], spans: Sequence[tuple[date, date]]) -> pl.DataFrame:
    """Units × spans in the order of arrays: all spans of the first unit, then of the second."""
    number = len(spans)
    subject = np.repeat(np.arange(len(units)), number)
    period = np.tile(np.arange(number), len(units))
    of_unit = pl.DataFrame(
        {
            "subject": [unit.code for unit in units],
            "place": [unit.place for unit in units],
            "uscc": [_uscc(unit) for unit in units],
        },
        schema={"subject": pl.String, "place": pl.Int64, "uscc": pl.String},
    )[subject]
    of_span = pl.DataFrame(
        {"start": [s for s, _ in spans], "end": [e for _, e in spans]},
        schema={"start": pl.Date, "end": pl.Date},
    )[period]
    names = [unit.name_on(end) for unit in units for _, end in spans]
    return pl.concat([of_unit, of_span], how="horizontal").select(
        *KEY, "place", pl.Series("name", names, pl.String), "uscc"
    )


@lru_cache(maxsize=8192)
def _uscc(unit: Unit) -> str:
    return unit.uscc


def _column(name: str, value: Array) -> pl.Series:
    return pl.Series(name, np.ascontiguousarray(value).ravel())
