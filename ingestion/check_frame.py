"""The frame that rules are evaluated over: a reading's records beside what the registry knows of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ingestion.expressions import Expression
from ingestion.form import Form, previous_period_start
from ingestion.reading import Reading


@dataclass(frozen=True)
class CheckContext:
    """What the registry knows besides the file; every frame may be empty.

    ``units``: subject_ref, organization_key, organization_code and the unit's attributes in the period.
    ``previous``: current records of the period before, for the same subjects: subject_ref, the form's
    columns and ``period_start``, the first day of that earlier period. What the file itself holds of the
    period before comes first. ``yearly``: subject_ref, form_code, field_code, value: sums over the current
    monthly reports of the year. ``same_period``: the same columns, the field's sum in the subject's current
    report of that form for the same period. ``active_units``: subject_ref, class_code, units (open units of
    the class at the end of the period that the report's reporter, or its region, answers for), and where
    known ``reporter``, by which the file's reports are counted against them; a class without a row counts as
    none once the subject has any row. Each frame may have a ``period_start`` and a ``period_end`` of the
    report it is for; they are then matched too.
    """

    units: pl.DataFrame = field(default_factory=pl.DataFrame)
    previous: pl.DataFrame = field(default_factory=pl.DataFrame)
    yearly: pl.DataFrame = field(default_factory=pl.DataFrame)
    same_period: pl.DataFrame = field(default_factory=pl.DataFrame)
    active_units: pl.DataFrame = field(default_factory=pl.DataFrame)


def frame_for(reading: Reading, context: CheckContext, expressions: Sequence[Expression]) -> pl.LazyFrame:
    """Records with everything that the expressions name as columns."""
    form = reading.form
    wide = form.rows_are_reports(reading.layout)
    breakdowns = [f.code for f in form.breakdowns]
    named = {name for part in expressions for name in (*part.fields, *part.summed)}
    absent = named - set(reading.records.columns)
    reports = reading.reports.select(
        "report_no",
        "subject_ref",
        "period_start",
        "period_end",
        pl.concat_str(
            "period_start", pl.col("reporter_ref").cast(pl.String).fill_null(""), separator="/"
        ).alias("report.group"),
        ((pl.col("period_end") - pl.col("period_start")).dt.total_days() + 1).alias("period.days"),
        pl.col("period_end").dt.month().cast(pl.Int64).alias("period.month"),
    )
    records = reading.records.lazy()
    if len(reports) == 1 and (reading.records["report_no"] == reports["report_no"][0]).all(
        ignore_nulls=False
    ):
        # Many cards of one report: a join would copy every one of them.
        said = reports.drop("report_no")
        frame = records.with_columns(pl.lit(one.first(), dtype=one.dtype).alias(one.name) for one in said)
    else:
        frame = records.join(reports.lazy(), on="report_no", how="left", maintain_order="left")
    frame = frame.with_columns(
        (pl.col("source_row") if wide else pl.lit(0, dtype=pl.Int64)).alias("report.occurrence"),
        (pl.col(breakdowns[0]) if breakdowns else pl.lit(None, dtype=pl.String)).alias("report.member"),
        *(pl.lit(None, dtype=form.by_code[name].dtype).alias(name) for name in sorted(absent)),
    )
    frame = _with_units(frame, context.units, sorted({name for part in expressions for name in part.unit}))
    previous = sorted({name for part in expressions for name in part.previous})
    if previous and not form.cards:
        frame = _with_previous(frame, reading, context.previous, previous)
    yearly = sorted({name for part in expressions for name in part.yearly})
    frame = _with_sums(frame, context.yearly, yearly, "yearly")
    same = sorted({name for part in expressions for name in part.same_period})
    frame = _with_sums(frame, context.same_period, same, "same")
    classes = sorted({name for part in expressions for name in part.active_units})
    if classes:
        frame = _with_active(frame, context.active_units, classes)
    pairs = sorted({pair for part in expressions for pair in part.code_valid})
    return frame.with_columns(_validity(form, code, day) for code, day in pairs)


def _with_units(frame: pl.LazyFrame, units: pl.DataFrame, wanted: Sequence[str]) -> pl.LazyFrame:
    given = [name for name in wanted if name in units.columns] if "subject_ref" in units.columns else []
    if given:
        keys = _keys(units)
        unit = units.lazy().select(*keys, *(pl.col(name).alias(f"unit.{name}") for name in given))
        frame = frame.join(unit.unique(keys, keep="first"), on=keys, how="left", maintain_order="left")
    # An attribute that nobody knows is unknown, and so is the rule that asks for it.
    rest = [
        pl.lit(None, dtype=_unit_type(name)).alias(f"unit.{name}") for name in wanted if name not in given
    ]
    return frame.with_columns(rest)


def _keys(known: pl.DataFrame) -> list[str]:
    return [key for key in ("subject_ref", "period_start", "period_end") if key in known.columns]


def _unit_type(name: str) -> pl.DataType:
    return pl.Boolean() if name.startswith(("is_", "has_")) else pl.String()


def _with_previous(
    frame: pl.LazyFrame, reading: Reading, stored: pl.DataFrame, wanted: Sequence[str]
) -> pl.LazyFrame:
    """Numbers of the period before: the file's own first, then those of the registry.

    Cumulative quarters of a year all start with it, so the nearest earlier end decides among them.
    """
    form = reading.form
    members = [f.code for f in form.breakdowns]
    spans = sorted(set(reading.reports.select("period_start", "period_end").rows()))
    before = {span: previous_period_start(form.period.type, *span) for span in spans}
    kinds = {name: form.by_code[name].dtype for name in (*members, *wanted)}
    kinds |= {"subject_ref": pl.String(), "period_start": pl.Date(), "period_end": pl.Date()}
    sources: list[pl.LazyFrame] = []
    if set(before.values()) & {start for start, _ in spans}:
        keys = ["subject_ref", "period_start", "period_end", *members]
        own = frame.select(*(pl.col(name) for name in kinds), pl.lit(0).alias("rank"))
        sources.append(own.unique(keys, keep="none"))
    if {"subject_ref", "period_start", *members, *wanted} <= set(stored.columns) and not stored.is_empty():
        if "period_end" not in stored.columns:
            stored = stored.with_columns(pl.lit(dt.date.min, dtype=pl.Date).alias("period_end"))
        cast = [pl.col(name).cast(dtype) for name, dtype in kinds.items()]
        sources.append(stored.lazy().select(*cast, pl.lit(1).alias("rank")))
    if not sources:
        return frame.with_columns(
            pl.lit(None, dtype=kinds[name]).alias(f"previous.{name}") for name in wanted
        )
    starts = pl.LazyFrame(
        [(*span, start) for span, start in before.items()],
        schema={"period_start": pl.Date, "period_end": pl.Date, "before_start": pl.Date},
        orient="row",
    )
    earlier = pl.concat(sources).rename(
        {
            "period_start": "before_start",
            "period_end": "before_end",
            **{name: f"previous.{name}" for name in wanted},
        }
    )
    keys = ["subject_ref", "period_start", "period_end", *members]
    places = (
        frame.select(*keys)
        .unique(maintain_order=True)
        .join(starts, on=["period_start", "period_end"], how="left", maintain_order="left")
        .join(earlier, on=["subject_ref", "before_start", *members], nulls_equal=True, maintain_order="left")
        .filter(pl.col("before_end") < pl.col("period_end"))
        .sort("before_end", "rank", descending=[True, False], maintain_order=True)
        .unique(keys, keep="first", maintain_order=True)
        .drop("before_start", "before_end", "rank")
    )
    return frame.join(places, on=keys, how="left", maintain_order="left", nulls_equal=True)


def _with_sums(frame: pl.LazyFrame, sums: pl.DataFrame, wanted: Sequence[str], prefix: str) -> pl.LazyFrame:
    """Sums of other forms, ``form.field`` by ``form.field``."""
    for name in wanted:
        form_code, code = name.split(".")
        column = f"{prefix}.{name}"
        if "subject_ref" not in sums.columns or sums.is_empty():
            frame = frame.with_columns(pl.lit(None, dtype=pl.Float64).alias(column))
            continue
        keys = _keys(sums)
        one = sums.lazy().filter((pl.col("form_code") == form_code) & (pl.col("field_code") == code))
        one = one.select(*keys, pl.col("value").cast(pl.Float64).alias(column)).unique(keys, keep="first")
        frame = frame.join(one, on=keys, how="left", maintain_order="left")
    return frame


def _with_active(frame: pl.LazyFrame, active: pl.DataFrame, classes: Sequence[str]) -> pl.LazyFrame:
    """Open units of each class; none where the subject's other classes are known."""
    if "subject_ref" not in active.columns:
        return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(f"active.{one}") for one in classes)
    keys = _keys(active)
    by_reporter = "reporter" in active.columns
    counts = (
        active.lazy()
        .group_by(keys)
        .agg(
            *(
                pl.col("units")
                .filter(pl.col("class_code") == one)
                .sum()
                .cast(pl.Int64)
                .alias(f"active.{one}")
                for one in classes
            ),
            *([pl.col("reporter").first().cast(pl.String).alias("answers")] if by_reporter else []),
        )
    )
    frame = frame.join(counts, on=keys, how="left", maintain_order="left")
    if not by_reporter:
        return frame
    group = pl.concat_str("period_start", "answers", separator="/")
    return frame.with_columns(pl.coalesce(group, "report.group").alias("report.group")).drop("answers")


def _validity(form: Form, code: str, day: str) -> pl.Expr:
    """Whether a code list has the code on the day that a date field says; unknown codes are unknown."""
    codes = form.code_lists[form.by_code[code].code_list or ""].codes
    starts = {one.code: one.valid_from or dt.date.min for one in codes}
    ends = {one.code: one.valid_to or dt.date.max for one in codes}
    when = pl.col(day).cast(pl.Date)
    start = pl.col(code).replace_strict(starts, default=None, return_dtype=pl.Date)
    end = pl.col(code).replace_strict(ends, default=None, return_dtype=pl.Date)
    return ((when >= start) & (when < end)).alias(f"valid.{code}.{day}")
