"""A recognised table as records: one row each with the raw cells of its fields, whatever the layout was.

Every record knows its cells. A table's record has a row of its own and its fields have columns; a transposed one
has a column and its fields have rows; a wide or long one begins at a cell from which its fields lie at fixed
distances; the one record of a sheet has cells in no order.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ingestion.label_index import LabelIndex
from ingestion.labels import is_total
from ingestion.readers import Table
from ingestion.readers.table import number_text
from ingestion.recognised import Recognised, Spot

# How rows below the table begin.
FOOTER = re.compile(
    r"^\s*(?:填\s*表|制\s*表|审\s*核|复\s*核|统计负责|单位负责|单位\s*[(（]盖章|负责人|联系|填报|报出|报送"
    r"|备\s*注|注\s*[:：1]|说\s*明)"
)
_TOTAL_ROW = re.compile(r"(?:合\s*计|总\s*计|小\s*计|.{0,6}(?:合计|总计|小计))")
_ORDINALS = set("甲乙丙丁戊己")
_SUM = re.compile(r"[合总小累共]\s*计|总数|全部")
# Up to so many rows are looked at one by one.
FEW = 64
_ROW, _COLUMN = "row:", "column:"

SourceCells = tuple[pl.Series | int | None, pl.Series | int | None]


@dataclass(frozen=True)
class Grid:
    """Records of a table.

    ``frame``: a column of raw cells per field, ``source_row`` and ``source_column`` (1-based, null where records
    have none), ``period_text`` where the layout says the period elsewhere than in a field, ``subject_text``
    likewise, and for fields without a fixed place ``row:<code>`` and ``column:<code>``. ``places``: the fixed row
    and column of a field, None where the record's own holds. ``positions``: field, row and column that are kept with
    the records; where a record has the like itself, they are the distance from it. ``unread``: labels below the
    header that are none of the form's, beside a value.
    """

    frame: pl.DataFrame
    places: dict[str, tuple[int | None, int | None]]
    positions: Sequence[tuple[str, int | None, int | None]] = ()
    unread: Sequence[Spot] = ()

    @cached_property
    def scattered(self) -> set[str]:
        """Fields whose rows and columns stand in the frame."""
        return {name.removeprefix(_ROW) for name in self.frame.columns if name.startswith(_ROW)}

    def cells_of(self, frame: pl.DataFrame, code: str) -> SourceCells:
        """Rows and columns (1-based) of a field in some of the grid's records; None where nobody knows."""
        if code in self.scattered:
            return frame[_ROW + code], frame[_COLUMN + code]
        row, column = self.places.get(code, (None, None))
        return frame["source_row"] if row is None else row, frame[
            "source_column"
        ] if column is None else column


def grid_of(table: Table, found: Recognised, index: LabelIndex) -> Grid:
    """The records of a recognised table."""
    if found.layout.kind == "long":
        return _long(table, found, index)
    makers = {"table": _table, "wide": _wide, "transposed": _transposed, "sheet": _sheet}
    return makers[found.layout.kind](table, found)


# A row per record


def _body(table: Table, found: Recognised) -> pl.DataFrame:
    """Rows that are records, with their spreadsheet row; totals, column numbers and signatures left out."""
    first = found.header_row + 1
    frame = table.rows_below(first)
    if found.end_row is not None:
        frame = frame.head(max(found.end_row - first, 0))
    spots: list[Spot] = [*found.fields, *found.blocks]
    known = [f"c{spot.column}" for spot in spots if spot.column < frame.width]
    # Frames are put together from columns: an expression costs a small file more than the rest of its reading.
    rows = pl.Series("source_row", range(first + 1, first + 1 + frame.height), dtype=pl.Int64)
    frame = pl.DataFrame([*(frame.get_column(name) for name in known), rows])
    texts = [name for name in known if frame.get_column(name).dtype == pl.String]
    labels = {f"c{spot.column}": spot.label for spot in spots}
    sums = _names_of_sums(frame, found, texts)
    keep = _keep_few if frame.height <= FEW else _keep_many
    kept = keep(frame, known, texts, labels, sums)
    if not kept.all():
        frame = frame.filter(kept)
    if frame.height and is_numbering(tuple(frame.get_column(name)[0] for name in known)):
        frame = frame.slice(1)
    return frame


