"""What each number is expected to be, and how far numbers of its kind stray from that.

A number is held against the level of its own series before it, and against that after it, once what all subjects of
the form had in common in that period (season, festival, epidemic) is taken out. The nearer of the two counts: a real
change of level agrees with one of them. Where the years around say more, they are asked as well. The distance is
divided by the robust scatter of such distances in the series itself, drawn towards that of series of like size, and by
how much heavier than a bell curve the tails of the item are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from expectations.series.grid import Bools, Floats, Grid, at, mean_at, median, median_at, nearer, quantile

FEW = 3
"""Subjects that must report an item before a period has something in common."""

LEAST = 20
"""Numbers below, where no more is expected either, are chance."""

_MANY = 30
"""Subjects that show by themselves how much a period moves them apart."""

_MASK = 6
"""A number so many scatters off vouches for no other."""

_CONSISTENT = 1.4826
"""Median of absolute deviations → standard deviation."""

_PEERS = 10
"""Weight of series of like size, in periods."""


@dataclass(frozen=True)
class Fit:
    """Differences from what is expected, by row and period of the grid; ``z`` is ``off / scatter``."""

    off: Floats
    scatter: Floats
    z: Floats
    expected: Floats
    """In the unit of the values."""
    judged: Bools
    """Where a number is large enough to be judged."""
    reference: Floats
    """Sizes of the numbers that may vouch for others."""
    size: Floats
    """The values on the logarithmic scale."""
    before: Floats
    """Difference from the level before."""
    common: Floats
    """What the period adds for all subjects."""

    def falling_back_on(self, first: Self) -> "Fit":
        """This fit, and that of the first pass where all that could vouch was set aside."""
        lost = ~np.isfinite(self.off) & np.isfinite(first.off)
        if not lost.any():
            return self
        # One wrong number makes all others look wrong: it is the one farthest from the middle of its series.
        apart = np.nan_to_num(np.abs(first.size - median(first.size)[:, None]))
        lost &= apart >= apart.max(1)[:, None]

        def filled(mine: Floats, other: Floats) -> Floats:
            return np.asarray(np.where(lost, other, mine))

        return Fit(
            filled(self.off, first.off), filled(self.scatter, first.scatter), filled(self.z, first.z),
            filled(self.expected, first.expected), self.judged | (lost & first.judged), self.reference,
            self.size, self.before, self.common,
        )  # fmt: skip


def fit(grid: Grid) -> Fit:
    """Fit twice: what is far off the first time vouches for nothing the second time."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        first = _fit(grid, grid.size)
        wild = first.judged & (np.abs(first.z) > _MASK)
        if not wild.any():
            return first
        return _fit(grid, np.where(wild, np.nan, grid.size)).falling_back_on(first)


def scores(
    grid: Grid,
    before: Floats,
    after: Floats,
    natural: Floats,
    size: Floats,
    *,
    floor: float,
    least: float | Floats,
) -> tuple[Floats, Floats]:
    """The nearer difference and the scatter of such differences.

    ``natural`` is the scatter that a number of its size has anyway; that of the series is a multiple of it, at least
    ``floor``. With one side only, differences are larger than the nearer of two, and have a scatter of their own.
    """
    off = nearer(before, after)
    both = np.isfinite(before) & np.isfinite(after)
    two = _multiple(grid, np.where(both, np.abs(off), np.nan) / natural, size, floor)
    sides = np.concatenate([np.abs(before) / natural, np.abs(after) / natural], 1)
    one = np.maximum(_multiple(grid, sides, size, floor), two)
    scatter = np.maximum(natural * np.where(both, two, one), least)
    return off, scatter * _tails(grid, off / scatter)


def _fit(grid: Grid, reference: Floats) -> Fit:
    size = grid.size
    common, has_common = _in_common(grid, reference)
    own = reference - common
    lags = range(1, 6) if grid.a_year == 12 else range(1, 4)
    before = size - common - median_at(own, lags)
    after = size - common - median_at(own, [-lag for lag in lags])
    if grid.a_year == 1:
        # A year that was cut short by an opening makes the middle of two years nobody's level.
        before = nearer(before, size - common - at(own, 1))
        after = nearer(after, size - common - at(own, -1))
    # Where nothing tells a season or an epidemic from a mistake, the neighbours themselves are asked as well.
    before = np.where(has_common, before, nearer(before, size - _vouching(reference, lags, 1)))
    after = np.where(has_common, after, nearer(after, size - _vouching(reference, lags, -1)))
    off = nearer(before, after)
    one, two = before, after
    if grid.a_year > 1:
        last, following = _carried(reference, grid.a_year, 1), _carried(reference, grid.a_year, -1)
        yearly = nearer(size - last, size - following)
        better = _better(grid, yearly, off)[:, None]
        asked = np.isfinite(yearly) & (better | ~np.isfinite(off) | ~has_common)
        one = np.where(asked, nearer(before, size - last), before)
        two = np.where(asked, nearer(after, size - following), after)
        off = nearer(one, two)
    expected = np.expm1(np.minimum(np.abs(size - off), 50)) * np.sign(size - off)
    counted = np.sqrt(np.maximum(expected, 1) * np.maximum(np.maximum(expected, 1), np.abs(grid.values)))
    holiday = np.where(has_common, 0, 0.3 * grid.holiday[None, :])
    natural = np.sqrt(np.where(grid.is_count[:, None], 1 / counted, 0) + 0.01**2 + holiday**2)
    least = 0.03 if grid.a_year == 1 else 0.004
    off, scatter = scores(grid, one, two, natural, median(reference), floor=0.4, least=least)
    # Alone, an epidemic looks like a mistake: that must be twice as plain.
    scatter = np.where(has_common, scatter, 2 * scatter)
    z = np.where(_begins_small(grid, size, off), 0, off / scatter)
    judged = (grid.values >= LEAST) | (grid.values < 0) | (expected >= LEAST)
    return Fit(off, scatter, z, expected, judged & np.isfinite(z), reference, size, before, common)


