"""One recognised table typed record by record of its form: identities and values."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from ingestion.faults import Cells, Faults
from ingestion.findings import Finding, Severity
from ingestion.form import Form, FormField
from ingestion.grids import FEW, Grid, SourceCells, grid_of, is_numbering
from ingestion.heads import (
    Elsewhere,
    cells_of,
    constant,
    empty_report,
    with_period,
    with_subject,
    without_nobody,
)
from ingestion.label_index import LabelIndex, is_number
from ingestion.masking import masked
from ingestion.readers import Table
from ingestion.readers.cells import days_since_1904
from ingestion.recognised import Recognised
from ingestion.shifted import rows_too_long
from ingestion.unread import kept_numbers
from ingestion.values import Typed, type_columns

_IDENTITY = ("subject_ref", "period_start", "period_end")
_ABOVE = (
    "但在表头之上，未读取；请移到表头之下",
    "but stands above the labels and was not read; move it below",
)
_LIKE_SIGNATURE = (
    "但开头的文字像填表人、注释等表外内容，未读取；如是数据请改正开头的文字，如不是请删去数字",
    "but begins like a signature or a remark and was not read; correct its beginning, or delete its numbers",
)
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
    faults.unknown_labels(
        [*found.unknown, *grid.unread], kept=lambda spot: kept_numbers(table, found, grid, spot)
    )
    faults.columns_left_out(found.left_out)
    faults.rows_left_out("ROW_ABOVE_LABELS", _numbers_above(table, found), *_ABOVE)
    faults.units_of_records(grid.units)
    faults.rows_left_out("ROW_LIKE_SIGNATURE", grid.doubtful, *_LIKE_SIGNATURE)
    where = Elsewhere(table, found, file_name)
    cells = _in_days(grid.frame, found) if found.since_1904 else grid.frame
    frame = cells.hstack([pl.Series("place", range(cells.height), dtype=pl.Int64)])
    if found.choices:
        faults.part_unknown()
        frame = frame.clear()
    bare = frame.is_empty() and not found.choices
    frame = with_subject(frame, found, where, region_code=region_code, reporter=found.reporter or reporter)
    frame = with_period(frame, grid, found, where, faults)
    frame = without_nobody(frame, found, faults)
    faults.too_long(_of_rows(frame, found, rows_too_long(table, found)))
    rows = _typed(frame, grid, found, faults)
    heads = pl.DataFrame([frame.get_column(name) for name in ("place", *_HEAD)])
    if bare:
        heads = empty_report(found, where, region_code, reporter, heads)
    # Each report that got this far has a subject and a period, wherever they were said.
    faults.header_faults(
        _first_places(heads), told={*found.form.subject.identify_by, *found.form.period.fields}
    )
    heads, rows = (
        frame.hstack([constant("source_sheet", table.sheet, pl.String(), frame.height)])
        for frame in (heads, rows)
    )
    return Sheet(found.form, heads, rows, _positions(table, grid), faults.findings)


def _in_days(frame: pl.DataFrame, found: Recognised) -> pl.DataFrame:
    """The records with days where a workbook that counts from 1904 has mere numbers."""
    named = {*found.form.days, "period_text"}
    return pl.DataFrame([days_since_1904(one) if one.name in named else one for one in frame.get_columns()])


def _first_places(heads: pl.DataFrame) -> list[tuple[int, dt.date]]:
    """Place of the first record of each report, and the report's first day."""
    if heads.height > FEW:
        heads = heads.unique(_IDENTITY, keep="first", maintain_order=True)
    first: dict[tuple[object, ...], tuple[int, dt.date]] = {}
    for place, *identity in zip(
        *(heads.get_column(name).to_list() for name in ("place", *_IDENTITY)), strict=True
    ):
        first.setdefault(tuple(identity), (place, identity[1]))
    return list(first.values())


