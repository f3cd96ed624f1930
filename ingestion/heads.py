"""Whose and when each record of a table is: told by its cells, a title, the sheet's name or the file's."""

from collections.abc import Sequence

import polars as pl

from ingestion.faults import Faults
from ingestion.findings import cell_name
from ingestion.form import FormField
from ingestion.grids import FEW, Grid
from ingestion.periods import Span, find_period, read_period, year_of
from ingestion.readers import Table
from ingestion.recognised import Recognised
from ingestion.titles import unit_named
from ingestion.values import NULL_MARKS, as_text, plain_text, to_type


class Elsewhere:
    """What the title, the sheet's name and the file's name say of all records, looked up when asked for."""

    def __init__(self, table: Table, found: Recognised, file_name: str) -> None:
        self.period_type = found.form.period.type
        self.titles = [*found.titles, table.sheet] if found.form.period.title else []
        self.names = [file_name] if found.form.period.file_name else []
        # Who filed it, in a cell of its own, is not whom it is about.
        self.texts = [text for text in (*found.titles, table.sheet, file_name) if text != found.reporter]
        self.form = found.form

    def period(self) -> Span | None:
        """The period of the title, else of the file's name, else of both together."""
        return (
            find_period(self.titles, self.period_type)
            or find_period(self.names, self.period_type)
            or find_period([*self.titles, *self.names], self.period_type)
        )

    def contradiction(self) -> tuple[Span, Span] | None:
        """Title and file name when each says another period."""
        title, name = find_period(self.titles, self.period_type), find_period(self.names, self.period_type)
        return (title, name) if title and name and title != name else None

    def year(self) -> int | None:
        """The one year that they mention."""
        return year_of(self.texts)

    def unit(self) -> str | None:
        """An institution that they name."""
        return unit_named(self.texts, self.form) if self.form.subject.type == "organization" else None


def cells_of(frame: pl.DataFrame, found: Recognised, code: str) -> pl.Series | None:
    """A field's cells, or the value that the title gives for all records."""
    if code in frame.columns:
        return frame[code]
    if code in found.title_values:
        return constant(code, found.title_values[code][0], pl.String(), frame.height)
    return None


def with_subject(
    frame: pl.DataFrame,
    found: Recognised,
    where: Elsewhere,
    *,
    region_code: str | None,
    reporter: str | None,
) -> pl.DataFrame:
    """Records with subject_ref, subject_name and reporter_ref."""
    subject = found.form.subject
    refs: dict[str, pl.Series] = {}
    for code in subject.identify_by:
        cells = cells_of(frame, found, code)
        if cells is not None:
            refs[code] = _names_of(cells, found.form.by_code[code])
    if "subject_text" in frame.columns:
        refs[subject.name or subject.identify_by[0]] = frame["subject_text"]
    default = region_code if subject.from_source and not refs else None
    if default is None and not refs and (name := where.unit()):
        refs[subject.name or subject.identify_by[0]] = constant("", name, pl.String(), frame.height)
    who = constant("", default, pl.String(), frame.height)
    for number, named in enumerate(refs.values()):
        who = who.zip_with(who.is_not_null(), named) if number else named
    names = refs.get(subject.name or "")
    return frame.hstack(
        [
            who.alias("subject_ref"),
            constant("subject_name", None, pl.String(), frame.height)
            if names is None
            else names.alias("subject_name"),
            _reporters(frame, reporter),
        ]
    )


def _reporters(frame: pl.DataFrame, reporter: str | None) -> pl.Series:
    """Who filed each record: by its own row, else by the title or the lane."""
    column = constant("reporter_ref", reporter, pl.String(), frame.height)
    if "reporter_text" not in frame.columns:
        return column
    named = as_text(frame["reporter_text"])
    return named.zip_with(named.is_not_null(), column).alias("reporter_ref")


def _texts_of(cells: pl.Series) -> list[str | None]:
    if cells.dtype != pl.String or len(cells) > FEW:
        return as_text(cells).to_list()
    return [None if text is None or text.strip() in NULL_MARKS else text.strip() for text in cells]


