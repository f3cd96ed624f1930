"""What a series does over several periods: stay where it used to move, move to another level, end in round digits."""

import numpy as np

from expectations.series.grid import Bools, Floats, Grid, Ints, at, median
from expectations.series.levels import Fit
from expectations.series.mistakes import same, usual

_LEAST_REPEATED = 100
_LEAST_ROUNDED, _NUMBERS_ROUNDED = 100, 60
_TWICE = 0.7
"""Twice, on the logarithmic scale: a level that moved by less has not moved."""


def repeated(grid: Grid) -> tuple[Bools, Floats]:
    """Where a number stands for the fourth time running, and by row how surprising that is."""
    compared, equal = same(grid, 1)
    often = usual(grid, compared, equal)
    four = equal & (at(grid.values, 1) == at(grid.values, 2)) & (at(grid.values, 2) == at(grid.values, 3))
    return four & (grid.values >= _LEAST_REPEATED) & (often < 0.3)[:, None], -3 * np.log(often)


def moved(grid: Grid, fitted: Fit) -> tuple[Floats, Floats]:
    """How sure it is that a series has another level from here on, and the level before it, both by row and period."""
    size = fitted.reference
    with np.errstate(invalid="ignore"):
        earlier = np.stack([at(size, lag) for lag in (1, 2, 3)], -1)
        level = np.where(np.isfinite(earlier).all(-1), median(earlier), np.nan)
        steps = np.stack([at(size, -lag) - level for lag in (0, 1, 2)], -1)
        least = np.abs(steps).min(-1)
        one_way = np.abs(np.sign(steps).sum(-1)) == 3
        known = np.isfinite(fitted.off)
        usually = np.where(known, np.minimum(np.abs(fitted.off), _TWICE), 0).sum(1) / np.maximum(
            known.sum(1), 1
        )
        scatter = np.sqrt((3 * usually[:, None]) ** 2 + 2 / np.maximum(np.exp(level), 1) + 0.03**2)
        # What comes back every year is a season.
        season = (
            at(size, grid.a_year)
            + level
            - median(np.stack([at(size, grid.a_year + lag) for lag in (1, 2, 3)], -1))
        )
        steady = (np.abs(earlier[..., 0] - level) < _TWICE / 2) & ~(np.abs(size - season) <= _TWICE / 2)
        large = np.maximum(size, level) > np.log1p(50)
        sure = np.where((least > _TWICE) & one_way & steady & large, least / scatter, 0.0)
    return np.nan_to_num(sure), np.asarray(np.expm1(np.minimum(np.abs(level), 50)))


def rounded(grid: Grid) -> tuple[Ints, Ints, Floats, Ints]:
    """Subjects with enough numbers, how many they have, how improbably many end in 0 or 5, and how many that are.

    Numbers that stay are one number; only monthly counts of at least 100 are looked at.
    """
    nobody = np.array([], dtype=np.int64)
    if grid.a_year != 12:
        return nobody, nobody, np.array([]), nobody
    _, equal = same(grid, 1)
    counts = grid.is_count[:, None] & ~equal & (grid.values >= _LEAST_ROUNDED) & (grid.values < 1e12)
    row, period = np.nonzero(counts)
    different = np.unique(np.stack([row, grid.values[row, period].astype(np.int64)], 1), axis=0)
    subject = grid.subject[different[:, 0]]
    numbers = np.bincount(subject, minlength=grid.subjects)
    round_ones = np.bincount(subject, different[:, 1] % 5 == 0, grid.subjects).astype(np.int64)
    who = np.flatnonzero(numbers >= _NUMBERS_ROUNDED)
    chance = 0.2 * numbers[who]
    return who, numbers[who], (round_ones[who] - chance) / np.sqrt(0.8 * chance), round_ones[who]