def _of_rows(frame: pl.DataFrame, found: Recognised, rows: list[int]) -> list[tuple[int, int]]:
    """For some rows (from 1) the place of the first record of each report that has a number there, with the row."""
    if not rows or frame.is_empty():
        return []
    if found.layout.kind in ("transposed", "sheet"):
        return [(place, row) for row in rows for place in frame["place"]]
    own = [name for name in frame.columns if name.startswith("row:")] if found.layout.kind == "long" else []
    pieces = [frame.select(pl.col(name).alias("row"), "place", *_IDENTITY) for name in own or ["source_row"]]
    mine = pl.concat(pieces).filter(pl.col("row").is_in(rows)).sort("row", "place")
    return mine.unique(["row", *_IDENTITY], keep="first", maintain_order=True).select("place", "row").rows()


def _numbers_above(table: Table, found: Recognised) -> list[int]:
    """Rows (from 1) above the labels that look like records: a number in most of the columns, or as its value."""
    if found.layout.kind not in ("table", "wide", "long"):
        return []
    columns = [found.value] if found.value >= 0 else [spot.column for spot in (*found.fields, *found.blocks)]
    return [
        row + 1
        for row, cells in enumerate(table.head[: found.header_row])
        if row >= found.first_row
        and not is_numbering(tuple(cell or None for cell in cells))
        and sum(column < len(cells) and is_number(cells[column]) for column in columns) * 2 >= len(columns)
    ]


def _positions(table: Table, grid: Grid) -> pl.DataFrame:
    said = list(zip(*grid.positions, strict=True)) or [(), (), ()]
    return pl.DataFrame(
        [
            constant("sheet", table.sheet, pl.String(), len(grid.positions)),
            pl.Series("field_code", said[0], dtype=pl.String),
            pl.Series("source_row", said[1], dtype=pl.Int64),
            pl.Series("source_column", said[2], dtype=pl.Int64),
        ]
    )


def _typed(frame: pl.DataFrame, grid: Grid, found: Recognised, faults: Faults) -> pl.DataFrame:
    """The records with their values typed; those of no known member are left out, and told."""
    form = found.form
    present = [
        (item, cells) for item in form.columns if (cells := cells_of(frame, found, item.code)) is not None
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
        if item.role == "attribute" and item.type == "text":
            values[item.code] = _without_persons(item, values[item.code], spots, faults)
    numbers = [one for (item, _), one in zip(present, typed, strict=True) if item.role == "measure"]
    placed = _placed(members, numbers, frame.height, faults)
    rows = pl.DataFrame(
        [
            frame["place"],
            *(
                values[f.code] if f.code in values else constant(f.code, None, f.dtype, frame.height)
                for f in form.columns
            ),
            _as_json("null_reasons", reasons, frame.height),
            _as_json("faults", untyped, frame.height),
            frame["source_row"],
            frame["source_column"],
        ]
    )
    return rows if placed is None else rows.filter(placed)


def _without_persons(item: FormField, texts: pl.Series, cells: Cells, faults: Faults) -> pl.Series:
    """Remarks without what says who somebody is, each such cell told."""
    different = texts.drop_nulls().unique()
    changed = {text: shown for text in different if (shown := masked(text)) is not text}
    if not changed:
        return texts
    faults.persons(item, texts.is_in(list(changed)).fill_null(value=False), cells)
    return texts.replace(changed)


def _known(codes: pl.Series) -> Typed:
    return Typed(codes, constant(codes.name, None, pl.String(), len(codes)))


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
    filled = constant("filled", value=False, dtype=pl.Boolean(), height=height)
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


def _as_json(name: str, texts: dict[str, pl.Series], height: int) -> pl.Series:
    """Text by field as one JSON object a record; null where there is none."""
    if not texts:
        return constant(name, None, pl.String(), height)
    frame = pl.DataFrame([series.alias(code) for code, series in sorted(texts.items())])
    pairs = [
        pl.concat_str(pl.lit(f'"{code}":"'), pl.col(code).str.replace_all(r'(["\\])', r"\$1"), pl.lit('"'))
        for code in frame.columns
    ]
    joined = pl.concat_str(pairs, separator=",", ignore_nulls=True)
    whole = pl.concat_str(pl.lit("{"), joined, pl.lit("}"))
    return frame.select(pl.when(joined != "").then(whole).alias(name)).to_series()
