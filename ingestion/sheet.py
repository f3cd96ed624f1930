"""One recognised table typed row by row of its form: identities and values."""

from dataclasses import dataclass

import polars as pl

from ingestion.faults import Faults
from ingestion.findings import Finding, cell_name
from ingestion.form import CodeList, Form, FormField
from ingestion.layout import Column, Recognised
from ingestion.periods import find_period, read_period
from ingestion.readers import Table
from ingestion.values import as_text, to_type

# How rows below the table begin, and what stands in the name column of a row that only adds up.
_FOOTER = (
    r"^\s*(?:填\s*表|制\s*表|审\s*核|复\s*核|统计负责|单位负责|负责人|联系|填报|报出|报送"
    r"|备\s*注|注\s*[:：1]|说\s*明)"
)
_TOTAL_ROW = r"^(?:合\s*计|总\s*计|小\s*计|.{0,6}(?:合计|总计|小计))$"
_ORDINALS = set("甲乙丙丁戊己")

_IDENTITY = ("subject_ref", "subject_name", "reporter_ref", "period_start", "period_end", "source_row")


@dataclass(frozen=True)
class Sheet:
    """Typed rows of one table; a finding's report_no is still the row it stands in."""

    form: Form
    rows: pl.DataFrame
    positions: pl.DataFrame
    findings: list[Finding]


def read_sheet(
    table: Table, found: Recognised, *, file_name: str, region_code: str | None, reporter: str | None
) -> Sheet:
    """Type a recognised table; region and reporter are the lane's, for files that name none."""
    faults = Faults(found, table.sheet)
    faults.unknown_columns()
    body = _body(table, found)
    body = _with_subject(body, found, region_code, found.reporter or reporter)
    body = _with_period(body, found, [table.sheet], file_name, faults)
    body = _without_nobody(body, found, faults)
    rows = _wide(body, found, faults) if found.layout.kind == "wide" else _long(body, found, faults)
    rows = rows.with_columns(pl.lit(table.sheet).alias("source_sheet")).select(
        *_IDENTITY[:-1],
        *(f.code for f in found.form.columns),
        "null_reasons",
        "faults",
        "source_sheet",
        pl.col("source_row", "source_column").cast(pl.Int64),
    )
    first_rows = rows.unique(["subject_ref", "period_start"], keep="first", maintain_order=True)["source_row"]
    faults.header_faults(first_rows.to_list())
    positions = pl.DataFrame(
        [(table.sheet, c.code, None, c.index + 1) for c in found.fields],
        schema={
            "sheet": pl.String,
            "field_code": pl.String,
            "source_row": pl.Int64,
            "source_column": pl.Int64,
        },
        orient="row",
    )
    return Sheet(found.form, rows, positions, faults.findings)


def _body(table: Table, found: Recognised) -> pl.DataFrame:
    """Rows that are records, with their spreadsheet row; totals, column numbers and signatures left out."""
    first = found.header_row + 1
    frame = table.rows_below(first)
    frame = frame.with_columns(
        pl.int_range(first + 1, first + 1 + pl.len(), dtype=pl.Int64).alias("source_row")
    )
    known = [f"c{c.index}" for c in (*found.fields, *found.members)]
    frame = frame.filter(~pl.all_horizontal(pl.col(known).is_null()))
    if frame.height and _is_numbering(frame.select(known).row(0)):
        frame = frame.slice(1)
    texts = [name for name in known if frame.schema[name] == pl.String]
    if not texts or frame.is_empty():
        return frame
    drop = pl.coalesce(texts).str.contains(_FOOTER).fill_null(value=False)
    for column in found.fields:
        name = f"c{column.index}"
        if found.form.by_code[column.code].role == "identity" and name in texts:
            drop = drop | pl.col(name).str.strip_chars().str.contains(_TOTAL_ROW).fill_null(value=False)
    return frame.filter(~drop)


def _is_numbering(row: tuple[object, ...]) -> bool:
    """Whether a row only numbers the columns: 甲 乙 1 2 3."""
    texts = [
        str(int(v)) if isinstance(v, float) and v == int(v) else str(v).strip() for v in row if v is not None
    ]
    numbers = [int(text) for text in texts if text.isdecimal()]
    if len(texts) < 3 or len(numbers) < 2 or not 1 <= numbers[0] <= 2:
        return False
    in_order = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return in_order and all(text in _ORDINALS for text in texts if not text.isdecimal())


# Who and when


def _column(found: Recognised, code: str) -> Column | None:
    return next((c for c in found.fields if c.code == code), None)


def _cells(body: pl.DataFrame, found: Recognised, code: str) -> pl.Series | None:
    """A field's cells, or the value that the title gives for all rows."""
    column = _column(found, code)
    if column is not None:
        return body[f"c{column.index}"].alias(code)
    if code in found.title_values:
        return _constant(code, found.title_values[code][0], pl.String(), body.height)
    return None


