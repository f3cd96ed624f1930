"""What is found in the numbers of one form."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from expectations.series import habits, mistakes, ratios
from expectations.series.causes import cause_of
from expectations.series.grid import Bools, Grid, Ints, sums
from expectations.series.levels import Fit, fit

SLIP = 5.3
"""Two hundred times, on the logarithmic scale: no year is so unlike the others, but a unit is."""

TOLD = 6.0
"""Scatters off by itself that make the number's ratios no news."""

LEAST = 4.0
"""Scores below are not kept: no threshold goes so low."""


@dataclass(frozen=True)
class _Place:
    """A cell or, without a row, a whole report."""

    subject: int
    period: int
    row: int | None = None


class FormNumbers:
    """One form, period type and part: its grid, and what is found in it."""

    def __init__(self, form: str, period_type: str, rows: pl.DataFrame, fields: pl.DataFrame) -> None:
        self._form = form
        items = (
            rows.select("field", "breakdown").unique().join(fields, on="field")
            .sort("field", pl.col("breakdown").cast(pl.String)).with_row_index("item")
        )  # fmt: skip
        subjects, at_subject = np.unique(rows["subject"].to_numpy(), return_inverse=True)
        first, last = int(rows["place"].min()), int(rows["place"].max())  # type: ignore[arg-type]
        placed = rows.join(items, on=["field", "breakdown"], how="left", maintain_order="left")
        at_item = placed["item"].cast(pl.Int64).to_numpy()
        at_period = placed["place"].cast(pl.Int64).to_numpy() - first
        pairs, row = np.unique(at_item * len(subjects) + at_subject, return_inverse=True)
        cells = np.full((len(pairs), last - first + 1), np.nan)
        cells[row, at_period] = placed["value"].to_numpy()
        holiday = np.zeros(last - first + 1)
        holiday[at_period] = placed["holiday"].to_numpy()
        counted = items["is_count"].to_numpy()
        self.grid = Grid(
            cells, pairs // len(subjects), pairs % len(subjects), len(items), len(subjects),
            counted[pairs // len(subjects)], {"month": 12, "year": 1, "mch_year": 1}.get(period_type, 4),
            period_type == "cumulative_quarter", holiday,
        )  # fmt: skip
        self._report: Ints = np.full((len(subjects), last - first + 1), -1)
        self._report[at_subject, at_period] = placed["report_id"].to_numpy()
        self._asked: Bools = np.zeros(self._report.shape, dtype=bool)
        self._asked[at_subject, at_period] = placed["asked"].to_numpy()
        self._field = items["field_code"].to_list()
        self._breakdown = items["breakdown"].to_list()
        self._column = items["field"].to_numpy()

    def findings(self) -> list[dict[str, Any]]:
        """What was found in the reports asked for, and how many numbers were looked at."""
        fitted = fit(self.grid)
        found = [
            *self._far_off(fitted), *self._out_of_step(fitted), *self._copies(), *self._exchanged(fitted),
            *self._blanks(), *self._repeated(), *self._moved(fitted), *self._rounded(),
        ]  # fmt: skip
        looked = int((np.isfinite(self.grid.values) & self._asked[self.grid.subject]).sum())
        return [one for one in found if one is not None] + [{"form_code": self._form, "looked": looked}]

    def _far_off(self, fitted: Fit) -> Iterator[dict[str, Any] | None]:
        grid = self.grid
        z = np.where(fitted.judged, np.abs(fitted.z), 0)
        for row, period in np.argwhere(z > LEAST):
            value, expected = grid.values[row, period], fitted.expected[row, period]
            yield self._at(
                "unit_slip" if abs(fitted.off[row, period]) > SLIP else "outlier",
                _Place(grid.subject[row], period, row), z[row, period], value, expected,
                cause_of(float(value), float(expected)),
            )  # fmt: skip

    def _out_of_step(self, fitted: Fit) -> Iterator[dict[str, Any] | None]:
        grid = self.grid
        z, partner = ratios.out_of_step(grid, fitted)
        # What is far off by itself is told once.
        told = fitted.judged & (np.abs(fitted.z) > TOLD)
        for row, period in np.argwhere((np.abs(z) > LEAST) & ~told):
            other = partner[grid.item[row]]
            name = " ".join(filter(None, (self._field[other], self._breakdown[other])))
            yield self._at(
                "ratio", _Place(grid.subject[row], period, row), abs(z[row, period]), grid.values[row, period],
                fitted.expected[row, period], f"out of step with {name}",
            )  # fmt: skip

    def _copies(self) -> Iterator[dict[str, Any] | None]:
        by_lag = mistakes.copies(self.grid)
        scores = np.stack(list(by_lag.values()))
        best, lags = scores.max(0), np.array(list(by_lag))[scores.argmax(0)]
        for subject, period in np.argwhere(best > LEAST):
            lag = int(lags[subject, period])
            of_year = lag % self.grid.a_year == 0
            yield self._at(
                "copied_year" if of_year else "copied_period", _Place(subject, period), best[subject, period],
                cause=f"the numbers are those of {lag} periods before" if lag > 1 else "those of the period before",
            )  # fmt: skip

    def _exchanged(self, fitted: Fit) -> Iterator[dict[str, Any] | None]:
        grid = self.grid
        place = {
            (column, breakdown): item
            for item, (column, breakdown) in enumerate(zip(self._column, self._breakdown, strict=True))
        }
        columns = np.unique(self._column)
        following = dict(pairwise(columns))
        neighbours = np.array(
            [
                place.get((following.get(c, -1), b), -1)
                for c, b in zip(self._column, self._breakdown, strict=True)
            ]
        )
        left, right, gain = mistakes.exchanged(grid, fitted, neighbours)
        for column in columns:
            of_column = self._column[grid.item[left]] == column
            if not of_column.any():
                continue
            together = sums(grid.subject[left[of_column]], grid.subjects, gain[of_column])
            for subject, period in np.argwhere(together > LEAST):
                here = np.flatnonzero(of_column & (grid.subject[left] == subject))
                record = here[gain[here, period].argmax()]
                yield self._at(
                    "exchanged", _Place(subject, period, left[record]), together[subject, period],
                    grid.values[left[record], period], grid.values[right[record], period],
                    f"in each other's place with {self._field[grid.item[right[record]]]}",
                )  # fmt: skip

    def _blanks(self) -> Iterator[dict[str, Any] | None]:
        grid = self.grid
        for row, period in np.argwhere(mistakes.blanks(grid)):
            numbers = int(np.isfinite(grid.values[row]).sum())
            yield self._at(
                "blank", _Place(grid.subject[row], period, row), numbers + 2, None, np.nanmedian(grid.values[row]),
                "every other report has a number here",
            )  # fmt: skip

    def _repeated(self) -> Iterator[dict[str, Any] | None]:
        where, score = habits.repeated(self.grid)
        for row, period in np.argwhere(where):
            yield self._at(
                "repeated", _Place(self.grid.subject[row], period, row), score[row], self.grid.values[row, period],
                cause="one value four times over where it used to change",
            )  # fmt: skip

    def _moved(self, fitted: Fit) -> Iterator[dict[str, Any] | None]:
        sure, before = habits.moved(self.grid, fitted)
        for row, period in np.argwhere(sure > LEAST):
            value = self.grid.values[row, period]
            yield self._at(
                "level_shift", _Place(self.grid.subject[row], period, row), sure[row, period], value,
                before[row, period], f"a {'higher' if value > before[row, period] else 'lower'} level from here on",
            )  # fmt: skip

    def _rounded(self) -> Iterator[dict[str, Any] | None]:
        for subject, numbers, score, rounded in zip(*habits.rounded(self.grid), strict=True):
            last = int(np.flatnonzero(self._report[subject] >= 0)[-1])
            if score > LEAST:
                yield self._at(
                    "digits", _Place(subject, last), score, rounded, 0.2 * numbers,
                    "more numbers than chance end in 0 or 5",
                )  # fmt: skip

    def _at(  # noqa: PLR0917 - the columns of a finding, in their order
        self,
        kind: str,
        place: _Place,
        score: float,
        observed: float | None = None,
        expected: float | None = None,
        cause: str | None = None,
    ) -> dict[str, Any] | None:
        report = int(self._report[place.subject, place.period])
        if report < 0 or not self._asked[place.subject, place.period]:
            return None
        item = None if place.row is None else int(self.grid.item[place.row])
        numbers = self.grid.values if place.row is None else self.grid.values[place.row]
        return {
            "kind": kind,
            "report_id": report,
            "form_code": self._form,
            "field_code": None if item is None else self._field[item],
            "breakdown": None if item is None else self._breakdown[item] or None,
            "score": float(score),
            "observed": None if observed is None else float(observed),
            "expected": None if expected is None or not np.isfinite(expected) else round(float(expected), 1),
            "denominator": int(np.isfinite(numbers).sum()),
            "cause": cause,
        }