def _in_common(grid: Grid, reference: Floats) -> tuple[Floats, Bools]:
    """What a period adds for all subjects of an item, and whether there are enough of them to say so."""
    around: Sequence[tuple[int, float]] = {
        12: [(lag, 1.0) for lag in range(-6, 7)],
        4: [(-2, 0.5), (-1, 1.0), (0, 1.0), (1, 1.0), (2, 0.5)],
        1: [(-1, 1.0), (0, 1.0), (1, 1.0)],
    }[grid.a_year]
    level = mean_at(reference, around)
    apart = np.where(level > np.log1p(LEAST), reference - level, np.nan)
    common, enough = np.zeros_like(reference), np.zeros(reference.shape, dtype=bool)
    for rows in grid.rows_of_items():
        known = np.isfinite(apart[rows]).sum(0) >= FEW
        common[rows] = np.where(known, median(apart[rows].T), 0.0)
        enough[rows] = known
    return common, enough


def _vouching(reference: Floats, lags: Sequence[int], direction: int) -> Floats:
    """The neighbour on one side, unless it is twenty times off the level beyond it: two mistakes vouch for nothing."""
    neighbour = at(reference, direction)
    beyond = median_at(reference, [direction * (lag + 1) for lag in lags])
    return np.where(np.abs(neighbour - beyond) > 3, np.nan, neighbour)


def _carried(reference: Floats, a_year: int, direction: int) -> Floats:
    """The same period of the year before (or after), carried on by the middle of three neighbouring changes."""
    changes = np.stack(
        [at(reference, direction * lag) - at(reference, direction * (a_year + lag)) for lag in (1, 2, 3)], -1
    )
    known = np.isfinite(changes).sum(-1)
    # Numbers that stand once a year have no neighbours; one neighbour alone may be wrong itself.
    change = np.where(known >= 2, median(changes), np.where(known == 0, 0.0, np.nan))
    return at(reference, direction * a_year) + change


def _better(grid: Grid, yearly: Floats, near: Floats) -> Bools:
    """By row: whether the years around say more of its item than its neighbours do."""
    better = np.zeros(len(grid.item), dtype=bool)
    for rows in grid.rows_of_items():
        both = np.isfinite(yearly[rows]) & np.isfinite(near[rows])
        if both.sum() >= 10:
            better[rows] = np.median(np.abs(yearly[rows][both])) < np.median(np.abs(near[rows][both]))
    return better


def _begins_small(grid: Grid, size: Floats, off: Floats) -> Bools:
    """A unit, a disease or a system that has just begun may begin small."""
    nothing = ~np.isfinite(at(size, 1)) & ~np.isfinite(at(size, grid.a_year))
    return np.asarray(nothing & (off < 0) & (grid.values >= 0))


def _multiple(grid: Grid, distances: Floats, size: Floats, floor: float) -> Floats:
    """By row, in a column: how many times the natural scatter its distances have."""
    known = np.isfinite(distances).sum(1)
    own = _CONSISTENT * median(distances)
    long = known >= 12
    if long.any():
        own[long] = np.maximum(own[long], quantile(distances[long], 0.9) / 1.9)
    like = np.full(len(own), np.nan)
    for rows in grid.rows_of_items():
        number = rows.stop - rows.start
        for part in np.array_split(np.argsort(size[rows]), 1 if number < 24 else 3):
            if len(part):
                like[rows.start + part] = _CONSISTENT * median(distances[rows][part].ravel())
    # A short series must not hide its one wrong number behind the scatter that this number makes.
    own = np.minimum(np.nan_to_num(own), np.where(np.isfinite(like), like, np.inf) * (1 + known / 6))
    like = np.where(np.isfinite(like), like, 1.0)
    drawn = np.sqrt((known * own**2 + _PEERS * like**2) / (known + _PEERS))
    return np.asarray(np.maximum(drawn, floor))[:, None]


def _tails(grid: Grid, z: Floats) -> Floats:
    """How much farther the outermost numbers lie than those of a bell curve: by row and period.

    Of an item, by its outermost hundredth in all periods; of an item in one period, by the outermost tenth of the
    subjects, which moves where a part of the subjects has something in common.
    """
    z = np.abs(z)

    def heavier(values: Floats) -> float | None:
        known = values[values < 2 * _MASK]
        return max(1.0, float(np.quantile(known, 0.99)) / 2.8) if len(known) >= 200 else None

    together = heavier(z.ravel()) or 1.0
    tails = np.ones_like(z)
    for rows in grid.rows_of_items():
        tails[rows] = heavier(z[rows].ravel()) or together
        if rows.stop - rows.start >= _MANY:
            of_period = quantile(z[rows].T, 0.9) / 1.8
            tails[rows] = np.fmax(tails[rows], of_period[None, :])
    return tails