def _names_of_sums(frame: pl.DataFrame, found: Recognised, texts: list[str]) -> dict[str, set[str]]:
    """By column of a unit or a member the texts that only add up the others."""
    sums: dict[str, set[str]] = {}
    for column in found.fields:
        name, item = f"c{column.column}", found.form.by_code[column.code]
        if name in texts and item.role in ("identity", "breakdown"):
            codes = found.form.code_lists.get(item.code_list or "")
            cells = frame.get_column(name)
            if frame.height > FEW:
                cells = cells.filter(cells.str.contains(_SUM.pattern).fill_null(value=False)).unique()
            different = set(cells.to_list())
            sums[name] = {
                text
                for text in different
                if text
                and _SUM.search(text)
                and (_TOTAL_ROW.fullmatch(text.strip()) if item.role == "identity" else is_total(text))
                and not (codes and codes.code_of(text))
            }
    return sums


def _keep_many(
    frame: pl.DataFrame, known: list[str], texts: list[str], labels: dict[str, str], sums: dict[str, set[str]]
) -> pl.Series:
    """Which rows are records, told over whole columns."""
    keep = ~pl.all_horizontal(pl.col(known).is_null())
    if texts:
        keep = keep & ~pl.coalesce(texts).str.contains(FOOTER.pattern).fill_null(value=False)
        again = pl.sum_horizontal(
            (pl.col(name).str.strip_chars() == labels[name]).fill_null(value=False).cast(pl.Int32)
            for name in texts
        )
        keep = keep & (again < 2)
    for name, names in sums.items():
        if names:
            keep = keep & ~pl.col(name).is_in(list(names)).fill_null(value=False)
    return frame.select(keep.alias("keep")).to_series()


def _keep_few(
    frame: pl.DataFrame, known: list[str], texts: list[str], labels: dict[str, str], sums: dict[str, set[str]]
) -> pl.Series:
    """The same for a few rows, which whole columns are too much machinery for."""
    columns = {name: frame[name].to_list() for name in known}
    keep = []
    for row in range(frame.height):
        first = next((text for name in texts if (text := columns[name][row]) is not None), None)
        keep.append(
            any(columns[name][row] is not None for name in known)
            and not (first is not None and FOOTER.match(first))
            and sum(
                columns[name][row] is not None and columns[name][row].strip() == labels[name]
                for name in texts
            )
            < 2
            and not any(columns[name][row] in names for name, names in sums.items())
        )
    return pl.Series("keep", keep, dtype=pl.Boolean)


def is_numbering(row: tuple[object, ...]) -> bool:
    """Whether a row only numbers the columns: 甲 乙 1 2 3."""
    texts = [
        str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip()
        for v in row
        if v is not None
    ]
    numbers = [int(text) for text in texts if text.isdecimal()]
    if len(texts) < 3 or len(numbers) < 2 or not 1 <= numbers[0] <= 2:
        return False
    in_order = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return in_order and all(text in _ORDINALS for text in texts if not text.isdecimal())


def _table(table: Table, found: Recognised) -> Grid:
    body = _body(table, found)
    width = set(body.columns)
    columns = [body.get_column(f"c{c.column}").alias(c.code) for c in found.fields if f"c{c.column}" in width]
    none = pl.Series("source_column", [None], dtype=pl.Int64).new_from_index(0, body.height)
    frame = pl.DataFrame([*columns, body.get_column("source_row"), none])
    return Grid(
        frame,
        {c.code: (None, c.column + 1) for c in found.fields},
        [(c.code, None, c.column + 1) for c in found.fields],
    )


# A column per member


