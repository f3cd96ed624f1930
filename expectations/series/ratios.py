"""Numbers beside those of the same report: ratios are far steadier than the counts that they are made of.

Each item has the partner that it keeps step with best, in all reports of the form. A number that leaves the step of its
partner by much more than it usually does is suspect, unless a second partner says that the first one is wrong.
"""

import numpy as np

from expectations.series.grid import Floats, Grid, Ints, median, median_at
from expectations.series.levels import Fit, scores

MOST_ITEMS = 400
_SEVERAL = 6
_SAMPLE = 1500


def out_of_step(grid: Grid, fitted: Fit) -> tuple[Floats, Ints]:
    """By row and period how many scatters a number is out of step (0 where nothing says so), and each item's partner.

    A partner is -1 where none keeps step. Years and accumulating quarters are too few and too uneven for it; of a few
    subjects alone, or of less than two years, nobody can say what keeps step by chance.
    """
    none = np.zeros(grid.values.shape), np.full(grid.items, -1)
    short = grid.values.shape[1] < 2 * grid.a_year
    few = short or grid.subjects < _SEVERAL or not 2 <= grid.items <= MOST_ITEMS
    if grid.a_year == 1 or grid.accumulates or few:
        return none
    partners = _partners(grid, fitted)
    if (partners < 0).all():
        return none
    with np.errstate(invalid="ignore", divide="ignore"):
        first, scatter = _apart(grid, fitted, partners[:, 0])
        second, second_scatter = _apart(grid, fitted, partners[:, 1])
        # The second one clears a number when it could tell, and sees less of the difference than is left of it.
        can_tell = np.isfinite(second) & (second_scatter < np.abs(first) / 3)
        cleared = can_tell & (np.abs(second) < np.abs(second - first))
        z = np.where(cleared | ~fitted.judged, 0, first / scatter)
    return np.nan_to_num(z), partners[:, 0]


def _partners(grid: Grid, fitted: Fit) -> Ints:
    """Items × 2: those that leave least of an item's own scatter."""
    cube = np.full((grid.items, grid.subjects, grid.values.shape[1]), np.nan, dtype=np.float32)
    steady = fitted.judged & (np.abs(fitted.z) < 6)
    cube[grid.item, grid.subject] = np.where(steady, fitted.before, np.nan)
    flat = cube.reshape(grid.items, -1)
    cells = np.flatnonzero(np.isfinite(flat).any(0))
    if len(cells) > _SAMPLE:
        cells = cells[np.linspace(0, len(cells) - 1, _SAMPLE).astype(int)]
    sample = flat[:, cells]
    own = median(np.abs(sample))
    enough = np.maximum(8, 0.5 * np.isfinite(sample).sum(1))
    partners = np.full((grid.items, 2), -1)
    for item in range(grid.items):
        apart = np.abs(sample - sample[item])
        left = np.where(np.isfinite(apart).sum(1) >= enough[item], median(apart), np.inf)
        left[item] = np.inf
        best = np.argsort(left)[:2]
        partners[item, : len(best)] = np.where(left[best] < 0.75 * own[item], best, -1)
    return partners


def _apart(grid: Grid, fitted: Fit, partner: Ints) -> tuple[Floats, Floats]:
    """How much farther from its level each number is than its partner from its own, and the scatter of that."""
    row_of = grid.row_of()
    rows = np.where(partner[grid.item] >= 0, row_of[partner[grid.item], grid.subject], -1)
    there = (rows >= 0)[:, None]

    def beside(values: Floats) -> Floats:
        return np.asarray(np.where(there, values[rows], np.nan))

    # Both sides of the ratio are looked up in the same periods.
    own, reference = fitted.size - fitted.common, fitted.reference - fitted.common
    apart, usually = own - beside(own), reference - beside(reference)
    lags = range(1, 6) if grid.a_year == 12 else range(1, 4)
    natural = np.sqrt(np.where(grid.is_count[:, None], 1 / np.maximum(fitted.expected, 1), 0) + 0.005**2)
    off, scatter = scores(
        grid,
        apart - median_at(usually, lags),
        apart - median_at(usually, [-lag for lag in lags]),
        natural,
        median(fitted.reference),
        floor=0.05,
        # Whole numbers are rounded.
        least=np.hypot(0.003, np.where(grid.is_count[:, None], 0.5 / np.maximum(fitted.expected, 1), 0)),
    )
    wrong_itself = np.nan_to_num(np.abs(beside(fitted.z))) > np.maximum(4, np.nan_to_num(np.abs(fitted.z)))
    return np.where(wrong_itself, np.nan, off), scatter
