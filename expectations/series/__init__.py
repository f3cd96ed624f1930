"""Numbers over time: what each series and each report leads one to expect, and what does not fit.

The rows come from one statement, the work is done on whole grids, and every judgement has a score: how many scatters a
number is off, or how much likelier a mistake makes the report.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from expectations.series.form import FormNumbers

__all__ = ["FINDINGS", "find"]

FINDINGS = {
    "kind": pl.String, "report_id": pl.Int64, "form_code": pl.String, "field_code": pl.String, "breakdown": pl.String,
    "score": pl.Float64, "observed": pl.Float64, "expected": pl.Float64, "denominator": pl.Int64, "cause": pl.String,
    "looked": pl.Int64,
}  # fmt: skip


_SIDE_BY_SIDE = 2
"""Forms that are worked on together: each holds its numbers in memory several times over."""


def find(reports: pl.DataFrame, values: pl.DataFrame, fields: pl.DataFrame) -> pl.DataFrame:
    """Findings, and for each form a row with ``looked``: how many numbers were looked at.

    ``reports``: ``report_id``, ``form_code``, ``period_type``, ``part``, ``subject_code``, ``place`` (of the period
    among those of its kind), ``holiday`` (share of the period), ``asked`` (whether findings are wanted, or the report
    only says what is usual). ``values``: ``report_id``, ``field`` (number of the field), ``breakdown``, ``value``.
    ``fields``: ``field``, ``field_code``, ``is_count``, in the order of the form's columns.
    """
    found: list[dict[str, Any]] = []
    kinds = (
        reports.select("form_code", "period_type", "part").unique(maintain_order=True).with_row_index("kind")
    )
    # Millions of numbers carry whole numbers, not words.
    placed = reports.join(kinds, on=["form_code", "period_type", "part"]).select(
        "report_id", "kind", "place", "holiday", "asked", subject=pl.col("subject_code").rank("dense")
    )
    numbers = values.with_columns(pl.col("breakdown").cast(pl.Categorical)).join(placed, on="report_id")
    # numpy lets another thread work meanwhile; the largest form comes first, or it would be waited for alone.
    of_forms = sorted(numbers.partition_by("kind", as_dict=True).items(), key=lambda one: -one[1].height)

    def of_form(one: tuple[tuple[Any, ...], pl.DataFrame]) -> list[dict[str, Any]]:
        form, period_type, _ = kinds.row(int(one[0][0]))[1:]
        return FormNumbers(form, period_type, one[1], fields).findings()

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        for several in threads.map(of_form, of_forms):
            found += several
    return pl.DataFrame(found, schema=FINDINGS, orient="row")
