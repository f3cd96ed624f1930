"""Rows of a table that are records: totals, column numbers, repeated labels and signatures left out."""

import re

import polars as pl

from ingestion.label_index import is_number
from ingestion.labels import is_total
from ingestion.readers import Table
from ingestion.recognised import Recognised, Spot

# How rows below the table begin.
FOOTER = re.compile(
    r"^\s*(?:填\s*表|制\s*表|审\s*核|复\s*核|统计负责|单位负责|单位\s*[(（]盖章|负责人|联系|填报|报出|报送"
    r"|备\s*注|注\s*[:：1]|说\s*明)"
)
TOTAL_ROW = re.compile(r"(?:合\s*计|总\s*计|小\s*计|.{0,6}(?:合计|总计|小计))")
_ORDINALS = set("甲乙丙丁戊己")
_SUM = re.compile(r"[合总小累共]\s*计|总数|全部")
# Up to so many rows are looked at one by one.
FEW = 64


def body_of(table: Table, found: Recognised) -> tuple[pl.DataFrame, list[int]]:
    """Rows that are records, with their spreadsheet row; totals, column numbers and signatures left out.

    Besides the rows that begin as a signature or a remark does and yet hold numbers as a record would.
    """
    first = found.header_row + 1
    frame = table.rows_below(first)
    if found.end_row is not None:
        frame = frame.head(max(found.end_row - first, 0))
    spots: list[Spot] = [*found.fields, *found.blocks]
    known = [f"c{spot.column}" for spot in spots if spot.column < frame.width]
    # Frames are put together from columns: an expression costs a small file more than the rest of its reading.
    rows = pl.Series("source_row", range(first + 1, first + 1 + frame.height), dtype=pl.Int64)
    beside = [f"c{found.reporters}"] if 0 <= found.reporters < frame.width else []
    frame = pl.DataFrame([*(frame.get_column(name) for name in (*known, *beside)), rows])
    frame = carried_down(frame, table, found, first)
    texts = [name for name in known if frame.get_column(name).dtype == pl.String]
    heads = [{f"c{spot.column}": spot.label for spot in line} for line in (spots, found.units) if line]
    sums = _names_of_sums(frame, found, texts)
    keep = _keep_few if frame.height <= FEW else _keep_many
    kept = keep(frame, known, texts, heads, sums)
    doubtful: list[int] = []
    if not kept.all():
        doubtful = _like_records(frame.filter(~kept), texts, _names_of_values(found, known))
        frame = frame.filter(kept)
    if frame.height and is_numbering(tuple(frame.get_column(name)[0] for name in known)):
        frame = frame.slice(1)
    return frame, doubtful


def carried_down(frame: pl.DataFrame, table: Table, found: Recognised, first: int) -> pl.DataFrame:
    """The rows from ``first`` on with a unit, period or member that is merged over several in each that holds anything.

    A number that is merged over several rows belongs to none of the further ones.
    """
    named = {c.column for c in found.fields if found.form.by_code[c.code].role in ("identity", "breakdown")}
    columns = {f"c{column}" for column in (*named, found.reporters)} & set(frame.columns)
    places: dict[str, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in table.down:
        if f"c{column}" in columns and first <= top < first + frame.height:
            last = min(bottom - first, frame.height - 1)
            places.setdefault(f"c{column}", []).extend(
                (row, top - first) for row in range(top - first + 1, last + 1)
            )
    if not places:
        return frame
    filled = frame.select(pl.any_horizontal(pl.exclude("source_row").is_not_null())).to_series()
    carried = []
    for name, pairs in places.items():
        cells = frame[name]
        kept = [(row, above) for row, above in pairs if filled[row] and cells[row] is None]
        carried.append(cells.scatter([row for row, _ in kept], cells.gather([above for _, above in kept])))
    return frame.with_columns(carried)


def _names_of_values(found: Recognised, known: list[str]) -> list[str]:
    """Columns of numbers."""
    own = [column for column in found.fields if found.form.by_code[column.code].role == "measure"]
    return [name for spot in (*own, *found.blocks) if (name := f"c{spot.column}") in known]


def _like_records(left: pl.DataFrame, texts: list[str], values: list[str]) -> list[int]:
    """Rows that begin like what stands below a table although most of their numbers are filled in."""
    return [
        row["source_row"]
        for row in left.iter_rows(named=True)
        if FOOTER.match(next((row[name] for name in texts if row[name] is not None), ""))
        and sum(_is_number(row[name]) for name in values) * 2 >= len(values) > 1
    ]


def _is_number(cell: object) -> bool:
    return isinstance(cell, float) or (isinstance(cell, str) and is_number(cell.strip()))


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
                and (TOTAL_ROW.fullmatch(text.strip()) if item.role == "identity" else is_total(text))
                and not (codes and codes.code_of(text))
            }
    return sums


def _keep_many(
    frame: pl.DataFrame,
    known: list[str],
    texts: list[str],
    heads: list[dict[str, str]],
    sums: dict[str, set[str]],
) -> pl.Series:
    """Which rows are records, told over whole columns; ``heads``: labels and units of measure, which may come again."""
    keep = ~pl.all_horizontal(pl.col(known).is_null())
    if texts:
        keep = keep & ~pl.coalesce(texts).str.contains(FOOTER.pattern).fill_null(value=False)
    for head in heads:
        again = [
            (pl.col(name).str.strip_chars() == head[name]).fill_null(value=False).cast(pl.Int32)
            for name in texts
            if name in head
        ]
        if again:
            keep = keep & (pl.sum_horizontal(again) < min(2, len(head)))
    for name, names in sums.items():
        if names:
            keep = keep & ~pl.col(name).is_in(list(names)).fill_null(value=False)
    return frame.select(keep.alias("keep")).to_series()


def _keep_few(
    frame: pl.DataFrame,
    known: list[str],
    texts: list[str],
    heads: list[dict[str, str]],
    sums: dict[str, set[str]],
) -> pl.Series:
    """The same for a few rows, which whole columns are too much machinery for."""
    columns = {name: frame[name].to_list() for name in known}
    keep = []
    for row in range(frame.height):
        first = next((text for name in texts if (text := columns[name][row]) is not None), None)
        keep.append(
            any(columns[name][row] is not None for name in known)
            and not (first is not None and FOOTER.match(first))
            and not any(
                sum(
                    name in head
                    and columns[name][row] is not None
                    and columns[name][row].strip() == head[name]
                    for name in texts
                )
                >= min(2, len(head))
                for head in heads
            )
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
