"""A recognised table as records: one row each with the raw cells of its fields, whatever the layout was.

Every record knows its cells. A table's record has a row of its own and its fields have columns; a transposed one
has a column and its fields have rows; a wide or long one begins at a cell from which its fields lie at fixed
distances; the one record of a sheet has cells in no order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ingestion.bodies import FEW, FOOTER, TOTAL_ROW, body_of, carried_down, is_numbering
from ingestion.label_index import LabelIndex
from ingestion.readers import Table
from ingestion.readers.table import number_text
from ingestion.recognised import Recognised, Spot
from ingestion.written_units import contradicted, differs

__all__ = ["FEW", "FOOTER", "Grid", "SourceCells", "grid_of", "is_numbering"]

_ROW, _COLUMN = "row:", "column:"

SourceCells = tuple[pl.Series | int | None, pl.Series | int | None]


@dataclass(frozen=True)
class Grid:
    """Records of a table.

    ``frame``: a column of raw cells per field, ``source_row`` and ``source_column`` (1-based, null where records
    have none), ``period_text`` where the layout says the period elsewhere than in a field, ``subject_text``
    likewise, ``reporter_text`` where a column says who filed,
    and for fields without a fixed place ``row:<code>`` and ``column:<code>``. ``places``: the fixed row
    and column of a field, None where the record's own holds. ``positions``: field, row and column that are kept with
    the records; where a record has the like itself, they are the distance from it. ``unread``: labels below the
    header that are none of the form's, beside a value. ``doubtful``: rows that were left out and may be records.
    ``units``: numbers whose row says another unit of measure than the form, by number of the record and field.
    """

    frame: pl.DataFrame
    places: dict[str, tuple[int | None, int | None]]
    positions: Sequence[tuple[str, int | None, int | None]] = ()
    unread: Sequence[Spot] = ()
    doubtful: Sequence[int] = ()
    units: Sequence[tuple[int, str, Spot]] = ()

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


def _table(table: Table, found: Recognised) -> Grid:
    body, doubtful = body_of(table, found)
    width = set(body.columns)
    columns = [body.get_column(f"c{c.column}").alias(c.code) for c in found.fields if f"c{c.column}" in width]
    none = pl.Series("source_column", [None], dtype=pl.Int64).new_from_index(0, body.height)
    frame = pl.DataFrame([*columns, *_reporters(body, found), body.get_column("source_row"), none])
    units = _units_of_rows(table, found, frame) if found.unit >= 0 else []
    return Grid(
        frame,
        {c.code: (None, c.column + 1) for c in found.fields},
        [(c.code, None, c.column + 1) for c in found.fields],
        doubtful=doubtful,
        units=units,
    )


def _reporters(body: pl.DataFrame, found: Recognised) -> list[pl.Series]:
    name = f"c{found.reporters}"
    return [_strings_of(body[name]).alias("reporter_text")] if name in body.columns else []


def _units_of_rows(table: Table, found: Recognised, frame: pl.DataFrame) -> list[tuple[int, str, Spot]]:
    """Numbers of records whose row says another unit of measure than the form."""
    first = found.header_row + 1
    cells = table.rows_below(first)
    if found.unit >= cells.width or cells.schema[f"c{found.unit}"] != pl.String:
        return []
    texts = cells.get_column(f"c{found.unit}").gather(frame["source_row"] - 1 - first)
    measures = [one for one in found.form.measures if one.code in frame.columns]
    asked = {one.code: one.source_unit or one.unit for one in measures}
    wrong = {text: contradicted(text, asked) for text in texts.drop_nulls().unique()}
    return [
        (number, code, Spot(frame["source_row"][number] - 1, found.unit, texts[number]))
        for number in texts.is_in([text for text, codes in wrong.items() if codes]).arg_true()
        for code in wrong[texts[number]]
        if frame[code][number] is not None
    ]


# A column per member


def _wide(table: Table, found: Recognised) -> Grid:
    """Each row unfolded to a record per member and period, with a column per measure."""
    body, doubtful = body_of(table, found)
    fields = {f"c{c.column}": c.code for c in found.fields if f"c{c.column}" in body.columns}
    fixed = [body[name].alias(code) for name, code in fields.items()]
    keep = pl.DataFrame([*fixed, *_reporters(body, found), body["source_row"]])
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
        return Grid(empty, {c.code: (None, c.column + 1) for c in found.fields}, doubtful=doubtful)
    frame = pl.concat(pieces).with_columns(pl.col("source_row").alias(_ROW + m) for m in measures)
    frame = _without_blank_blocks(frame, measures, by_period=found.blocks[0].period is not None)
    offsets = {
        (block.measure, block.column - min(found.blocks[n].column for n in numbers))
        for numbers in groups.values()
        for block in (found.blocks[n] for n in numbers)
    }
    regular = len(offsets) == len(measures)
    positions = [(measure, None, offset) for measure, offset in sorted(offsets) if offset] if regular else []
    return Grid(frame, {c.code: (None, c.column + 1) for c in found.fields}, positions, doubtful=doubtful)


def _strings_of(series: pl.Series) -> pl.Series:
    return as_cells(series) if series.dtype.is_numeric() else series


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
        frame = frame.filter(~pl.col(code).str.contains(f"^{TOTAL_ROW.pattern}$").fill_null(value=False))
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
    cells = carried_down(table.rows_below(first), table, found, first)
    keys = [(c.code, c.column) for c in found.fields]
    records: dict[tuple[object, ...], dict[str, tuple[str | None, int]]] = {}
    times: dict[tuple[object, ...], int] = {}
    lost: dict[str, Spot] = {}
    units: list[tuple[tuple[object, ...], str, Spot]] = []
    asked = {item.code: item.source_unit or item.unit for item in found.form.measures}
    columns = [
        cells.to_series(c) if 0 <= c < cells.width else None
        for c in (*(k for _, k in keys), found.item, found.value, found.unit)
    ]
    texts = [[None] * cells.height if c is None else _strings(c) for c in columns]
    for row, values in enumerate(zip(*texts, strict=True)):
        *key, label, value, unit = values
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
        if unit is not None and value is not None and differs(unit, asked.get(code)):
            units.append(((*key, times[counted]), code, Spot(first + row, found.unit, unit)))
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
    numbers = {key: number for number, key in enumerate(records)}
    return Grid(
        frame,
        {code: (None, column + 1) for code, column in keys},
        positions,
        tuple(lost.values()),
        units=[(numbers[key], code, spot) for key, code, spot in units],
    )


def _strings(series: pl.Series) -> list[str | None]:
    if series.dtype == pl.String:
        return [value.strip() or None if value is not None else None for value in series]
    return [None if value is None else number_text(value) for value in series.cast(pl.Float64)]
