"""Numbers of one form as a grid: a row for each series (item and subject), a column for each period."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ROWS_AT_ONCE = 4096
"""Rows whose windows are held in memory together."""


@dataclass(frozen=True)
class Grid:
    """Values of all subjects and periods of a form; blank is NaN.

    ``values`` has a row for each pair of ``item`` and ``subject`` that occurs, sorted by item, and a column for each
    period from the first to the last, whether reported or not. An item is a field with its breakdown.
    """

    values: Floats
    item: Ints
    subject: Ints
    items: int
    subjects: int
    is_count: Bools
    """By row: whether its numbers are counted in ones."""
    a_year: int
    """Periods in a year: 12, 4 or 1."""
    accumulates: bool
    """Whether numbers run on from January: each stands beside the same quarter of other years only."""
    holiday: Floats
    """By period: share of it that falls into the days around the Spring Festival."""

    @property
    def size(self) -> Floats:
        """The values on a logarithmic scale that has room for zero and for a wrong sign."""
        return np.asarray(np.sign(self.values) * np.log1p(np.abs(self.values)))

    def rows_of_items(self) -> list[slice]:
        """The rows of each item."""
        edges = np.searchsorted(self.item, np.arange(self.items + 1))
        return [slice(int(a), int(b)) for a, b in pairwise(edges)]

    def row_of(self) -> Ints:
        """Items × subjects: the row of each pair, -1 where there is none."""
        rows = np.full((self.items, self.subjects), -1)
        rows[self.item, self.subject] = np.arange(len(self.item))
        return rows


def median(values: Floats) -> Floats:
    """Median along the last axis, blanks left out; NaN where there is nothing but blanks."""
    return quantile(values, 0.5)


def quantile(values: Floats, share: float) -> Floats:
    """The value that a share of those along the last axis lies below, blanks left out."""
    if not values.shape[-1]:
        return np.full(values.shape[:-1], np.nan)
    # Half the width sorts twice as fast, and seven digits are more than a scatter has.
    ordered = np.sort(values.astype(np.float32), axis=-1)
    known = np.isfinite(ordered).sum(-1)[..., None]
    place = share * np.maximum(known - 1, 0)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    below, above = np.take_along_axis(ordered, low, -1), np.take_along_axis(ordered, high, -1)
    between = (below + (above - below) * (place - low))[..., 0]
    return np.asarray(np.where(known[..., 0] > 0, between, np.nan))


def at(values: Floats, lag: int) -> Floats:
    """What stood ``lag`` periods before (after, when negative); blank beyond the ends."""
    moved = np.full_like(values, np.nan)
    if lag == 0:
        moved[:] = values
    elif 0 < lag < values.shape[-1]:
        moved[..., lag:] = values[..., :-lag]
    elif -values.shape[-1] < lag < 0:
        moved[..., :lag] = values[..., -lag:]
    return moved


def median_at(values: Floats, lags: Sequence[int]) -> Floats:
    """Median of what stood at these lags, up to five of them."""
    out = np.empty_like(values)
    for start in range(0, len(values), _ROWS_AT_ONCE):
        block = values[start : start + _ROWS_AT_ONCE]
        out[start : start + _ROWS_AT_ONCE] = _middle([at(block, lag) for lag in lags])
    return out


def _middle(several: list[Floats]) -> Floats:
    """Median of a few arrays, cell by cell: they are exchanged in pairs until they are in order, blanks last."""
    known = sum(np.isfinite(one).astype(np.int64) for one in several)
    ordered = [np.nan_to_num(one, nan=np.inf) for one in several]
    for turn in range(len(ordered)):
        for left in range(turn % 2, len(ordered) - 1, 2):
            low, high = ordered[left], ordered[left + 1]
            ordered[left], ordered[left + 1] = np.minimum(low, high), np.maximum(low, high)
    middle = np.full_like(several[0], np.nan)
    for number in range(1, len(ordered) + 1):
        value = (ordered[(number - 1) // 2] + ordered[number // 2]) / 2
        middle = np.where(known == number, value, middle)
    return middle


def mean_at(values: Floats, weights: Iterable[tuple[int, float]]) -> Floats:
    """Weighted mean of what stood at these lags, blanks left out."""
    total, weight = np.zeros_like(values), np.zeros_like(values)
    for lag, share in weights:
        there = at(values, lag)
        known = np.isfinite(there)
        total += np.where(known, there, 0) * share
        weight += known * share
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0, total / weight, np.nan))


def nearer(one: Floats, other: Floats) -> Floats:
    """Of two differences the smaller, or the one that is known."""
    return np.asarray(np.where(~(np.abs(other) < np.abs(one)) & np.isfinite(one), one, other))


def by_subject(grid: Grid, rows: NDArray[np.generic]) -> Floats:
    """Sum over the items: subjects × periods."""
    return sums(grid.subject, grid.subjects, rows)


def sums(of: Ints, number: int, rows: NDArray[np.generic]) -> Floats:
    """Sums of the rows that are of the same thing: things × columns."""
    order = np.argsort(of, kind="stable")
    starts = np.flatnonzero(np.diff(of[order], prepend=-1))
    total = np.zeros((number, rows.shape[1]))
    if len(order):
        total[of[order[starts]]] = np.add.reduceat(rows[order].astype(np.float64), starts, axis=0)
    return total
