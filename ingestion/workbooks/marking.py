"""Findings in a workbook: the cell coloured, the message as its comment, and all of them on a sheet of their own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import coordinate_to_tuple, quote_sheetname
from openpyxl.utils.exceptions import CellCoordinatesException
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.form import Form
from ingestion.registry import RegisteredFinding
from ingestion.workbooks.cells import (
    AUTHOR,
    BOLD,
    GRID,
    HARD,
    HEADING,
    LAST_COLUMN,
    LAST_ROW,
    OPEN,
    SOFT,
    WRAPPED,
    print_on_a4,
    put,
    put_row,
    set_height,
    set_widths,
    sheet_title,
)
from ingestion.workbooks.originals import Original
from ingestion.workbooks.own_sheets import FINDINGS, MARKS

_LONGEST_COMMENT = 1000
_MOST_COMMENTS = 2000
_COLUMNS = ("序号", "处理", "规则", "报告期", "工作表", "单元格", "指标", "分项", "填报值", "问题和处理办法")
_WIDTHS = (6, 10, 24, 12, 16, 10, 28, 16, 14, 80)
_ADVICE = {"hard": "须改正", "soft": "请核对"}
_FIRST = 5

# How a rule's message names the cells that it read: 总诊疗人次数（W2）=18065.
_READ = re.compile(r"（([A-Z]{1,3}[1-9][0-9]{0,6})）=")


@dataclass(frozen=True)
class Marked:
    """How many findings a workbook lists and how many cells of it are marked."""

    findings: int
    cells: int


def mark(
    original: Original, findings: Sequence[RegisteredFinding], forms: Mapping[str, Form], about: str
) -> Marked:
    """Mark the cells of all findings and list them on the first sheet; ``about`` says whose reports these are.

    Of a rule that compares several cells each is marked: any of them may be the wrong one.
    """
    marked: dict[tuple[str, str], list[RegisteredFinding]] = {}
    links: list[Cell | None] = []
    for finding in findings:
        cell = _cell(original, finding.sheet, finding.cell)
        links.append(cell)
        others = (_cell(original, finding.sheet, name) for name in _READ.findall(finding.message_zh))
        places = dict.fromkeys(
            (one.parent.title, one.coordinate) for one in (cell, *others) if one is not None
        )
        for coordinates in places:
            marked.setdefault(coordinates, []).append(finding)
    for number, ((title, place), found) in enumerate(marked.items()):
        cell = original.book[title][place]
        hard = any(finding.severity == "hard" for finding in found)
        cell.fill = HARD if hard else SOFT
        cell.protection = OPEN
        if number < _MOST_COMMENTS:
            cell.comment = _comment(cell, found)
    _list(original, findings, links, forms, about)
    return Marked(len(findings), len(marked))


def _cell(original: Original, sheet_name: str | None, name: str | None) -> Cell | None:
    """A cell that a finding points at; the first one where it lies in merged cells."""
    sheet = original.sheet(sheet_name)
    if sheet is None or name is None:
        return None
    try:
        row, column = coordinate_to_tuple(name)
    except (CellCoordinatesException, ValueError):
        return None
    if row > LAST_ROW or column > LAST_COLUMN:
        return None
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        ranges = (one for one in sheet.merged_cells.ranges if name in one)
        first = next(ranges, None)
        return sheet.cell(first.min_row, first.min_col) if first else None
    return cell


def _comment(cell: Cell, findings: Sequence[RegisteredFinding]) -> Comment:
    earlier = [cell.comment.text] if cell.comment else []
    lines = [f"【{finding.rule_id}】{finding.message_zh}" for finding in findings]
    text = ILLEGAL_CHARACTERS_RE.sub("", "\n".join([*lines, *earlier]))[:_LONGEST_COMMENT]
    return Comment(text, AUTHOR, width=320, height=60 + 20 * min(len(text) // 24, 12))


def _list(
    original: Original,
    findings: Sequence[RegisteredFinding],
    links: Sequence[Cell | None],
    forms: Mapping[str, Form],
    about: str,
) -> None:
    book = original.book
    sheet = book.create_sheet(sheet_title(FINDINGS, book.sheetnames), 0)
    put(sheet["A1"], MARKS[FINDINGS]).font = Font(bold=True, size=14)
    put(sheet["A2"], about)
    put(
        sheet["A3"],
        "红色单元格须改正，黄色单元格请核对；请直接在原表中改正后保存，并把本工作簿重新报送，本页不必删除。",
    )
    put_row(sheet, _FIRST - 1, _COLUMNS, font=BOLD, fill=HEADING, border=GRID)
    for number, (finding, cell) in enumerate(zip(findings, links, strict=True), start=1):
        row = _FIRST + number - 1
        form = forms.get(finding.form_code or "")
        values = (
            number,
            _ADVICE[finding.severity],
            finding.rule_id,
            finding.period_start.isoformat() if finding.period_start else None,
            cell.parent.title if cell is not None else finding.sheet,
            finding.cell,
            _field_name(form, finding.field_code),
            _member_name(form, finding.breakdown),
            finding.value,
            finding.message_zh,
        )
        put_row(sheet, row, values, border=GRID, alignment=WRAPPED)
        set_height(sheet, row, [(finding.message_zh, _WIDTHS[-1])])
        sheet.cell(row, 2).fill = HARD if finding.severity == "hard" else SOFT
        if cell is not None:
            _link(sheet, row, 6, cell)
    set_widths(sheet, _WIDTHS)
    print_on_a4(sheet)
    sheet.freeze_panes = sheet.cell(_FIRST, 1)
    for one in book.worksheets:
        one.sheet_view.tabSelected = one is sheet
    book.active = 0


def _link(sheet: Worksheet, row: int, column: int, target: Cell) -> None:
    cell = sheet.cell(row, column)
    place = f"{quote_sheetname(target.parent.title)}!{target.coordinate}"
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=place, display=target.coordinate)
    cell.font = Font(color="0563C1", underline="single")


def _field_name(form: Form | None, code: str | None) -> str | None:
    item = form.by_code.get(code) if form and code else None
    return item.name_zh if item else code


def _member_name(form: Form | None, member: str | None) -> str | None:
    """Printed names of a breakdown's member, of several breakdowns joined as they came."""
    if form is None or member is None:
        return member
    lists = [form.code_lists[item.code_list].by_code for item in form.breakdowns if item.code_list]
    names = []
    for part in member.split("/"):
        found = next((codes[part] for codes in lists if part in codes), None)
        names.append(found.labels[0] if found else part)
    return "/".join(names)
