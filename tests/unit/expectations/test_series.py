"""Each mistake in the numbers of a form is found where it was made, and right numbers raise nothing."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from expectations.series import find
from expectations.series.causes import cause_of
from expectations.series.grid import median, quantile, sums

UNITS, MONTHS = 24, 36
FIELDS = ("visits", "emergency", "discharges", "revenue", "beds_open", "beds_used", "deaths", "costs")
THRESHOLDS = {
    "outlier": 6.0,
    "unit_slip": 5.0,
    "ratio": 6.0,
    "exchanged": 12.0,
    "copied_period": 12.0,
    "copied_year": 12.0,
    "blank": 5.0,
    "repeated": 6.0,
    "level_shift": 5.0,
    "digits": 5.0,
}
STRUCK, MONTH = 7, 20


def prefecture(seed: int = 5) -> np.ndarray:
    """Units × months × fields: a season that all share, noise of their own, and parts that keep step with the whole."""
    rng = np.random.default_rng(seed)
    month = np.arange(MONTHS)
    season = 1 + 0.2 * np.cos(2 * np.pi * month / 12) + 0.05 * rng.standard_normal(MONTHS)
    visits = (
        np.exp(rng.uniform(7.5, 10, (UNITS, 1)))
        * season
        * np.exp(0.03 * rng.standard_normal((UNITS, MONTHS)))
    )
    noise = np.exp(0.004 * rng.standard_normal((UNITS, MONTHS)))
    discharges = visits * 0.1 * np.exp(0.03 * rng.standard_normal((UNITS, MONTHS)))
    return np.rint(np.stack([visits, visits * 0.9 * noise, discharges, visits * 230 * noise], -1))


def searched(values: np.ndarray, *, asked: int | None = None, period_type: str = "month") -> pl.DataFrame:
    """Findings above their thresholds, with ``unit`` and ``month``; NaN is blank."""
    units, months, fields = values.shape
    unit, month = (grid.ravel() for grid in np.meshgrid(np.arange(units), np.arange(months), indexing="ij"))
    report = unit * months + month
    reports = pl.DataFrame({"report_id": report, "place": month + 24_000, "unit": unit}).with_columns(
        form_code=pl.lit("monthly"), period_type=pl.lit(period_type), part=pl.lit(""), holiday=pl.lit(0.0),
        subject_code=pl.format("U{}", "unit"), asked=(pl.col("unit") == asked) if asked is not None else pl.lit(True),
    )  # fmt: skip
    long = pl.DataFrame(
        {
            "report_id": np.repeat(report, fields),
            "field": np.tile(np.arange(fields), len(report)),
            "value": values.reshape(-1),
        }
    ).with_columns(breakdown=pl.lit(""))
    known = pl.DataFrame({"field": range(fields), "field_code": FIELDS[:fields], "is_count": [True] * fields})
    found = find(reports, long.filter(pl.col("value").is_not_nan()), known)
    limit = pl.col("kind").replace_strict(THRESHOLDS, default=0, return_dtype=pl.Float64)
    return found.filter(pl.col("score") > limit).with_columns(
        unit=pl.col("report_id") // months, month=pl.col("report_id") % months
    )


def places(found: pl.DataFrame) -> set[tuple[str, int, int, str | None]]:
    return set(found.select("kind", "unit", "month", "field_code").rows())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_right_numbers_raise_nothing(seed: int):
    assert places(searched(prefecture(seed))) == set()


def _scaled(times: float) -> Callable[[np.ndarray], None]:
    def strike(values: np.ndarray) -> None:
        values[STRUCK, MONTH, 2] *= times

    return strike


@pytest.mark.parametrize(
    ("kind", "times", "cause"),
    [
        ("unit_slip", 1000, "1,000 times"),
        ("unit_slip", 10_000, "10,000 times"),
        ("unit_slip", -1, "sign"),
        ("outlier", 10, "10 times, or a digit too many"),
        ("outlier", 0.1, "a tenth, or a digit too few"),
    ],
)
def test_a_number_that_is_far_off_is_found_with_its_cause(kind: str, times: float, cause: str):
    values = prefecture()
    _scaled(times)(values)
    found = searched(values)
    assert places(found) == {(kind, STRUCK, MONTH, "discharges")}
    assert found["cause"].item() == cause
    assert found["expected"].item() == pytest.approx(abs(values[STRUCK, MONTH, 2] / times), rel=0.15)


def test_two_digits_swapped_show_beside_the_rest_of_the_report():
    values = prefecture()
    # Three percent: no more than the number moves by itself, but not against the number beside it.
    values[STRUCK, MONTH, 1] = round(values[STRUCK, MONTH, 1] * 1.03)
    assert places(searched(values)) == {("ratio", STRUCK, MONTH, "emergency")}


def test_a_number_is_out_of_step_only_where_the_other_is_not_the_wrong_one():
    values = prefecture()
    values[STRUCK, MONTH, 0] = round(values[STRUCK, MONTH, 0] * 1.04)
    assert places(searched(values)) == {("ratio", STRUCK, MONTH, "visits")}


@pytest.mark.parametrize(("lag", "kind"), [(1, "copied_period"), (2, "copied_period"), (12, "copied_year")])
def test_a_copy_of_an_earlier_report_is_found_although_a_number_was_changed(lag: int, kind: str):
    values = np.concatenate([prefecture(5), prefecture(6)], axis=-1)
    values[STRUCK, MONTH] = values[STRUCK, MONTH - lag]
    values[STRUCK, MONTH, 3] += 1
    assert (kind, STRUCK, MONTH, None) in places(searched(values))


def test_exchanged_columns_are_found_although_each_number_is_likely():
    values = prefecture()
    values[STRUCK, MONTH, [0, 1]] = values[STRUCK, MONTH, [1, 0]]
    found = searched(values)
    assert ("exchanged", STRUCK, MONTH, "visits") in places(found)
    assert set(found["unit"]) == {STRUCK}
    assert set(found["month"]) == {MONTH}


def test_a_number_that_every_other_report_has_is_missed_and_one_that_nobody_has_is_not():
    values = prefecture()
    values[STRUCK, MONTH, 2] = np.nan
    values[:, MONTH + 3, 1] = np.nan
    assert places(searched(values)) == {("blank", STRUCK, MONTH, "discharges")}


def test_a_lasting_change_of_level_is_told_as_such_and_no_outlier():
    values = prefecture()
    values[STRUCK, MONTH:] = np.rint(values[STRUCK, MONTH:] * 3)
    kinds = {(kind, month) for kind, unit, month, _ in places(searched(values)) if unit == STRUCK}
    assert kinds == {("level_shift", MONTH)}


def test_what_all_units_have_in_common_is_nobodys_mistake():
    values = prefecture()
    values[:, MONTH] = np.rint(values[:, MONTH] * 0.6)
    assert places(searched(values)) == set()


def test_a_wrong_number_makes_no_right_one_look_wrong():
    values = prefecture()
    values[STRUCK, [MONTH - 12, MONTH - 1], 2] *= 1000
    assert places(searched(values)) == {
        ("unit_slip", STRUCK, MONTH - 12, "discharges"),
        ("unit_slip", STRUCK, MONTH - 1, "discharges"),
    }


def test_of_three_numbers_the_one_that_is_alone_is_wrong():
    values = np.full((UNITS, MONTHS, 1), np.nan)
    values[:, ::12, 0] = np.rint(prefecture()[:, ::12, 0])
    values[:, 12::12, 0] = values[:, :1, 0]
    values[STRUCK, 12, 0] = np.rint(values[STRUCK, 12, 0] * 0.5)
    assert places(searched(values)) == {("outlier", STRUCK, 12, "visits")}


def test_a_value_that_used_to_change_and_stays_is_told():
    values = prefecture()
    values[STRUCK, MONTH - 3 : MONTH + 1, 2] = values[STRUCK, MONTH - 3, 2]
    assert ("repeated", STRUCK, MONTH, "discharges") in places(searched(values))


def test_round_numbers_are_told_once_for_a_unit():
    values = prefecture()
    values[STRUCK] = np.rint(values[STRUCK] / 5) * 5
    assert places(searched(values)) == {("digits", STRUCK, MONTHS - 1, None)}


def test_only_what_is_asked_for_is_told_and_counted():
    values = prefecture()
    values[[STRUCK, STRUCK + 1], MONTH, 2] *= 1000
    found = searched(values, asked=STRUCK)
    assert places(found) == {("unit_slip", STRUCK, MONTH, "discharges")}


def test_years_that_an_opening_cut_short_raise_nothing():
    values = np.rint(prefecture()[:, :4, :] * 12)
    values[STRUCK, 0] = np.rint(values[STRUCK, 0] / 10)
    assert places(searched(values, period_type="year")) == set()


def test_a_unit_that_begins_small_raises_nothing():
    values = prefecture()
    values[STRUCK, :MONTH] = np.nan
    values[STRUCK, MONTH] = np.rint(values[STRUCK, MONTH] / 20)
    assert places(searched(values)) == set()


def test_numbers_too_small_to_judge_and_single_periods_raise_nothing():
    small = np.tile(np.array([0.0, 1.0, 3.0]), (UNITS, 12, 1))
    assert places(searched(small)) == set()
    assert places(searched(prefecture()[:, :1])) == set()


@pytest.mark.parametrize(
    ("value", "expected", "cause"),
    [
        (4_270, 2_470, "two digits swapped"),
        (0, 5_000, "nothing where there is much"),
        (300, 500, None),
        (12.5, 50, None),
    ],
)
def test_causes_are_guessed_from_the_two_numbers(value: float, expected: float, cause: str | None):
    assert cause_of(value, expected) == cause


def test_medians_leave_blanks_out():
    rows = np.array([[3, np.nan, 1, 2], [np.nan] * 4, [5, 7, np.nan, np.nan]])
    assert median(rows).tolist()[::2] == [2, 6]
    assert np.isnan(median(rows)[1])
    assert quantile(np.arange(11.0)[None], 0.9).item() == 9


def test_sums_are_by_thing_whatever_the_order_of_the_rows():
    assert sums(np.array([2, 0, 2]), 4, np.array([[1], [5], [10]])).ravel().tolist() == [5, 0, 11, 0]