def _wide(table: Table, found: Recognised) -> Grid:
    """Each row unfolded to a record per member and period, with a column per measure."""
    body = _body(table, found)
    fields = {f"c{c.column}": c.code for c in found.fields if f"c{c.column}" in body.columns}
    keep = pl.DataFrame([*(body[name].alias(code) for name, code in fields.items()), body["source_row"]])
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, block in enumerate(found.blocks):
        groups.setdefault((block.members, block.period), []).append(number)
    measures = sorted({block.measure for block in found.blocks})
    texts = not all(
        body.schema[f"c{block.column}"].is_numeric()
        for block in found.blocks
        if f"c{block.column}" in body.columns
    )
    kind = pl.String() if texts else pl.Float64()
    pieces = []
    for numbers in groups.values():
        blocks = [found.blocks[number] for number in numbers]
        start = min(block.column for block in blocks)
        own = {block.measure: block for block in blocks}
        pieces.append(
            keep.with_columns(
                *(pl.lit(code).alias(across) for across, code in blocks[0].members),
                *(
                    _cell(body, own[m].column, kind).alias(m)
                    if m in own
                    else pl.lit(None, dtype=kind).alias(m)
                    for m in measures
                ),
                pl.lit(start + 1, dtype=pl.Int64).alias("source_column"),
                *(
                    pl.lit(own[m].column + 1 if m in own else None, dtype=pl.Int64).alias(_COLUMN + m)
                    for m in measures
                ),
                *(pl.lit(value, dtype=pl.Date).alias(name) for name, value in _spanned(blocks[0].period)),
            )
        )
    if not pieces:
        empty = keep.clear().with_columns(pl.lit(None, dtype=pl.Int64).alias("source_column"))
        return Grid(empty, {c.code: (None, c.column + 1) for c in found.fields})
    frame = pl.concat(pieces).with_columns(pl.col("source_row").alias(_ROW + m) for m in measures)
    frame = _without_blank_blocks(frame, measures, by_period=found.blocks[0].period is not None)
    offsets = {
        (block.measure, block.column - min(found.blocks[n].column for n in numbers))
        for numbers in groups.values()
        for block in (found.blocks[n] for n in numbers)
    }
    regular = len(offsets) == len(measures)
    positions = [(measure, None, offset) for measure, offset in sorted(offsets) if offset] if regular else []
    return Grid(frame, {c.code: (None, c.column + 1) for c in found.fields}, positions)


def _cell(body: pl.DataFrame, column: int, kind: pl.DataType) -> pl.Series:
    name = f"c{column}"
    if name not in body.columns:
        return pl.Series(name, [None], dtype=kind).new_from_index(0, body.height)
    series = body[name]
    if kind == pl.String and series.dtype.is_numeric():
        return as_cells(series)
    return series.cast(kind)


def _spanned(period: object) -> list[tuple[str, object]]:
    if period is None:
        return []
    return [("block_start", period.start), ("block_end", period.end)]  # type: ignore[attr-defined]


def _without_blank_blocks(frame: pl.DataFrame, measures: Sequence[str], *, by_period: bool) -> pl.DataFrame:
    """Records with a number; a row without any keeps its first, for it still is a report.

    A month's column of a template for a year that is yet to come is no report, so there blank ones go.
    """
    filled = ~pl.all_horizontal(pl.col(measures).is_null())
    if by_period:
        return frame.filter(filled).sort("source_row", "source_column", maintain_order=True)
    first = pl.col("source_column") == pl.col("source_column").min().over("source_row")
    keep = filled | (~filled.any().over("source_row") & first)
    return frame.filter(keep).sort("source_row", "source_column", maintain_order=True)


def as_cells(series: pl.Series) -> pl.Series:
    """Numbers of cells as the text that a clerk would have typed."""
    return pl.Series(
        series.name, [None if v is None else number_text(v) for v in series.cast(pl.Float64)], dtype=pl.String
    )


# A column per record, a sheet per record


def _at(cells: pl.DataFrame, row: int, column: int) -> str | None:
    if row >= cells.height or column >= cells.width:
        return None
    value = cells.item(row, column)
    if value is None or value == "":
        return None
    return number_text(value) if isinstance(value, float) else str(value)


def _transposed(table: Table, found: Recognised) -> Grid:
    cells = table.rows_below(0)
    data: dict[str, list[str | None]] = {
        c.code: [_at(cells, c.row, record.column) for record in found.records] for c in found.fields
    }
    heads = [record.label or None for record in found.records]
    extra = {"period": "period_text", "subject": "subject_text"}.get(found.records_are, found.records_are)
    if extra:
        data[extra] = heads
    frame = pl.DataFrame(
        [pl.Series(code, values, dtype=pl.String) for code, values in data.items()]
        + [
            pl.Series("source_row", [None] * len(heads), dtype=pl.Int64),
            pl.Series("source_column", [record.column + 1 for record in found.records], dtype=pl.Int64),
        ]
    )
    measures = [c.code for c in found.fields if found.form.by_code[c.code].role != "identity"]
    blank = pl.all_horizontal(pl.col(measures).is_null()) if measures else pl.lit(value=False)
    if found.records_are == "period":
        frame = frame.filter(~blank)
    identities = [c.code for c in found.fields if found.form.by_code[c.code].role == "identity"]
    for code in identities:
        frame = frame.filter(~pl.col(code).str.contains(f"^{_TOTAL_ROW.pattern}$").fill_null(value=False))
    places: dict[str, tuple[int | None, int | None]] = {c.code: (c.row + 1, None) for c in found.fields}
    if extra:
        places[extra] = (found.records[0].row + 1, None)
    return Grid(frame, places, [(c.code, c.row + 1, None) for c in found.fields])


