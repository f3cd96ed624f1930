"""Quotes of delimited text that end where nobody meant them to: lines and rows are still told apart."""

import csv
import io
import re
from collections import deque

import polars as pl

from ingestion.findings import Finding, cell_name

LONGEST_CELL = 1 << 24
"""Characters of the longest cell that is looked for an end."""


def last_line(before: bytes, text: bytearray) -> int:
    """Where the last line that is whole ends: behind a newline that stands in no quoted cell.

    ``before``: what stands in the same line before the text.
    """
    cut = text.rfind(b"\n") + 1
    if not cut or (b'"' not in text and b'"' not in before):
        return cut
    inside = (before.count(b'"') + text.count(b'"', 0, cut)) % 2
    while cut and inside:
        earlier = text.rfind(b"\n", 0, cut - 1) + 1
        inside ^= text.count(b'"', earlier, cut) % 2
        cut = earlier
    return cut


def has_stray_quotes(text: bytes, delimiter: str) -> bool:
    """Whether a quote stands amid a cell, where readers differ about what it means."""
    if b'"' not in text:
        return False
    other = rb'[^"\r\n' + re.escape(delimiter.encode()) + rb"]"
    return re.search(other + b'"' + other, text) is not None


def swallows(text: str, delimiter: str) -> bool:
    """Whether the text ends amid a quoted cell that has lines of its own."""
    csv.field_size_limit(2 * LONGEST_CELL)
    try:
        deque(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), maxlen=1)
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return False
    else:
        return False
    (last,) = deque(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), maxlen=1)
    return "\n" in last[-1].strip()


def may_hold_rows(frame: pl.DataFrame, delimiter: str) -> bool:
    """Whether some cell has lines with delimiters: :func:`rows_apart` looks closely."""
    cell = pl.col(pl.String).str
    lines = frame.select((cell.contains("\n", literal=True) & cell.contains(delimiter, literal=True)).any())
    return any(lines.row(0))


def rows_apart(row: list[str], delimiter: str, width: int) -> list[list[str]]:
    """The row; or the rows that a quote which was closed too late made one of.

    Only where lines have all the delimiters of a row: cells may well have lines.
    """
    if width < 2 or not any("\n" in cell for cell in row):
        return [row]
    inner = [line for cell in row for line in cell.split("\n")[1:-1]]
    # But for the two quotes the lines are what they were.
    lines = [line.rstrip("\r").split(delimiter) for line in delimiter.join(row).split("\n")]
    swallowed = any(line.count(delimiter) >= width - 1 for line in inner) or (
        len(row) != width and all(len(line) == width for line in lines)
    )
    return lines if swallowed else [row]


def closed_late(first: int, last: int) -> Finding:
    """A warning on a quote that was opened in one row and closed in another, far below perhaps."""
    return Finding(
        rule_id="QUOTE_CLOSED_LATE",
        level="layout",
        severity="soft",
        message_zh=f"第{first}行有一处双引号没有在本行闭合，到第{last}行才遇到下一个；已按每行一条读取，请检查引号",
        message_en=f"a quote in row {first} is closed only in row {last}; each line was read as a row",
        cell=cell_name(first, 1),
    )
