"""Which injected errors anybody could find: those that move a number by more than it moves by itself.

A *hard error* is a missing report, a copied one, or one that moves at least one number by five times the noise of its
own series, a blank in place of a number included. The noise is that of the clean series: the robust scatter of its
numbers around the mean of the two beside them (of years: around the other years), on a logarithmic scale, and at least
what counting leaves, the root of the count, or one percent.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import polars as pl

from samples.generator import Error, Options, generate
from samples.generator.errors import damage
from samples.labels import columns

HARD = 5.0
WHOLE = {"missing_unit", "duplicated_month", "stale_copy"}

Place = tuple[str, str, date, date]


def hard_errors(options: Options) -> dict[Place, tuple[str, bool]]:
    """Form, subject, first and last day of each report with an error; its kind, and whether the error is hard."""
    _, clean, _ = generate(options)
    _, errors = damage(clean, options.seed, options.errors)
    by_report: dict[Place, list[Error]] = defaultdict(list)
    for error in errors:
        by_report[error.form, *error.report].append(error)
    frames = {one.form: (one.frame, one.breakdowns) for one in clean}
    return {
        place: (struck[0].kind, struck[0].kind in WHOLE or _effect(struck, frames) >= HARD)
        for place, struck in by_report.items()
    }


def _effect(struck: Iterable[Error], frames: Mapping[str, tuple[pl.DataFrame, list[str]]]) -> float:
    """The largest change of a number, in times of its series' noise."""
    effects = [0.0]
    for error in struck:
        if error.before is None or error.after is None:
            effects.append(np.inf if error.before else 0.0)
            continue
        frame, breakdowns = frames[error.form]
        own = frame.filter(pl.col("subject") == error.subject)
        if breakdowns:
            own = own.filter(pl.concat_str(breakdowns, separator="|") == error.record)
        series = own.sort("end")[error.field].cast(pl.Float64).drop_nulls().to_numpy()
        change = abs(_size(error.after) - _size(error.before))
        counted = columns(error.form)[error.field].type == "int"
        least = np.hypot(0.01, 1 / np.sqrt(max(error.before, 1)) if counted else 0)
        effects.append(change / max(noise(series), least))
    return max(effects)


def noise(series: np.ndarray) -> float:
    """Robust scatter of a clean series around what stands beside each number."""
    size = np.log1p(np.abs(series))
    if len(size) < 6:
        return float(1.4826 * np.median(np.abs(size - np.median(size)))) if len(size) else 0.0
    beside = (size[:-2] + size[2:]) / 2
    return float(1.4826 * np.median(np.abs(size[1:-1] - beside)) / np.sqrt(1.5))


def _size(value: float) -> float:
    return float(np.sign(value) * np.log1p(abs(value)))
