"""Numbers under labels that a form does not have: kept with the finding that tells of the label, cell by cell."""

import json
import re

import polars as pl

from ingestion.findings import cell_name
from ingestion.grids import Grid
from ingestion.masking import masked
from ingestion.readers import Table
from ingestion.readers.table import number_text
from ingestion.recognised import Recognised, Spot
from ingestion.values import to_numbers

# Labels of numbers that lead to a person, or to an account.
_PERSONAL = re.compile(
    r"姓名|名字|患者|身份|证件|证号|电话|手机|联系|地址|住址|邮编|邮箱|微信|[Qq][Qq]|出生|生日|病案号|门诊号|住院号|病历号"
    r"|卡号|工号|账号|户号|编号|签名|填表人|审核人|负责人",
)


def kept_numbers(table: Table, found: Recognised, grid: Grid, spot: Spot) -> str | None:
    """The numbers that stand under an unknown label, as JSON of cell and number; None where there are none to keep.

    Only numbers are kept: a text may say who somebody is. What a number under a label like 联系电话, or under none,
    leads to is not known either. All of it stays in the file.
    """
    if not spot.label or _PERSONAL.search(spot.label):
        return None
    cells = _cells(table, found, grid, spot)
    if not cells:
        return None
    first = min(row for row, _ in cells)
    body = table.rows_below(first)
    inside = [(row, column) for row, column in cells if row - first < body.height and column < body.width]
    numbers = {
        cell_name(row + 1, column + 1): int(number) if number.is_integer() else number
        for (row, column), number in zip(inside, _numbers(body, first, inside), strict=True)
        if number is not None
    }
    return json.dumps(numbers) if numbers else None


def _cells(table: Table, found: Recognised, grid: Grid, spot: Spot) -> list[tuple[int, int]]:
    """Rows and columns (from 0) of the cells that a label names."""
    kind = found.layout.kind
    if kind == "transposed":
        return [(spot.row, record.column) for record in found.records]
    if kind == "sheet":
        row = table.rows_below(spot.row).row(0)
        right = next((n for n in range(spot.column + 1, len(row)) if row[n] not in (None, "")), None)
        return [] if right is None else [(spot.row, right)]
    if kind == "long":
        first = found.header_row + 1
        labels = table.rows_below(first).to_series(found.item).cast(pl.String).str.strip_chars()
        return [(first + row, found.value) for row in (labels == spot.label).arg_true()]
    rows = grid.frame["source_row"].drop_nulls().unique(maintain_order=True)
    return [(row - 1, spot.column) for row in rows]


def _numbers(body: pl.DataFrame, first: int, cells: list[tuple[int, int]]) -> list[float | None]:
    """Numbers of cells, null where there is none or where it may lead to a person."""
    columns = {column for _, column in cells}
    if len(columns) == 1:
        values = body.to_series(columns.pop()).gather([row - first for row, _ in cells])
    else:
        values = pl.Series([_text(body.item(row - first, column)) for row, column in cells], dtype=pl.String)
    typed = to_numbers(values, whole=False)
    sure = typed.values if typed.notes is None else typed.values.set(typed.notes.is_not_null(), None)
    return [
        None if number is None or masked(_text(value) or "") != (_text(value) or "") else number
        for number, value in zip(sure, values, strict=True)
    ]


def _text(value: object) -> str | None:
    return number_text(value) if isinstance(value, float) else None if value is None else str(value)
