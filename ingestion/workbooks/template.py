"""The blank workbook of a form for its reporters, made from the form alone; the intake reads it back.

A form without breakdown gets a row per unit; one with breakdowns a sheet per unit whose rows are the members;
a line list gets a row per card. Period, and with breakdowns the unit, stand above the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.form import Edition, Form
from ingestion.periods import Span
from ingestion.workbooks.cells import (
    BOLD,
    CENTRED,
    GRID,
    HARD,
    HEADING,
    INPUT,
    OPEN,
    SOFT,
    display_width,
    print_on_a4,
    put,
    sheet_title,
)
from ingestion.workbooks.formulas import broken_when, operands
from ingestion.workbooks.guide import write_guide, write_lists
from ingestion.workbooks.plan import ROWS, Plan, Unit, header_text, plan_template
from ingestion.workbooks.validations import NUMBER_FORMATS, list_word, validation_of

_WIDEST, _NARROWEST = 30, 10
REPORTER = "填报单位："
"""Begin of the cell that says who fills in the form; the name is written behind it."""

_GAP = " " * 16
_SIGNATURES = _GAP.join(("单位负责人：", "填表人：", "联系电话：", "报出日期："))


@dataclass(frozen=True)
class Blank:
    """Where a template expects what. ``columns``: fields by code; ``above``: fields above the table, with
    their cell; ``members``: codes of the breakdowns by row; ``sheets``: names of the sheets to fill in.
    """

    form: Form
    edition: Edition
    sheets: tuple[str, ...]
    columns: dict[str, int]
    above: dict[str, str]
    rows: range
    members: dict[int, tuple[str, ...]]
    period_cell: str | None
    reporter_cell: str | None


def write_template(
    form: Form,
    out: Path | BinaryIO,
    *,
    edition: str | None = None,
    period: Span | None = None,
    units: Sequence[Unit] = (),
    rows: int = ROWS,
) -> Blank:
    """Write the blank workbook of a form's edition: the one given, of the period, or the newest.

    Raises FormError for an edition the form does not have.
    """
    plan = plan_template(form, edition=edition, period=period, units=units, rows=rows)
    book = Workbook()
    book.remove(book.active)
    # With breakdowns a unit has a sheet of its own, else a row.
    subjects: Sequence[Unit | None] = (units or (None,)) if plan.combinations else (None,)
    names: list[str] = []
    for unit in subjects:
        names.append(sheet_title((unit.name or unit.code) if unit else form.name_zh, names))
        book.create_sheet(names[-1])
    write_guide(book, form, plan.edition, plan.fields, plan.lists)
    plan.ranges = write_lists(book, form, plan.lists)
    above = _Above({}, None, None)
    for name, unit in zip(names, subjects, strict=True):
        above = _write_sheet(book[name], plan, unit)
    book.save(out)
    return Blank(
        form=form,
        edition=plan.edition,
        sheets=tuple(names),
        columns={item.code: column for column, item in enumerate(plan.columns, start=1)},
        above=above.fields,
        rows=range(plan.first_row, plan.first_row + plan.count),
        members={plan.first_row + offset: codes for offset, codes in enumerate(plan.combinations)},
        period_cell=above.period,
        reporter_cell=above.reporter,
    )


@dataclass(frozen=True)
class _Above:
    """Cells to fill in above a table."""

    fields: dict[str, str]
    period: str | None
    reporter: str | None


def _write_sheet(sheet: Worksheet, plan: Plan, unit: Unit | None) -> _Above:
    """Fill one sheet."""
    form = plan.form
    width = max(len(plan.columns), 2)
    put(sheet.cell(1, 1), form.name_zh).font = Font(bold=True, size=14)
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    above = _write_above(sheet, plan, unit)
    _write_header(sheet, plan)
    _write_body(sheet, plan)
    _mark_broken_rules(sheet, plan)
    if not form.cards:
        put(sheet.cell(plan.first_row + plan.count, 1), _SIGNATURES).protection = OPEN
    frozen = sum(item.role in ("identity", "breakdown") for item in plan.columns)
    sheet.freeze_panes = sheet.cell(plan.first_row, min(frozen, 3) + 1)
    guard = sheet.protection
    guard.sheet = True
    # Without a password: it keeps labels from being overwritten by mistake, not from anybody's will.
    guard.formatColumns = guard.formatRows = guard.formatCells = guard.insertRows = guard.deleteRows = False
    guard.sort = guard.autoFilter = False
    print_on_a4(sheet)
    sheet.print_title_rows = f"1:{plan.header_row}"
    sheet.print_title_cols = f"A:{get_column_letter(min(frozen, 3) or 1)}"
    return above


def _write_above(sheet: Worksheet, plan: Plan, unit: Unit | None) -> _Above:
    """Labels with the cells to fill in behind them, from the second row on."""
    form = plan.form
    above: dict[str, str] = {}
    period_cell: str | None = None
    if plan.period_label:
        period_cell = _pair(sheet, plan, 0, plan.period_label, plan.period_said)
    for number, item in enumerate(plan.above, start=plan.period_label is not None):
        is_period = item.code in form.period.fields
        value = plan.period_said if is_period else plan.said_of(unit, item)
        place = _pair(sheet, plan, number, f"{item.name_zh}：", value)
        if is_period:
            period_cell = place
        if is_period or item.code_list or item.format:
            check = validation_of(form, item, place, plan.ranges)
            check.add(place)
            sheet.add_data_validation(check)
        above[item.code] = place
    reporter = None
    if plan.names_reporter:
        number = len(plan.above) + (plan.period_label is not None)
        row, column = 2 + number // plan.pairs_a_row, 2 * (number % plan.pairs_a_row) + 1
        cell = put(sheet.cell(row, column), REPORTER)
        cell.protection, cell.fill, cell.border = OPEN, INPUT, GRID
        sheet.merge_cells(start_row=row, start_column=column, end_row=row, end_column=column + 1)
        reporter = str(cell.coordinate)
    return _Above(above, period_cell, reporter)


def _pair(sheet: Worksheet, plan: Plan, number: int, label: str, value: str | None) -> str:
    row, place = 2 + number // plan.pairs_a_row, number % plan.pairs_a_row
    put(sheet.cell(row, 2 * place + 1), label).font = BOLD
    cell = put(sheet.cell(row, 2 * place + 2), value)
    cell.number_format, cell.protection, cell.fill, cell.border = "@", OPEN, INPUT, GRID
    return str(cell.coordinate)


def _write_header(sheet: Worksheet, plan: Plan) -> None:
    """Labels, below the headings of their sections."""
    row = plan.header_row
    start = 1
    for column, item in enumerate(plan.columns, start=1):
        text = header_text(plan.fields, item)
        alone = plan.two_rows and item.section is None
        put(sheet.cell(row - 1 if alone else row, column), text)
        if alone:
            sheet.merge_cells(start_row=row - 1, start_column=column, end_row=row, end_column=column)
        following = plan.columns[column].section if column < len(plan.columns) else None
        if following is None or following != item.section:
            if item.section:
                put(sheet.cell(row - 1, start), item.section)
                if column > start:
                    sheet.merge_cells(
                        start_row=row - 1, start_column=start, end_row=row - 1, end_column=column
                    )
            start = column + 1
        width = min(max(display_width(text) + 2, _NARROWEST), _WIDEST)
        sheet.column_dimensions[get_column_letter(column)].width = width
        for line in range(row - plan.two_rows, row + 1):
            cell = sheet.cell(line, column)
            cell.font, cell.fill, cell.border, cell.alignment = BOLD, HEADING, GRID, CENTRED
    sheet.row_dimensions[row].height = 48


def _write_body(sheet: Worksheet, plan: Plan) -> None:
    """The rows to fill in: members of breakdowns and known units written, checks on all other cells."""
    form, first = plan.form, plan.first_row
    breakdowns = [item for item in plan.columns if item.role == "breakdown"]
    for column, item in enumerate(plan.columns, start=1):
        letter = get_column_letter(column)
        shape = "@" if item.code in form.period.fields else NUMBER_FORMATS[item.type]
        listed = bool(plan.combinations) and item.role == "breakdown"
        if not listed:
            check = validation_of(form, item, f"{letter}{first}", plan.ranges)
            check.add(f"{letter}{first}:{letter}{first + plan.count - 1}")
            sheet.add_data_validation(check)
        if form.cards:
            # Thousands of cells that are all blank: their column says how they look.
            sheet.column_dimensions[letter].number_format = shape
            sheet.column_dimensions[letter].protection = OPEN
            continue
        for offset in range(plan.count):
            if listed:
                code = plan.combinations[offset][breakdowns.index(item)]
                value: str | None = list_word(form.code_lists[str(item.code_list)], code)
            else:
                rows = () if plan.combinations else plan.units
                value = plan.said_of(rows[offset], item) if offset < len(rows) else None
            cell = put(sheet.cell(first + offset, column), value)
            cell.border, cell.number_format = GRID, shape
            if not listed:
                cell.protection = OPEN
            if item.role == "measure":
                cell.fill = INPUT


def _mark_broken_rules(sheet: Worksheet, plan: Plan) -> None:
    """Colour the cells of a rule that a row breaks while it is being filled in."""
    first, last = plan.first_row, plan.first_row + plan.count - 1
    letters = {
        item.code: get_column_letter(column)
        for column, item in enumerate(plan.columns, start=1)
        if item.type in ("int", "dec")
    }
    for rule in plan.form.rules:
        formula = broken_when(rule, {code: f"${letter}{first}" for code, letter in letters.items()})
        if formula is None:
            continue
        columns = [letters[code] for code in operands(rule, letters)]
        where = " ".join(f"{letter}{first}:{letter}{last}" for letter in columns)
        fill = HARD if rule.severity == "hard" else SOFT
        sheet.conditional_formatting.add(where, FormulaRule(formula=[formula], fill=fill))
