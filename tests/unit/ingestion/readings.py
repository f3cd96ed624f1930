"""Readings made of records, without a file."""

import datetime as dt
from typing import Any

import polars as pl

from ingestion.form import period_bounds
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading

Record = dict[str, Any]


def day(text: str) -> dt.date:
    """A day written 2015-05-01."""
    return dt.date.fromisoformat(text)


def at(text: str) -> dt.datetime:
    """A moment written 2015-05-01T08:30."""
    return dt.datetime.fromisoformat(text)


def reading_of(
    catalogue: Catalogue, code: str, *records: Record, year: int = 2015, number: int = 1
) -> Reading:
    """Records as read of one table; ``#subject`` and ``#number`` (of the month or quarter) part them into reports."""
    form = catalogue[code]
    names = [(one.get("#subject", "LH-001"), one.get("#number", number)) for one in records]
    different = list(dict.fromkeys(names))
    rows = pl.Series(range(1, len(records) + 1), dtype=pl.Int64)
    columns = [pl.Series(f.code, [one.get(f.code) for one in records], dtype=f.dtype) for f in form.fields]
    made = pl.DataFrame(columns).with_columns(
        pl.Series("report_no", [different.index(name) + 1 for name in names], dtype=pl.Int64),
        rows.alias("record_no"),
        pl.lit(None, dtype=pl.String).alias("null_reasons"),
        pl.lit("").alias("source_sheet"),
        (rows + 1).alias("source_row"),
        pl.lit(None, dtype=pl.Int64).alias("source_column"),
    )
    bounds = [period_bounds(form.period.type, year, one) for _, one in different]
    reports = pl.DataFrame(
        {
            "report_no": list(range(1, len(different) + 1)),
            "subject_ref": [subject for subject, _ in different],
            "reporter_ref": [None] * len(different),
            "period_start": [start for start, _ in bounds],
            "period_end": [end for _, end in bounds],
        },
        schema_overrides={"report_no": pl.Int64, "reporter_ref": pl.String},
    )
    places = [("", f.code, None, place) for place, f in enumerate(form.fields, start=1)]
    schema = {"sheet": pl.String, "field_code": pl.String, "source_row": pl.Int64, "source_column": pl.Int64}
    positions = pl.DataFrame(places, schema=schema, orient="row")
    return Reading(form, form.editions[-1].code, "table", "", reports, made, positions)