def _names_of(cells: pl.Series, item: FormField) -> pl.Series:
    """Codes and names that identify, as text."""
    if cells.dtype != pl.String or len(cells) > FEW:
        return to_type(cells, item, None).values.cast(pl.String)
    texts = [None if text is None or text.strip() in NULL_MARKS else text for text in cells]
    names = [None if text is None else plain_text(text, item.type) for text in texts]
    return pl.Series("", names, dtype=pl.String)


def without_nobody(frame: pl.DataFrame, found: Recognised, faults: Faults) -> pl.DataFrame:
    """Records that say whom they are about; the others become findings."""
    if not frame["subject_ref"].null_count():
        return frame
    nobody = frame.filter(pl.col("subject_ref").is_null())
    for row, column in nobody.select("source_row", "source_column").unique(maintain_order=True).rows():
        names = faults.names(found.form.subject.identify_by)
        where = f"第{row}行" if row is not None else f"第{column}列" if column is not None else "本表"
        faults.add(
            "SUBJECT_MISSING",
            "layout",
            f"{where}没有填写{names}，不知道是哪个单位（地区）的数；请补填",
            f"{'row' if row is not None else 'column'} {row or column} does not say whom it is about; "
            "fill in the unit or region",
            cell=cell_name(row or 1, (column if row is None else None) or 1),
        )
    return frame.filter(pl.col("subject_ref").is_not_null())


def with_period(
    frame: pl.DataFrame, grid: Grid, found: Recognised, where: Elsewhere, faults: Faults
) -> pl.DataFrame:
    """The period of each record: its block's, its column's, else the title's or the file's name."""
    period = found.form.period
    if "block_start" in frame.columns:
        return frame.rename({"block_start": "period_start", "block_end": "period_end"})
    columns = {code: cells for code in period.fields if (cells := cells_of(frame, found, code)) is not None}
    if "period_text" in frame.columns:
        columns = {"period_text": frame["period_text"]}
    at_once = _told_at_once(list(columns.values()), period.type, where)
    if at_once is not None:
        return frame.hstack(at_once)
    elsewhere = None
    written: list[tuple[str | None, ...]] = [()] * frame.height
    if columns:
        written = list(zip(*(_texts_of(cells) for cells in columns.values()), strict=True))
    blank = [not any(texts) for texts in written]
    if any(blank) or not columns:
        elsewhere = where.period()
        if any(blank):
            _tell_contradiction(where, faults)
    if not columns and elsewhere is None:
        faults.add(
            "PERIOD_MISSING",
            "layout",
            f"表中没有统计期，表头和文件名中也没有；请填写{faults.names(period.fields) or '统计期'}",
            "neither a column nor the title says which period the table is for",
            cell=faults.header,
        )
        return frame.clear().with_columns(
            pl.lit(None, dtype=pl.Date).alias("period_start"), pl.lit(None, dtype=pl.Date).alias("period_end")
        )
    year = where.year() if columns else None
    spans = {texts: _span(texts, period.type, year) for texts in set(written) if any(texts)}
    chosen = [elsewhere if none else spans[texts] for texts, none in zip(written, blank, strict=True)]
    frame = frame.hstack(
        [
            pl.Series("period_start", [span.start if span else None for span in chosen], dtype=pl.Date),
            pl.Series("period_end", [span.end if span else None for span in chosen], dtype=pl.Date),
        ]
    )
    if all(chosen):
        return frame
    _tell_timeless(frame, grid, next(iter(columns), ""), list(zip(written, chosen, strict=True)), faults)
    return frame.filter(pl.col("period_start").is_not_null())


def _tell_timeless(
    frame: pl.DataFrame,
    grid: Grid,
    code: str,
    periods: Sequence[tuple[tuple[str | None, ...], Span | None]],
    faults: Faults,
) -> None:
    """A finding for each cell of a period that is blank or cannot be told; a row of texts alone is a heading."""
    period = faults.found.form.period
    numbers = [frame[item.code] for item in faults.found.form.measures if item.code in frame.columns]
    rows, marks = grid.cells_of(frame, code)
    told: set[str | None] = set()
    for number, (texts, span) in enumerate(periods):
        if span is not None:
            continue
        row, column = (part[number] if isinstance(part, pl.Series) else part for part in (rows, marks))
        cell = cell_name(row or 1, column or 1)
        if cell in told:
            continue
        told.add(cell)
        text = " ".join(text for text in texts if text)
        if numbers and not text and all(cells[number] is None for cells in numbers):
            continue
        if text:
            zh = f"第{row}行的统计期“{text}”（{cell}）看不出是哪一期；{_EXAMPLES[period.type]}"
            en = f"the period {text!r} of row {row} ({cell}) cannot be told"
        else:
            zh = f"第{row}行没有统计期（{cell}）；请补填{faults.names(period.fields)}"
            en = f"row {row} has no period ({cell})"
        rule = "PERIOD_UNREADABLE" if text else "PERIOD_MISSING"
        faults.add(rule, "layout", zh, en, cell=cell, value=text or None)


