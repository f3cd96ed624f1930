"""One recognised table typed record by record of its form: identities and values."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from ingestion.faults import Cells, Faults
from ingestion.findings import Finding, Severity, cell_name
from ingestion.form import Form, FormField
from ingestion.grids import FEW, Grid, SourceCells, grid_of
from ingestion.label_index import LabelIndex, is_number
from ingestion.periods import Span, find_period, read_period, year_of
from ingestion.readers import Table
from ingestion.recognised import Recognised
from ingestion.titles import unit_named
from ingestion.values import NULL_MARKS, Typed, as_text, plain_text, to_type, type_columns

_HEAD = ("subject_ref", "subject_name", "reporter_ref", "period_start", "period_end")


@dataclass(frozen=True)
class Sheet:
    """Typed records of one table.

    ``heads``: place, whose and when each record is, ``source_sheet``; ``rows``: place and the records themselves,
    which lack those that no member could be told of. A finding's report_no is still the place of its record.
    """

    form: Form
    heads: pl.DataFrame
    rows: pl.DataFrame
    positions: pl.DataFrame
    findings: list[Finding]


def read_sheet(
    table: Table,
    found: Recognised,
    index: LabelIndex,
    *,
    file_name: str,
    region_code: str | None,
    reporter: str | None,
) -> Sheet:
    """Type a recognised table; region and reporter are the lane's, for files that name none."""
    faults = Faults(found, table.sheet)
    grid = grid_of(table, found, index)
    faults.unknown_labels([*found.unknown, *grid.unread])
    faults.above_the_labels(_numbers_above(table, found))
    where = _Elsewhere(table, found, file_name)
    frame = grid.frame.hstack([pl.Series("place", range(grid.frame.height), dtype=pl.Int64)])
    if found.choices:
        faults.part_unknown()
        frame = frame.clear()
    bare = frame.is_empty() and not found.choices
    frame = _with_subject(frame, found, where, region_code=region_code, reporter=found.reporter or reporter)
    frame = _with_period(frame, grid, found, where, faults, bare=bare)
    frame = _without_nobody(frame, found, faults)
    rows = _typed(frame, grid, found, faults)
    heads = pl.DataFrame([frame.get_column(name) for name in ("place", *_HEAD)])
    if bare:
        heads = _empty_report(found, where, region_code, reporter, heads)
    first: dict[tuple[object, ...], tuple[int, dt.date]] = {}
    keys = (
        heads.get_column(name).to_list() for name in ("place", "subject_ref", "period_start", "period_end")
    )
    for place, who, start, end in zip(*keys, strict=True):
        first.setdefault((who, start, end), (place, start))
    # Each report that got this far has a subject and a period, wherever they were said.
    faults.header_faults(
        list(first.values()), told={*found.form.subject.identify_by, *found.form.period.fields}
    )
    heads, rows = (
        frame.hstack([_constant("source_sheet", table.sheet, pl.String(), frame.height)])
        for frame in (heads, rows)
    )
    return Sheet(found.form, heads, rows, _positions(table, grid), faults.findings)


def _numbers_above(table: Table, found: Recognised) -> list[int]:
    """Rows above the labels of a table that look like records: a number in most of its columns, or as its value."""
    if found.layout.kind not in ("table", "long"):
        return []
    columns = [found.value] if found.value >= 0 else [spot.column for spot in found.fields]
    return [
        row
        for row, cells in enumerate(table.head[: found.header_row])
        if row >= found.first_row
        and sum(column < len(cells) and is_number(cells[column]) for column in columns) * 2 >= len(columns)
    ]


def _positions(table: Table, grid: Grid) -> pl.DataFrame:
    said = list(zip(*grid.positions, strict=True)) or [(), (), ()]
    return pl.DataFrame(
        [
            _constant("sheet", table.sheet, pl.String(), len(grid.positions)),
            pl.Series("field_code", said[0], dtype=pl.String),
            pl.Series("source_row", said[1], dtype=pl.Int64),
            pl.Series("source_column", said[2], dtype=pl.Int64),
        ]
    )


# Who and when


class _Elsewhere:
    """What the title, the sheet's name and the file's name say of all records, looked up when asked for."""

    def __init__(self, table: Table, found: Recognised, file_name: str) -> None:
        self.period_type = found.form.period.type
        self.titles = [*found.titles, table.sheet] if found.form.period.title else []
        self.names = [file_name] if found.form.period.file_name else []
        self.texts = [*found.titles, table.sheet, file_name]
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


def _cells(frame: pl.DataFrame, found: Recognised, code: str) -> pl.Series | None:
    """A field's cells, or the value that the title gives for all records."""
    if code in frame.columns:
        return frame[code]
    if code in found.title_values:
        return _constant(code, found.title_values[code][0], pl.String(), frame.height)
    return None


