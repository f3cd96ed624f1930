"""A reading of cards without any: what placing and recording ask for besides the cards themselves."""

import datetime as dt
from collections.abc import Mapping

import polars as pl

from ingestion.form import Form
from ingestion.reading import Reading


def empty_reading(
    form: Form,
    sheet: str,
    row: Mapping[str, object] | None = None,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Reading:
    """A reading without records, of the one report that ``row`` (subject_ref, subject_name, reporter_ref) names."""
    schema: dict[str, pl.DataType] = {
        "report_no": pl.Int64(),
        "subject_type": pl.String(),
        "subject_ref": pl.String(),
        "subject_name": pl.String(),
        "reporter_ref": pl.String(),
        "period_type": pl.String(),
        "period_start": pl.Date(),
        "period_end": pl.Date(),
        "sheet": pl.String(),
    }
    rows = []
    if row is not None:
        names = (row["subject_ref"], row["subject_name"], row["reporter_ref"])
        rows = [(1, form.subject.type, *names, form.period.type, start, end, sheet)]
    return Reading(
        form,
        "",
        next((layout.code for layout in form.layouts if layout.kind == "table"), form.layouts[0].code),
        "",
        pl.DataFrame(rows, schema=schema, orient="row"),
        pl.DataFrame(),
        pl.DataFrame(),
    )