def _told_at_once(columns: Sequence[pl.Series], period_type: str, where: Elsewhere) -> list[pl.Series] | None:
    """First and last days of the periods in one long column, each of its few texts read once.

    None when there are several columns or few cells, or when a cell is blank or cannot be told: then each cell gets
    a look of its own.
    """
    if len(columns) != 1 or len(columns[0]) <= FEW:
        return None
    cells = columns[0]
    different = cells.unique()
    year = where.year()
    spans = [_span((text,), period_type, year) if text else None for text in _texts_of(different)]
    starts = [span.start for span in spans if span]
    ends = [span.end for span in spans if span]
    if len(starts) < len(different):
        return None
    return [
        cells.replace_strict(different, days, return_dtype=pl.Date).alias(name)
        for name, days in (("period_start", starts), ("period_end", ends))
    ]


_EXAMPLES = {
    "month": "月份请写成2015-10或2015年10月",
    "quarter": "季度请写成2015年第三季度",
    "cumulative_quarter": "累计期请写成2015年1-9月",
    "year": "年度请写成2015",
    "mch_year": "统计年度请写成2015年度",
    "event": "日期请写成2015-10-08",
}


def _span(texts: Sequence[str | None], period_type: str, year: int | None) -> Span | None:
    """The period of one or several cells, such as a year's and a month's."""
    given = [text for text in texts if text]
    for text in given:
        span = read_period(text, period_type)  # type: ignore[arg-type]
        if span and (len(given) == 1 or period_type not in ("year", "mch_year")):
            return span
    years = {own for text in given if (own := year_of([text])) is not None and len(text.strip()) <= 6}
    own = years.pop() if len(years) == 1 else year if not years else None
    if own is None:
        return None
    rest = [text for text in given if year_of([text]) is None] or given
    return next((span for text in rest if (span := read_period(text, period_type, own))), None)  # type: ignore[arg-type]


def _tell_contradiction(where: Elsewhere, faults: Faults) -> None:
    said = where.contradiction()
    if said:
        title, name = (f"{span.start}—{span.end}" for span in said)
        faults.add(
            "PERIOD_CONTRADICTION",
            "layout",
            f"标题中的统计期（{title}）与文件名中的（{name}）不同，按标题读取；请核对",
            f"the title says {title}, the file's name {name}; the title was followed",
            severity="soft",
            cell=faults.header,
        )


def empty_report(
    found: Recognised, where: Elsewhere, region_code: str | None, reporter: str | None, heads: pl.DataFrame
) -> pl.DataFrame:
    """The head of a report without any record, where title, file name or lane say whose and when it is."""
    subject = found.form.subject
    given = [found.title_values[code][0] for code in subject.identify_by if code in found.title_values]
    name = found.title_values.get(subject.name or "", (None,))[0]
    who = next(iter(given), None) or (region_code if subject.from_source else None)
    when = next(
        (
            read_period(found.title_values[code][0], found.form.period.type, where.year())
            for code in found.form.period.fields
            if code in found.title_values
        ),
        None,
    )
    when = when or where.period()
    if who is None or when is None:
        return heads
    row = {"place": -1, "subject_ref": who, "subject_name": name, "reporter_ref": found.reporter or reporter}
    row |= {"period_start": when.start, "period_end": when.end}
    return pl.DataFrame([row], schema={**heads.schema, "place": pl.Int64})


def constant(name: str, value: object, dtype: pl.DataType, height: int) -> pl.Series:
    """A column that says the same in every row."""
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, height)
