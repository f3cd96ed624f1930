"""Several tables one below another in a sheet, each with labels and a title of its own: one unit after another."""

from dataclasses import replace

import polars as pl

from ingestion.grids import FEW
from ingestion.label_index import LabelIndex, may_be_label
from ingestion.periods import find_period
from ingestion.readers import Table
from ingestion.readers.table import number_text
from ingestion.recognised import Column, Recognised
from ingestion.titles import labelled_values, lines, reporter_in, unit_named, unit_of_money
from ingestion.written_units import unit_cells

# A title has at most so many lines, a line of it at most so many texts.
_LINES, _TEXTS = 6, 4


def sections_of(table: Table, found: Recognised, index: LabelIndex) -> list[Recognised]:
    """The tables of a sheet whose labels come again under a title that says another unit, period or unit of money.

    Labels that come again without one (at the top of a printed page) begin no other table.
    """
    if found.layout.kind not in ("table", "wide"):
        return [found]
    body = table.rows_below(found.header_row + 1)
    repeats = _repeats(body, found)
    if not repeats:
        return [found]
    parts = [found]
    for place in repeats:
        above = _title_above(body, place)
        titles = lines(above)
        values = labelled_values(above, found.form, index)
        says = values or find_period(titles, found.form.period.type) or unit_named(titles, found.form)
        money = unit_of_money(titles)
        before = parts[-1]
        if not says and money in (None, before.title_unit):
            continue
        row = found.header_row + 1 + place
        below, units = _units_below(body, place, found)
        parts[-1] = replace(before, end_row=row - len(above))
        parts.append(
            replace(
                found,
                header_row=row + below,
                fields=tuple(replace(one, row=row) for one in found.fields),
                blocks=tuple(replace(one, row=row) for one in found.blocks),
                first_row=row - len(above),
                # Who and when stay as they were where a title says neither.
                titles=titles if says else (*titles, *before.titles),
                title_values=values if says else before.title_values,
                title_unit=money or before.title_unit,
                units=tuple(
                    Column(row + below, spot.column, units[spot.column], spot.code)
                    for spot in _spots(found)
                    if spot.column in units
                ),
                reporter=reporter_in(titles) or before.reporter,
                unknown=(),
                left_out=(),
            )
        )
    return parts


def _spots(found: Recognised) -> list[Column]:
    """Labels of fields, and those of blocks with the measure that they are for."""
    blocks = [Column(one.row, one.column, one.label, one.measure) for one in found.blocks]
    return [*found.fields, *blocks]


def _units_below(body: pl.DataFrame, place: int, found: Recognised) -> tuple[int, dict[int, str]]:
    """The units of measure below labels that come again."""
    rows = [[_text(value) for value in row] for row in body.slice(place, 3).iter_rows()]
    return unit_cells(rows, [(spot.column, spot.code) for spot in _spots(found)], found.form)


def _repeats(body: pl.DataFrame, found: Recognised) -> list[int]:
    """Rows of the body that hold the labels again."""
    schema = body.schema
    columns = [
        (f"c{spot.column}", spot.label)
        for spot in (*found.fields, *found.blocks)
        if schema.get(f"c{spot.column}") == pl.String
    ]
    if len(columns) < 2:
        return []
    least = max(2, len(columns) // 2)
    if body.height <= FEW:
        texts = [(body.get_column(name).to_list(), label) for name, label in columns]
        return [
            row
            for row in range(body.height)
            if sum(cells[row] is not None and cells[row].strip() == label for cells, label in texts) >= least
        ]
    same = pl.sum_horizontal(
        (pl.col(name).str.strip_chars() == label).fill_null(value=False).cast(pl.Int32)
        for name, label in columns
    )
    return body.select((same >= least).arg_true()).to_series().to_list()


def _title_above(body: pl.DataFrame, place: int) -> list[list[str]]:
    """The lines right above a row that are no records: few texts and no number."""
    found: list[list[str]] = []
    for row in range(place - 1, max(place - 1 - _LINES, -1), -1):
        cells = [_text(value) for value in body.row(row)]
        filled = [text for text in cells if text]
        if len(filled) > _TEXTS or not all(map(_is_words, filled)):
            break
        found.insert(0, cells)
    return found


def _text(value: object) -> str:
    return "" if value is None else number_text(value) if isinstance(value, float) else str(value).strip()


def _is_words(text: str) -> bool:
    return may_be_label(text) or len(text) > 40
