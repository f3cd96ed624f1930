"""Which injected errors anybody could find: those that move a number by more than it moves by itself.

A *hard error* is a missing report, a copy in which at least three numbers are not what they should be, or one that
moves at least one number by five times the noise of its own series, a blank in place of a number included. The noise is
that of the clean series: the robust scatter of its numbers around the mean of the two beside them (of years: around the
other years), on a logarithmic scale, and at least what counting leaves, the root of the count, or one percent.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl

from samples.generator import Error, Options, generate
from samples.generator.errors import damage
from samples.labels import columns

HARD = 5.0
CHANGED = 3
"""Numbers of a copy that must differ from what they should be."""

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
        place: (struck[0].kind, _is_hard(place, struck, *frames[place[0]]))
        for place, struck in by_report.items()
    }


def _is_hard(place: Place, struck: list[Error], frame: pl.DataFrame, breakdowns: list[str]) -> bool:
    kind = struck[0].kind
    if kind == "missing_unit":
        return True
    if kind in ("duplicated_month", "stale_copy"):
        return _differing(place, kind, frame, breakdowns) >= CHANGED
    return _effect(struck, frame, breakdowns) >= HARD


def _differing(place: Place, kind: str, frame: pl.DataFrame, breakdowns: list[str]) -> int:
    """How many numbers of the clean report differ from those of the report that its copy repeats."""
    form, subject, start, _ = place
    own = frame.filter(pl.col("subject") == subject)
    starts = own["start"].unique().sort().to_list()
    source = start.replace(year=start.year - 1) if kind == "stale_copy" else starts[starts.index(start) - 1]
    measures = [
        name for name in frame.columns if name in columns(form) and columns(form)[name].role == "measure"
    ]
    right, copied = (
        own.filter(pl.col("start") == day)
        .sort(breakdowns)
        .select(pl.col(measures).cast(pl.Float64))
        .to_numpy()
        for day in (start, source)
    )
    return (
        int((np.nan_to_num(right) != np.nan_to_num(copied)).sum()) if right.shape == copied.shape else CHANGED
    )


def _effect(struck: Iterable[Error], frame: pl.DataFrame, breakdowns: list[str]) -> float:
    """The largest change of a number, in times of its series' noise."""
    effects = [0.0]
    for error in struck:
        if error.before is None or error.after is None:
            effects.append(np.inf if error.before else 0.0)
            continue
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
