"""What a report says, as a fingerprint that no format, encoding or order of columns changes."""

import hashlib

import polars as pl

from ingestion.form import Form

# Separators that no cell of text contains.
_UNIT, _RECORD = "\x1f", "\x1e"


def add_content_hash(
    form: Form, rows: pl.DataFrame, reports: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records in their final columns, and the reports with content_hash, value_count and nonzero_count.

    The content of a record is its filled fields in the order of their codes, with the reasons of its
    nulls and the text of cells that could not be typed; the content of a report is its records sorted.
    """
    breakdowns = [f.code for f in form.breakdowns]
    others = [f.code for f in form.columns if f.role != "breakdown"]
    said = [pl.concat_str(pl.lit(f"{code}="), pl.col(code).cast(pl.String)) for code in sorted(others)] + [
        pl.concat_str(pl.lit("null:"), pl.col("null_reasons")),
        pl.concat_str(pl.lit("fault:"), pl.col("faults")),
    ]
    body = pl.concat_str(said, separator=_UNIT, ignore_nulls=True)
    head = pl.lit("")
    if breakdowns:
        head = pl.concat_str([pl.col(code).fill_null("") for code in sorted(breakdowns)], separator=_UNIT)
    filled = pl.sum_horizontal([pl.col(f.code).is_not_null().cast(pl.Int64) for f in form.measures])
    nonzero = pl.sum_horizontal(
        [(pl.col(f.code).is_not_null() & (pl.col(f.code) != 0)).cast(pl.Int64) for f in form.measures]
    )
    rows = rows.with_columns(
        body.alias("__body"), head.alias("__head"), filled.alias("__filled"), nonzero.alias("__nonzero")
    )
    text = pl.when(pl.col("__body") != "").then(pl.concat_str("__head", "__body", separator=_UNIT))
    if rows.height == reports.height == rows["report_no"].n_unique():
        content = rows.select(
            "report_no",
            pl.col("__filled").alias("value_count"),
            pl.col("__nonzero").alias("nonzero_count"),
            text.alias("content"),
        )
        number = pl.lit(1, dtype=pl.Int64)
    else:
        content = rows.group_by("report_no").agg(
            pl.col("__filled").sum().alias("value_count"),
            pl.col("__nonzero").sum().alias("nonzero_count"),
            text.drop_nulls().sort().str.join(_RECORD).alias("content"),
        )
        number = pl.col("report_no").cum_count().over("report_no").cast(pl.Int64)
    hashes = [hashlib.sha256((text or "").encode()).hexdigest() for text in content["content"]]
    content = content.select(
        "report_no", "value_count", "nonzero_count", pl.Series("content_hash", hashes, dtype=pl.String)
    )
    nothing = hashlib.sha256(b"").hexdigest()
    reports = reports.join(content, on="report_no", how="left", maintain_order="left").with_columns(
        pl.col("value_count", "nonzero_count").fill_null(0), pl.col("content_hash").fill_null(nothing)
    )
    records = rows.select(
        "report_no",
        number.alias("record_no"),
        *(field.code for field in form.columns),
        "null_reasons",
        "source_sheet",
        "source_row",
        "source_column",
    )
    return records, reports