def _sheet(table: Table, found: Recognised) -> Grid:
    cells = table.rows_below(0)
    frame = pl.DataFrame(
        [
            pl.Series(pair.code, [_at(cells, pair.value_row, pair.value_column)], dtype=pl.String)
            for pair in found.pairs
        ]
        + [pl.Series(name, [None], dtype=pl.Int64) for name in ("source_row", "source_column")]
    )
    places = {pair.code: (pair.value_row + 1, pair.value_column + 1) for pair in found.pairs}
    return Grid(frame, dict(places), [(code, row, column) for code, (row, column) in places.items()])


# A row per field


def _long(table: Table, found: Recognised, index: LabelIndex) -> Grid:
    """Rows of the same unit, period and member become one record; the same field twice begins another."""
    first = found.header_row + 1
    cells = table.rows_below(first)
    keys = [(c.code, c.column) for c in found.fields]
    records: dict[tuple[object, ...], dict[str, tuple[str | None, int]]] = {}
    times: dict[tuple[object, ...], int] = {}
    lost: dict[str, Spot] = {}
    columns = [
        cells.to_series(c) if c < cells.width else None
        for c in (*(k for _, k in keys), found.item, found.value)
    ]
    texts = [[None] * cells.height if c is None else _strings(c) for c in columns]
    for row, values in enumerate(zip(*texts, strict=True)):
        *key, label, value = values
        if label is None or FOOTER.match(label):
            if value is not None:
                lost.setdefault(label or "", Spot(first + row, found.item, label or ""))
            continue
        codes = index.lookup(label).get(found.form.code, ())
        if len(codes) != 1 or found.form.by_code[codes[0]].role in ("identity", "breakdown"):
            if value is not None:
                lost.setdefault(label, Spot(first + row, found.item, label))
            continue
        code = codes[0]
        counted = (*key, code)
        times[counted] = times.get(counted, 0) + 1
        record = records.setdefault((*key, times[counted]), {})
        record[code] = (value, first + row + 1)
    filled = sorted({code for record in records.values() for code in record})
    starts = [min(row for _, row in record.values()) for record in records.values()]
    series = [
        *(
            pl.Series(code, [key[number] for key in records], dtype=pl.String)
            for number, (code, _) in enumerate(keys)
        ),
        *(
            pl.Series(code, [record.get(code, (None, 0))[0] for record in records.values()], dtype=pl.String)
            for code in filled
        ),
        *(
            pl.Series(
                _ROW + code,
                [record[code][1] if code in record else None for record in records.values()],
                dtype=pl.Int64,
            )
            for code in filled
        ),
        pl.Series("source_row", starts, dtype=pl.Int64),
        pl.Series("source_column", [found.value + 1] * len(starts), dtype=pl.Int64),
    ]
    frame = pl.DataFrame(series).with_columns(
        pl.lit(found.value + 1, dtype=pl.Int64).alias(_COLUMN + code) for code in filled
    )
    offsets = {
        (code, row - start)
        for start, record in zip(starts, records.values(), strict=True)
        for code, (_, row) in record.items()
    }
    positions = (
        [(code, offset, None) for code, offset in sorted(offsets) if offset]
        if len(offsets) == len(filled)
        else []
    )
    return Grid(frame, {code: (None, column + 1) for code, column in keys}, positions, tuple(lost.values()))


def _strings(series: pl.Series) -> list[str | None]:
    if series.dtype == pl.String:
        return [value.strip() or None if value is not None else None for value in series]
    return [None if value is None else number_text(value) for value in series.cast(pl.Float64)]
