"""Numbers over time: what each series and each report leads one to expect, and what does not fit.

The rows come from one statement, the work is done on whole grids, and every judgement has a score: how many scatters a
number is off, or how much likelier a mistake makes the report.
"""

from typing import Any

import polars as pl

from expectations.series.form import FormNumbers

__all__ = ["FINDINGS", "find"]

FINDINGS = {
    "kind": pl.String, "report_id": pl.Int64, "form_code": pl.String, "field_code": pl.String, "breakdown": pl.String,
    "score": pl.Float64, "observed": pl.Float64, "expected": pl.Float64, "denominator": pl.Int64, "cause": pl.String,
    "looked": pl.Int64,
}  # fmt: skip


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
    for kind, rows in sorted(numbers.partition_by("kind", as_dict=True).items()):
        form, period_type, _ = kinds.row(int(kind[0]))[1:]
        found += FormNumbers(form, period_type, rows, fields).findings()
    return pl.DataFrame(found, schema=FINDINGS, orient="row")
