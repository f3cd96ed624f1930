"""Which rows of a table are cards, whom they are about and when: batch by batch."""

from collections.abc import Mapping, Sequence

import polars as pl

from ingestion.cards.told import RowFault
from ingestion.form import PeriodType
from ingestion.grids import is_numbering
from ingestion.periods import find_period, read_period
from ingestion.reading import SourceContext
from ingestion.recognised import Recognised
from ingestion.values import Typed, as_text

# How rows below the table begin, and what stands first in a row that only adds up.
_FOOTER = (
    r"^\s*(?:填\s*表|制\s*表|审\s*核|复\s*核|统计负责|单位负责|负责人|填报|报出|报送|备\s*注|注\s*[:：1]|说\s*明"
    r"|合\s*计|总\s*计|小\s*计)"
)


class Where:
    """Rows of one table of cards, with what its title and its lane say for all of them."""

    def __init__(self, found: Recognised, sheet: str, source: SourceContext, file_name: str) -> None:
        self.form = found.form
        self.found = found
        self.known = [f"c{column.index}" for column in found.fields]
        self.reporter = found.reporter or source.reporter
        self.region = source.region_code
        period = self.form.period
        elsewhere = find_period([*found.titles, sheet], period.type) if period.title else None
        if elsewhere is None and period.file_name:
            elsewhere = find_period([file_name], period.type)
        self.elsewhere = elsewhere
        self._first = True
        self.positions = pl.DataFrame(
            [(sheet, c.code, None, c.index + 1) for c in found.fields],
            schema={
                "sheet": pl.String,
                "field_code": pl.String,
                "source_row": pl.Int64,
                "source_column": pl.Int64,
            },
            orient="row",
        )

    def cards(self, frame: pl.DataFrame, first_row: int) -> pl.DataFrame:
        """Rows that are cards, with their spreadsheet row: no blank rows, column numbers, sums and signatures."""
        frame = frame.with_columns(
            pl.int_range(first_row, first_row + pl.len(), dtype=pl.Int64).alias("source_row")
        )
        known = [name for name in self.known if name in frame.columns]
        # Signatures and sums fill a cell or two; only those rows are looked at closely.
        few = max(2, len(known) // 3)
        full = _filled_everywhere(frame, known, few + 1)
        if not full:
            frame = frame.filter(~pl.all_horizontal(_blank(frame, name) for name in known))
        if self._first and frame.height:
            self._first = False
            if is_numbering(frame.select(known).row(0)):
                frame = frame.slice(1)
        if full:
            return frame
        filled = frame.select(
            pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.UInt32) for name in known)
        ).to_series()
        sparse = filled <= few
        texts = [name for name in known if frame.schema[name] == pl.String]
        if texts and sparse.any():
            begins = frame.select(pl.coalesce(texts).str.contains(_FOOTER).fill_null(value=False)).to_series()
            frame = frame.filter(~(sparse & begins))
        return frame

    def subjects(self, body: pl.DataFrame, typed: Mapping[str, Typed]) -> pl.DataFrame:
        """The rows with subject_ref, subject_name and reporter_ref."""
        subject = self.form.subject
        refs = [
            typed[code].values.cast(pl.String).alias(f"id.{code}")
            for code in subject.identify_by
            if code in typed
        ]
        default = self.region if subject.from_source and not refs else None
        name = f"id.{subject.name}"
        named = any(ref.name == name for ref in refs)
        ref = pl.coalesce(pl.col(ref.name) for ref in refs) if refs else pl.lit(default, dtype=pl.String)
        return body.with_columns(refs).with_columns(
            ref.alias("subject_ref"),
            (pl.col(name) if named else pl.lit(None, dtype=pl.String)).alias("subject_name"),
            pl.lit(self.reporter, dtype=pl.String).alias("reporter_ref"),
        )

    def periods(self, body: pl.DataFrame, typed: Mapping[str, Typed], days: pl.Series) -> pl.DataFrame:
        """The rows with period_start and period_end: the day of the card, or the period that holds it."""
        kind = self.form.period.type
        body = body.with_columns(days.alias("__day"))
        if kind == "event":
            return body.with_columns(
                pl.col("__day").alias("period_start"), pl.col("__day").alias("period_end")
            )
        starts, ends = _around(pl.col("__day"), kind)
        told = next((code for code in self.form.period.fields if code in typed), None)
        written = as_text(typed[told].values.cast(pl.String)) if told else None
        if written is not None:
            spans = {text: read_period(text, kind) for text in written.drop_nulls().unique()}
            first = {text: span.start for text, span in spans.items() if span}
            last = {text: span.end for text, span in spans.items() if span}
            body = body.with_columns(
                written.replace_strict(first, default=None, return_dtype=pl.Date).alias("__start"),
                written.replace_strict(last, default=None, return_dtype=pl.Date).alias("__end"),
            )
            starts, ends = pl.coalesce("__start", starts), pl.coalesce("__end", ends)
        if self.elsewhere is not None:
            starts = pl.coalesce(starts, pl.lit(self.elsewhere.start))
            ends = pl.coalesce(ends, pl.lit(self.elsewhere.end))
        return body.with_columns(starts.alias("period_start"), ends.alias("period_end"))

    def faults(self, body: pl.DataFrame) -> tuple[pl.Series, list[RowFault]]:
        """Which rows can be placed at all, and what is wrong with the others."""
        nobody = body["subject_ref"].is_null()
        faults = []
        if nobody.any():
            names = "或".join(
                f"“{self.form.by_code[code].name_zh}”" for code in self.form.subject.identify_by
            )
            faults.append(RowFault.nobody(body.filter(nobody)["source_row"].to_list(), names))
        timeless = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(body))
        if self.form.period.type != "event":
            timeless = body["period_start"].is_null() & ~nobody
            if timeless.any():
                cards = self.form.cards
                code = cards.date if cards and cards.date else next(iter(self.form.period.fields), "")
                name = self.form.by_code[code].name_zh if code in self.form.by_code else "统计期"
                faults.append(RowFault.timeless(body.filter(timeless)["source_row"].to_list(), name))
        return ~(nobody | timeless), faults