def _with_subject(
    body: pl.DataFrame, found: Recognised, region_code: str | None, reporter: str | None
) -> pl.DataFrame:
    subject = found.form.subject
    refs = []
    for code in subject.identify_by:
        cells = _cells(body, found, code)
        if cells is not None:
            refs.append(to_type(cells, found.form.by_code[code], None).values.alias(f"id.{code}"))
    default = region_code if subject.from_source and not refs else None
    name = f"id.{subject.name}"
    named = any(ref.name == name for ref in refs)
    return body.with_columns(refs).with_columns(
        pl.coalesce([*(pl.col(ref.name) for ref in refs), pl.lit(default, dtype=pl.String)]).alias(
            "subject_ref"
        ),
        (pl.col(name) if named else pl.lit(None, dtype=pl.String)).alias("subject_name"),
        pl.lit(reporter, dtype=pl.String).alias("reporter_ref"),
    )


def _without_nobody(body: pl.DataFrame, found: Recognised, faults: Faults) -> pl.DataFrame:
    """Rows that say whom they are about; the others become findings."""
    nobody = body["subject_ref"].is_null()
    for row in body.filter(nobody)["source_row"]:
        faults.add(
            "SUBJECT_MISSING",
            "layout",
            f"第{row}行没有填写{faults.names(found.form.subject.identify_by)}，不知道是哪个单位（地区）的数；请补填",
            f"row {row} does not say whom it is about; fill in the unit or region",
            cell=cell_name(row, 1),
        )
    return body.filter(~nobody)


def _with_period(
    body: pl.DataFrame, found: Recognised, more_titles: list[str], file_name: str, faults: Faults
) -> pl.DataFrame:
    """The period of each row: from its column, else from the title or the file's name."""
    period = found.form.period
    candidates = (_cells(body, found, code) for code in period.fields)
    cells = next((series for series in candidates if series is not None), None)
    elsewhere = find_period([*found.titles, *more_titles], period.type) if period.title else None
    if elsewhere is None and period.file_name:
        elsewhere = find_period([file_name], period.type)
    if cells is None and elsewhere is None:
        faults.add(
            "PERIOD_MISSING",
            "layout",
            f"表中没有统计期，表头和文件名中也没有；请填写{faults.names(period.fields)}",
            "neither a column nor the title says which period the table is for",
            cell=cell_name(faults.header, 1),
        )
        body = body.clear()
    written = _constant("period_text", None, pl.String(), body.height) if cells is None else as_text(cells)
    spans = {text: read_period(text, period.type) for text in written.drop_nulls().unique()}
    starts = {text: span.start for text, span in spans.items() if span}
    ends = {text: span.end for text, span in spans.items() if span}
    blank = pl.col("period_text").is_null()
    body = body.with_columns(written.alias("period_text")).with_columns(
        pl.when(blank)
        .then(pl.lit(elsewhere.start if elsewhere else None, dtype=pl.Date))
        .otherwise(pl.col("period_text").replace_strict(starts, default=None, return_dtype=pl.Date))
        .alias("period_start"),
        pl.when(blank)
        .then(pl.lit(elsewhere.end if elsewhere else None, dtype=pl.Date))
        .otherwise(pl.col("period_text").replace_strict(ends, default=None, return_dtype=pl.Date))
        .alias("period_end"),
    )
    timeless = body["period_start"].is_null()
    column = next(filter(None, (_column(found, code) for code in period.fields)), None)
    for row, text in body.filter(timeless).select("source_row", "period_text").iter_rows():
        cell = cell_name(row, column.index + 1 if column else 1)
        if text:
            zh = f"第{row}行的统计期“{text}”（{cell}）看不出是哪一期；月份请写成2015-10或2015年10月"
            en = f"the period {text!r} of row {row} ({cell}) cannot be told; write 2015-10"
        else:
            zh = f"第{row}行没有统计期（{cell}）；请补填{faults.names(period.fields)}"
            en = f"row {row} has no period ({cell})"
        faults.add("PERIOD_UNREADABLE" if text else "PERIOD_MISSING", "layout", zh, en, cell=cell, value=text)
    return body.filter(~timeless)


# Values


