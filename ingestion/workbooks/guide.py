"""The two sheets behind a template: how to fill it in, and the words of its drop-downs."""

from collections.abc import Sequence

from openpyxl.styles import Font
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.form import Edition, Form, FormField
from ingestion.workbooks.cells import BOLD, GRID, HEADING, WRAPPED, print_on_a4, put, put_row, set_widths
from ingestion.workbooks.own_sheets import GUIDE, LISTS, MARKS
from ingestion.workbooks.validations import TYPE_NAMES, list_word, special_text

PERIOD_NAMES = {
    "month": "月报",
    "quarter": "季报",
    "cumulative_quarter": "季报（年初起累计）",
    "year": "年报（自然年）",
    "mch_year": "年报（上年10月1日至本年9月30日）",
    "event": "随时（按个案）",
}
SEVERITIES = {"hard": "不符则退回", "soft": "不符则提示"}
_FIRST_WORD = 3


def write_lists(book: Workbook, form: Form, members: dict[str, list[str]]) -> dict[str, str]:
    """A hidden sheet with the codes to choose from; returns the range of each list."""
    if not members:
        return {}
    sheet = book.create_sheet(LISTS)
    sheet.sheet_state = "hidden"
    put(sheet["A1"], MARKS[LISTS])
    ranges = {}
    for column, (name, codes) in enumerate(members.items(), start=1):
        put(sheet.cell(_FIRST_WORD - 1, column), form.code_lists[name].name_zh)
        for row, code in enumerate(codes, start=_FIRST_WORD):
            put(sheet.cell(row, column), list_word(form.code_lists[name], code))
        letter = get_column_letter(column)
        last = _FIRST_WORD + max(len(codes), 1) - 1
        ranges[name] = f"{quote_sheetname(LISTS)}!${letter}${_FIRST_WORD}:${letter}${last}"
    return ranges


def write_guide(
    book: Workbook, form: Form, edition: Edition, fields: tuple[FormField, ...], members: dict[str, list[str]]
) -> Worksheet:
    """A sheet that says who files the form when, what each field is, which rules hold, and all codes."""
    sheet = book.create_sheet(GUIDE)
    put(sheet["A1"], MARKS[GUIDE]).font = Font(bold=True, color="808080")
    row = 3
    for name, what in _facts(form, edition):
        put(sheet.cell(row, 1), name).font = BOLD
        cell = put(sheet.cell(row, 2), what)
        cell.alignment = WRAPPED
        sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=6)
        row += 1
    columns = ("指标", "上级标题", "计量单位", "类型", "必填", "说明")
    row = _table(
        sheet, row + 1, columns, [_field_row(form, item) for item in fields if item.role != "identity"]
    )
    rules = [(rule.id, SEVERITIES[rule.severity], rule.message_zh) for rule in form.rules]
    if rules:
        row = _table(sheet, row + 1, ("审核关系", "作用", "内容"), rules)
    for name, codes in members.items():
        code_list = form.code_lists[name]
        words = [(code, list_word(code_list, code)) for code in codes]
        row = _table(sheet, row + 1, (code_list.name_zh, "填写"), words)
    set_widths(sheet, (30, 24, 40, 12, 8, 60))
    print_on_a4(sheet)
    sheet.protection.sheet = True
    return sheet


def _facts(form: Form, edition: Edition) -> list[tuple[str, str]]:
    due = form.due_note
    if form.due:
        after = {0: "当月", 1: "次月"}.get(form.due.months_after, f"期后第{form.due.months_after}个月")
        rule = f"{after}{form.due.day}日前"
        due = due if due and due.startswith(rule) else "；".join(filter(None, (rule, due)))
    facts = [
        ("报表", form.name_zh),
        ("表号", edition.form_number or form.form_numbers),
        ("版本", edition.name_zh),
        ("报告期", PERIOD_NAMES[form.period.type]),
        ("填报单位", form.filed_by),
        ("报送", form.received_by),
        ("报送时间", due),
        ("特殊值", special_text(form)),
        ("空白", "没有数据请留空；空白不是零，零请填0"),
        *(("说明", note) for note in form.notes),
    ]
    return [(name, what) for name, what in facts if what]


def _field_row(form: Form, item: FormField) -> tuple[str, str, str, str, str, str]:
    kind = form.code_lists[item.code_list].name_zh if item.code_list else TYPE_NAMES[item.type]
    return (
        item.name_zh,
        item.section or "",
        item.source_unit or item.unit or "",
        kind,
        "是" if item.required else "",
        item.note or "",
    )


def _table(sheet: Worksheet, row: int, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Write a small table; returns the row behind it."""
    put_row(sheet, row, columns, font=BOLD, fill=HEADING, border=GRID)
    for number, values in enumerate(rows, start=row + 1):
        put_row(sheet, number, values, border=GRID, alignment=WRAPPED)
    return row + len(rows) + 1