def _blank(frame: pl.DataFrame, name: str) -> pl.Expr:
    nothing = pl.col(name).is_null()
    return nothing | (pl.col(name) == "") if frame.schema[name] == pl.String else nothing


def _filled_everywhere(frame: pl.DataFrame, names: Sequence[str], many: int) -> bool:
    """Whether so many columns have no blank cell: then no row is blank, a sum or a signature."""
    whole = [name for name in names if frame[name].null_count() == 0][:many]
    if len(whole) < many or frame.is_empty():
        return False
    return not frame.select(pl.any_horizontal(_blank(frame, name) for name in whole).any()).item()


def _around(day: pl.Expr, kind: PeriodType) -> tuple[pl.Expr, pl.Expr]:
    """First and last day of the period that holds a day; as :func:`ingestion.form.period_bounds` has them."""
    if kind == "month":
        start = day.dt.truncate("1mo")
        return start, start.dt.offset_by("1mo").dt.offset_by("-1d")
    if kind in ("quarter", "cumulative_quarter"):
        start = day.dt.truncate("1q")
        end = start.dt.offset_by("1q").dt.offset_by("-1d")
        return (day.dt.truncate("1y") if kind == "cumulative_quarter" else start), end
    if kind == "mch_year":
        # From October on a day belongs to the year that ends with the next September.
        start = day.dt.offset_by("3mo").dt.truncate("1y").dt.offset_by("-3mo")
        return start, start.dt.offset_by("1y").dt.offset_by("-1d")
    start = day.dt.truncate("1y")
    return start, start.dt.offset_by("1y").dt.offset_by("-1d")
