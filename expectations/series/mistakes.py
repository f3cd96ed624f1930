"""Mistakes that strike more than one number: what the report would say if one were made explains it far better.

Scores are logarithms of likelihood ratios: how much likelier the numbers are as a copy, or with two columns exchanged,
than as they should be.
"""

from dataclasses import replace

import numpy as np

from expectations.series.grid import Bools, Floats, Grid, Ints, at, by_subject, median, median_at, sums
from expectations.series.levels import Fit, scores

_KEPT = 0.97
"""How many numbers of a copy are still those of the copied report."""

_RARER = 5
"""How much less likely people are to send another report again than the last one or that of the year before."""

_SEEN = 4
"""Weight of other subjects, in periods, in how often a number stays the same."""


def copies(grid: Grid) -> dict[int, Floats]:
    """By lag, subjects × periods: how much the report looks like a copy of the one so many periods before."""
    lags = {1, 2, 3, grid.a_year, 2 * grid.a_year} if grid.a_year > 1 else {1, 2}
    usually = (1, grid.a_year)
    return {lag: _copied(grid, lag) - (0 if lag in usually else _RARER) for lag in sorted(lags)}


def same(grid: Grid, lag: int) -> tuple[Bools, Bools]:
    """Where numbers can be compared with those ``lag`` periods before, and where they are the same."""
    earlier = at(grid.values, lag)
    with np.errstate(invalid="ignore"):
        compared = np.isfinite(grid.values) & np.isfinite(earlier) & (np.maximum(grid.values, earlier) > 0)
    return compared, compared & (grid.values == earlier)


def usual(grid: Grid, compared: Bools, equal: Bools) -> Floats:
    """By row: how often a number is the same again, drawn towards other subjects."""
    number, times = compared.sum(1), equal.sum(1)
    of_item = (np.bincount(grid.item, times, grid.items) + 1) / (
        np.bincount(grid.item, number, grid.items) + 2
    )
    return np.asarray((times + _SEEN * of_item[grid.item]) / (number + _SEEN))


def _copied(grid: Grid, lag: int) -> Floats:
    compared, equal = same(grid, lag)
    often = np.clip(usual(grid, compared, equal), 0.02, 0.98)[:, None]
    odds = np.where(equal, np.log(_KEPT / often), np.where(compared, np.log((1 - _KEPT) / (1 - often)), 0.0))
    return by_subject(grid, odds)


def exchanged(grid: Grid, fitted: Fit, neighbours: Ints) -> tuple[Ints, Ints, Floats]:
    """Rows of left and of right columns, and how much likelier each record is with the two exchanged: by period.

    ``neighbours`` names for each item the one in the next column of the same record, or -1.
    """
    row_of = grid.row_of()
    left = np.flatnonzero(neighbours[grid.item] >= 0)
    right = row_of[neighbours[grid.item[left]], grid.subject[left]]
    left, right = left[right >= 0], right[right >= 0]
    size = grid.size
    apart, usually = size[left] - size[right], fitted.reference[left] - fitted.reference[right]
    lags = range(1, 6) if grid.a_year == 12 else range(1, 4)
    before, after = apart - median_at(usually, lags), apart - median_at(usually, [-lag for lag in lags])
    pairs = replace(
        grid,
        values=grid.values[left],
        item=grid.item[left],
        subject=grid.subject[left],
        is_count=grid.is_count[left],
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        smaller = np.expm1(np.minimum(np.abs(size[left]), np.abs(size[right])))
        natural = np.sqrt(np.where(pairs.is_count[:, None], 1 / np.maximum(smaller, 1), 0) + 0.005**2)
        off, scatter = scores(
            pairs, before, after, natural, median(fitted.reference[left]), floor=0.05, least=0.003
        )
        # Exchanged, the difference turns round: -apart instead of apart, from the level on either side.
        turned = np.fmin(np.abs(before - 2 * apart), np.abs(after - 2 * apart)) / scatter
        gain = 0.5 * (np.minimum((off / scatter) ** 2, 80) - np.minimum(turned**2, 80))
        large = (grid.values[left] >= 10) & (grid.values[right] >= 10)
    return left, right, np.where(large & np.isfinite(gain), gain, 0.0)


def blanks(grid: Grid) -> Bools:
    """Where a number is missing that every report of the subject has, and most reports of others have."""
    there = np.isfinite(grid.values)
    reported = by_subject(grid, there) > 0
    reports = reported.sum(1)[grid.subject]
    numbers = there.sum(1)
    always = (numbers >= 4) & (numbers >= 0.9 * (reports - 1))
    beside = np.isfinite(at(grid.values, 1)) | np.isfinite(at(grid.values, -1))
    missing = ~there & reported[grid.subject] & always[:, None] & beside
    of_item = sums(grid.item, grid.items, missing)
    in_all = sums(grid.item, grid.items, reported[grid.subject])
    missing &= (of_item < 0.5 * in_all)[grid.item]
    missing &= (by_subject(grid, missing) <= 0.5 * by_subject(grid, there))[grid.subject]
    return np.asarray(missing)
