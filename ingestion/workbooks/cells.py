"""Writing cells: text that can never become a formula, numbers as numbers, styles, names of sheets."""

import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

AUTHOR = "报表审核"
"""Author of the comments on faulty cells."""

LONGEST_TEXT = 32_767
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
_LONGEST_SHEET_NAME = 31
# Characters that are readable beside one another on A4 across.
_PAGE_WIDTH = 150
# Points that a line takes.
_LINE = 18

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NOT_IN_SHEET_NAME = re.compile(r"[\\/*?:\[\]]")

_THIN = Side(style="thin", color="B0B0B0")
GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
HEADING = PatternFill("solid", start_color="DDEBF7")
INPUT = PatternFill("solid", start_color="FFFFE5")
HARD = PatternFill("solid", start_color="FFC7CE")
SOFT = PatternFill("solid", start_color="FFEB9C")
OPEN = Protection(locked=False)
WRAPPED = Alignment(wrap_text=True, vertical="top")
CENTRED = Alignment(wrap_text=True, vertical="center", horizontal="center")
BOLD = Font(bold=True)


def is_risky(text: str) -> bool:
    """Whether a spreadsheet program could take a text for a formula, also one in full-width characters."""
    first = unicodedata.normalize("NFKC", text.lstrip(" \u3000\u00a0")[:1])
    return first.startswith(_STARTS_A_FORMULA) or text.startswith(_STARTS_A_FORMULA)


def put(cell: Cell, value: object) -> Cell:
    """Write a value; text stays text whatever it begins with, and what no workbook can hold is left out."""
    if not isinstance(value, str):
        cell.value = value
        return cell
    text = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_TEXT]
    cell.value = text
    cell.data_type = "s"
    if is_risky(text):
        cell.quotePrefix = True
    return cell


def put_row(sheet: Worksheet, row: int, values: Iterable[object], **style: Any) -> None:
    """Write values side by side from the first column on, in one style."""
    for column, value in enumerate(values, start=1):
        cell = put(sheet.cell(row, column), value)
        for name, what in style.items():
            setattr(cell, name, what)


def set_widths(sheet: Worksheet, widths: Iterable[float]) -> None:
    """Widths of the columns from the first on, in characters."""
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def set_height(sheet: Worksheet, row: int, texts: Iterable[tuple[str | None, float]]) -> None:
    """As many lines as the longest of some wrapped texts takes in its width: not every program finds out by itself."""
    lines = max((math.ceil(display_width(text or "") / (width - 1)) for text, width in texts), default=1)
    sheet.row_dimensions[row].height = _LINE * max(1, lines)


def print_on_a4(sheet: Worksheet) -> None:
    """Print on A4 across, on as many pages beside one another as keep it readable."""
    total = sum(
        sheet.column_dimensions[get_column_letter(column)].width for column in range(1, sheet.max_column + 1)
    )
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = max(1, round(total / _PAGE_WIDTH))
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def display_width(text: str) -> int:
    """Columns of characters a text takes: Chinese ones take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def sheet_title(wanted: str, taken: Iterable[str], *, default: str = "Sheet1") -> str:
    """A name that a workbook allows and does not have yet, as near as may be to the one wanted."""
    base = _NOT_IN_SHEET_NAME.sub("_", ILLEGAL_CHARACTERS_RE.sub("", wanted)).strip("' ")[
        :_LONGEST_SHEET_NAME
    ]
    base = base or default
    used = {name.casefold() for name in taken}
    title, number = base, 2
    while title.casefold() in used:
        tail = f"_{number}"
        title, number = base[: _LONGEST_SHEET_NAME - len(tail)] + tail, number + 1
    return title