def _with_subject(
    frame: pl.DataFrame,
    found: Recognised,
    where: _Elsewhere,
    *,
    region_code: str | None,
    reporter: str | None,
) -> pl.DataFrame:
    subject = found.form.subject
    refs: dict[str, list[object]] = {}
    for code in subject.identify_by:
        cells = _cells(frame, found, code)
        if cells is not None:
            refs[code] = _names_of(cells, found.form.by_code[code])
    if "subject_text" in frame.columns:
        refs[subject.name or subject.identify_by[0]] = frame["subject_text"].to_list()
    default = region_code if subject.from_source and not refs else None
    if default is None and not refs and (name := where.unit()):
        refs[subject.name or subject.identify_by[0]] = [name] * frame.height
    who = next(iter(refs.values()), [])
    if None in who:
        who = [
            next((ref for ref in each if ref is not None), None) for each in zip(*refs.values(), strict=True)
        ]
    names = refs.get(subject.name or "", [None] * frame.height)
    return frame.hstack(
        [
            pl.Series("subject_ref", who if refs else [default] * frame.height, dtype=pl.String),
            pl.Series("subject_name", names, dtype=pl.String),
            pl.Series("reporter_ref", [reporter] * frame.height, dtype=pl.String),
        ]
    )


def _texts_of(cells: pl.Series) -> list[str | None]:
    if cells.dtype != pl.String or len(cells) > FEW:
        return as_text(cells).to_list()
    return [None if text is None or text.strip() in NULL_MARKS else text.strip() for text in cells]


def _names_of(cells: pl.Series, item: FormField) -> list[object]:
    """Codes and names that identify, as text."""
    if cells.dtype != pl.String or len(cells) > FEW:
        return to_type(cells, item, None).values.to_list()
    texts = [None if text is None or text.strip() in NULL_MARKS else text for text in cells]
    return [None if text is None else plain_text(text, item.type) for text in texts]


def _without_nobody(frame: pl.DataFrame, found: Recognised, faults: Faults) -> pl.DataFrame:
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


def _with_period(
    frame: pl.DataFrame, grid: Grid, found: Recognised, where: _Elsewhere, faults: Faults, *, bare: bool
) -> pl.DataFrame:
    """The period of each record: its block's, its column's, else the title's or the file's name."""
    period = found.form.period
    if "block_start" in frame.columns:
        return frame.rename({"block_start": "period_start", "block_end": "period_end"})
    columns = {code: cells for code in period.fields if (cells := _cells(frame, found, code)) is not None}
    if "period_text" in frame.columns:
        columns = {"period_text": frame["period_text"]}
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
    code = next(iter(columns), "")
    rows, marks = grid.cells_of(frame, code)
    told: set[str | None] = set()
    for number, (texts, span) in enumerate(zip(written, chosen, strict=True)):
        if span is not None:
            continue
        row, column = (part[number] if isinstance(part, pl.Series) else part for part in (rows, marks))
        cell = cell_name(row or 1, column or 1)
        if cell in told:
            continue
        told.add(cell)
        text = " ".join(text for text in texts if text)
        if text:
            zh = f"第{row}行的统计期“{text}”（{cell}）看不出是哪一期；{_EXAMPLES[period.type]}"
            en = f"the period {text!r} of row {row} ({cell}) cannot be told"
        else:
            zh = f"第{row}行没有统计期（{cell}）；请补填{faults.names(period.fields)}"
            en = f"row {row} has no period ({cell})"
        rule = "PERIOD_UNREADABLE" if text else "PERIOD_MISSING"
        faults.add(rule, "layout", zh, en, cell=cell, value=text or None)
    return frame.filter(pl.col("period_start").is_not_null())


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


def _tell_contradiction(where: _Elsewhere, faults: Faults) -> None:
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