def _long(body: pl.DataFrame, found: Recognised, faults: Faults) -> pl.DataFrame:
    """A row per record."""
    form = found.form
    columns: list[pl.Series] = []
    reasons: dict[str, pl.Series] = {}
    untyped: dict[str, pl.Series] = {}
    unplaced = _constant("unplaced", value=False, dtype=pl.Boolean(), height=body.height)
    filled = unplaced
    nameless: dict[str, pl.Series] = {}
    for item in form.columns:
        cells = _cells(body, found, item.code)
        if cells is None:
            columns.append(_constant(item.code, None, item.dtype, body.height))
            continue
        typed = to_type(cells, item, _codes(form, item))
        values, why = _special(form, item, typed.values)
        if why is not None:
            reasons[item.code] = why
        column = _column(found, item.code)
        number = column.index + 1 if column else None
        if typed.faults.is_not_null().any():
            faults.cell_faults(item, typed.faults, body["source_row"], number)
            if item.role != "breakdown":
                untyped[item.code] = typed.faults
        faults.negatives(item, values, body["source_row"], number)
        if item.role == "breakdown":
            # A row of no known member cannot be placed; its finding says so.
            unplaced = unplaced | values.is_null()
            nameless[item.code] = values.is_null() & typed.faults.is_null()
        elif item.role == "measure":
            filled = filled | values.is_not_null()
        columns.append(values.alias(item.code))
    for code, blank in nameless.items():
        faults.nameless(form.by_code[code], body["source_row"].filter(blank & filled), _column(found, code))
    rows = body.select(_IDENTITY).with_columns(
        *columns,
        _as_json("null_reasons", reasons, body.height),
        _as_json("faults", untyped, body.height),
        pl.lit(None, dtype=pl.Int64).alias("source_column"),
    )
    return rows.filter(~unplaced)


def _wide(body: pl.DataFrame, found: Recognised, faults: Faults) -> pl.DataFrame:
    """A row per report and a column per member, unfolded to a row per member."""
    form, layout, part = found.form, found.layout, found.part
    if layout.parts and part is None:
        choices = [form.by_code[p.measure].name_zh for p in layout.parts]
        faults.add(
            "PART_UNKNOWN",
            "layout",
            f"看不出本表是{'还是'.join(choices)}；请在标题或文件名中写明",
            f"neither title nor file name says which measure the table holds: {' or '.join(choices)}",
        )
        body = body.clear()
    measure = form.by_code[part.measure if part else layout.measure or layout.parts[0].measure]
    across = layout.across[0]
    members = {f"c{m.index}": m for m in found.members}
    keep = body.select(_IDENTITY)
    for item in form.columns:
        if item.role == "attribute":
            cells = _cells(body, found, item.code)
            values = None if cells is None else to_type(cells, item, _codes(form, item)).values
            keep = keep.with_columns(
                _constant(item.code, None, item.dtype, body.height)
                if values is None
                else values.alias(item.code)
            )
    grid = body.select(list(members))
    if not all(dtype.is_numeric() for dtype in grid.dtypes):
        grid = grid.select(as_text(column) for column in grid)
    cells_long = pl.concat([keep, grid], how="horizontal").unpivot(
        on=list(members), index=keep.columns, variable_name="place", value_name="cell"
    )
    typed = to_type(cells_long["cell"], measure, None)
    numbers, why = _special(form, measure, typed.values)
    faulty = {measure.code: typed.faults} if typed.faults.is_not_null().any() else {}
    rows = cells_long.with_columns(
        pl.col("place")
        .replace_strict({n: m.code for n, m in members.items()}, return_dtype=pl.String)
        .alias(across),
        pl.col("place")
        .replace_strict({n: m.index + 1 for n, m in members.items()}, return_dtype=pl.Int64)
        .alias("source_column"),
        numbers.alias(measure.code),
        _as_json("null_reasons", {} if why is None else {measure.code: why}, len(numbers)),
        _as_json("faults", faulty, len(numbers)),
    )
    if faulty:
        faults.cell_faults(measure, typed.faults, rows["source_row"], rows["source_column"], rows[across])
    faults.negatives(measure, numbers, rows["source_row"], rows["source_column"], rows[across])
    absent = [f for f in form.columns if f.code not in rows.columns]
    rows = rows.with_columns(pl.lit(None, dtype=f.dtype).alias(f.code) for f in absent)
    # Blank cells are left out, but a wholly blank row still is a report, so one of its members stays.
    blank = pl.all_horizontal(pl.col(measure.code, "null_reasons", "faults").is_null())
    first = pl.col("source_column") == pl.col("source_column").min().over("source_row")
    return rows.filter(~blank | (blank.all().over("source_row") & first)).sort("source_row", "source_column")


def _codes(form: Form, item: FormField) -> CodeList | None:
    return form.code_lists[item.code_list] if item.code_list else None


def _special(form: Form, item: FormField, values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Codes such as -2 become null with their reason."""
    if item.role != "measure" or not form.special_values:
        return values, None
    codes = {float(code): reason for code, reason in form.special_values.items()}
    numbers = values.cast(pl.Float64)
    hit = numbers.is_in(list(codes)).fill_null(value=False)
    if not hit.any():
        return values, None
    return values.set(hit, None), numbers.replace_strict(codes, default=None, return_dtype=pl.String)


def _constant(name: str, value: object, dtype: pl.DataType, height: int) -> pl.Series:
    return pl.Series(name, [value], dtype=dtype).new_from_index(0, height)


def _as_json(name: str, texts: dict[str, pl.Series], height: int) -> pl.Series:
    """Text by field as one JSON object a row; null where there is none."""
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