def _empty_report(
    found: Recognised, where: _Elsewhere, region_code: str | None, reporter: str | None, heads: pl.DataFrame
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


# Values


def _typed(frame: pl.DataFrame, grid: Grid, found: Recognised, faults: Faults) -> pl.DataFrame:
    """The records with their values typed; those of no known member are left out, and told."""
    form = found.form
    present = [
        (item, cells) for item in form.columns if (cells := _cells(frame, found, item.code)) is not None
    ]
    # What stands across was told from its headings already.
    across = found.layout.across
    read = iter(
        type_columns([(cells, item) for item, cells in present if item.code not in across], form.code_lists)
    )
    typed = [_known(cells) if item.code in across else next(read) for item, cells in present]
    names = _namer(found, {item.code: one.values for (item, _), one in zip(present, typed, strict=True)})
    values: dict[str, pl.Series] = {}
    reasons: dict[str, pl.Series] = {}
    untyped: dict[str, pl.Series] = {}
    members: list[tuple[FormField, Typed, Cells]] = []
    for (item, raw), one in zip(present, typed, strict=True):
        at = _at(frame, grid, found, item.code)
        plain, why = _special(form, item, one.values)
        values[item.code] = plain.alias(item.code)
        if why is not None:
            reasons[item.code] = why
        spots = Cells(frame["place"], at, names if item.role != "breakdown" else lambda _: None)
        if item.role == "breakdown":
            members.append((item, one, spots))
        elif one.faulty:
            severity: Severity = (
                "soft" if item.role == "attribute" and item.type not in ("int", "dec") else "hard"
            )
            faults.cell_faults(item, one.faults, spots, severity=severity)
            untyped[item.code] = one.faults
        if one.notes is not None:
            faults.notes(item, one.notes, raw, spots)
        faults.negatives(item, plain, spots)
    numbers = [one for (item, _), one in zip(present, typed, strict=True) if item.role == "measure"]
    placed = _placed(members, numbers, frame.height, faults)
    rows = pl.DataFrame(
        [
            frame["place"],
            *(
                values[f.code] if f.code in values else _constant(f.code, None, f.dtype, frame.height)
                for f in form.columns
            ),
            _as_json("null_reasons", reasons, frame.height),
            _as_json("faults", untyped, frame.height),
            frame["source_row"],
            frame["source_column"],
        ]
    )
    return rows if placed is None else rows.filter(placed)


def _known(codes: pl.Series) -> Typed:
    return Typed(codes, _constant(codes.name, None, pl.String(), len(codes)))


def _at(frame: pl.DataFrame, grid: Grid, found: Recognised, code: str) -> SourceCells:
    if code not in frame.columns and code in found.title_values:
        return found.title_values[code][1:]
    return grid.cells_of(frame, code)


def _placed(
    members: list[tuple[FormField, Typed, Cells]], numbers: list[Typed], height: int, faults: Faults
) -> pl.Series | None:
    """Which records belong to a member; numbers that belong to none hold up their report."""
    unknown = [one for _, one, _ in members if one.values.null_count()]
    if not unknown:
        return None
    filled = _constant("filled", value=False, dtype=pl.Boolean(), height=height)
    for number in numbers:
        filled = filled | number.values.is_not_null() | number.faults.is_not_null()
    placed = filled | ~filled
    for item, one, cells in members:
        if one.faulty:
            told = one.faults.is_not_null()
            faults.cell_faults(item, one.faults.set(~(told & filled), None), cells, severity="hard")
            faults.cell_faults(item, one.faults.set(~(told & ~filled), None), cells, severity="soft")
        blank = one.values.is_null() & one.faults.is_null() & filled
        faults.nameless(item, blank.arg_true().to_list(), cells)
        placed = placed & one.values.is_not_null()
    return placed


def _namer(found: Recognised, values: dict[str, pl.Series]) -> Callable[[int], tuple[str, str] | None]:
    """What a record's members are, by code and as printed, where the columns stand for them."""
    breakdowns = [item for item in found.form.breakdowns if item.code in values]
    if found.layout.kind != "wide" or not breakdowns:
        return lambda _: None

    def name(number: int) -> tuple[str, str] | None:
        codes, labels = [], []
        for item in breakdowns:
            code = values[item.code][number]
            listed = found.form.code_lists.get(item.code_list or "")
            codes.append(str(code))
            if code is not None and item.code in found.layout.across:
                labels.append(listed.by_code[code].labels[0] if listed else str(code))
        return "/".join(codes), "".join(labels)

    return name


def _special(form: Form, item: FormField, values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Codes such as -2 become null with their reason."""
    if item.role != "measure" or not form.special_values:
        return values, None
    codes = {float(code): reason for code, reason in form.special_values.items()}
    lowest, highest = values.min(), values.max()
    if not isinstance(lowest, int | float) or not isinstance(highest, int | float):
        return values, None
    if lowest > max(codes) or highest < min(codes):
        return values, None
    numbers = values.cast(pl.Float64)
    hit = numbers.is_in(list(codes)).fill_null(value=False)
    if not hit.any():
        return values, None
    return values.set(hit, None), numbers.replace_strict(codes, default=None, return_dtype=pl.String)


def _constant(name: str, value: object, dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, height)


def _as_json(name: str, texts: dict[str, pl.Series], height: int) -> pl.Series:
    """Text by field as one JSON object a record; null where there is none."""
    if not texts:
        return _constant(name, None, pl.String(), height)
    frame = pl.DataFrame([series.alias(code) for code, series in sorted(texts.items())])
    pairs = [
        pl.concat_str(pl.lit(f'"{code}":"'), pl.col(code).str.replace_all(r'(["\\])', r"\$1"), pl.lit('"'))
        for code in frame.columns
    ]
    joined = pl.concat_str(pairs, separator=",", ignore_nulls=True)
    whole = pl.concat_str(pl.lit("{"), joined, pl.lit("}"))
    return frame.select(pl.when(joined != "").then(whole).alias(name)).to_series()
