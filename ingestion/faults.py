"""What is wrong with a table, told to its sender: findings on its header and its cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ingestion.findings import Finding, Level, Severity, cell_name
from ingestion.form import FormField
from ingestion.labels import unit_in_label
from ingestion.layout import Column, Recognised, nearest_label
from ingestion.readers.table import number_text
from ingestion.values import ERROR_MARKS

_MAX_UNKNOWN = 200


@dataclass
class Faults:
    """Findings of one table. Until reports are numbered, ``report_no`` is the row a finding stands in."""

    found: Recognised
    sheet: str
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule_id: str,
        level: Level,
        message_zh: str,
        message_en: str,
        *,
        row: int | None = None,
        severity: Severity = "hard",
        cell: str | None = None,
        field_code: str | None = None,
        breakdown: str | None = None,
        value: str | None = None,
    ) -> None:
        """Note a finding; without a row it concerns the file."""
        self.findings.append(
            Finding(
                rule_id=rule_id,
                level=level,
                severity=severity,
                message_zh=message_zh,
                message_en=message_en,
                report_no=row,
                sheet=self.sheet,
                cell=cell,
                field_code=field_code,
                breakdown=breakdown,
                value=value,
            )
        )

    @property
    def header(self) -> int:
        """Spreadsheet row of the labels."""
        return self.found.header_row + 1

    def names(self, codes: tuple[str, ...]) -> str:
        """Printed names of fields, as alternatives."""
        return "或".join(f"“{self.found.form.by_code[code].name_zh}”" for code in codes)

    # The header

    def unknown_columns(self) -> None:
        """Columns the form does not have: kept in the file, left out of the records."""
        taken = {c.code for c in (*self.found.fields, *self.found.members)}
        for column, label in self.found.unknown[:_MAX_UNKNOWN]:
            near = nearest_label(label, self.found.form, self.found.layout, taken) if label else None
            cell = cell_name(self.header, column + 1)
            self.add(
                "COLUMN_UNKNOWN",
                "layout",
                f"列“{label}”（{cell}）不是本表的指标，未读取" + (f"；是否应为“{near}”？" if near else ""),
                f"column {label!r} ({cell}) is not part of the form and was not read"
                + (f"; is it {near!r}?" if near else ""),
                severity="soft",
                cell=cell,
                value=label,
            )

    def header_faults(self, rows: Sequence[int | None]) -> None:
        """Faults of the header that quarantine every report of the table, named by their first rows.

        A table without rows has no reports; then they concern the file.
        """
        for problem in [*self._missing(), *self._ambiguous(), *self._twice(), *self._units()]:
            rule, zh, en, cell, code = problem
            for row in rows or [None]:
                self.add(rule, "layout", zh, en, row=row, cell=cell, field_code=code)

    def _missing(self) -> list[tuple[str, str, str, str | None, str | None]]:
        taken = {c.code for c in self.found.fields}
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for item in self.found.missing:
            likely = [
                label
                for _, label in self.found.unknown
                if label and nearest_label(label, self.found.form, self.found.layout, taken) in item.labels
            ]
            advice_zh = f"；列“{likely[0]}”是否就是它？请改回原表头" if likely else "；请按模板补上"
            advice_en = f"; is it {likely[0]!r}?" if likely else ""
            zh = f"缺少必需的列“{item.name_zh}”{advice_zh}"
            en = f"the required column {item.name_zh!r} is missing{advice_en}"
            problems.append(("COLUMN_MISSING", zh, en, None, item.code))
        return problems

    def _ambiguous(self) -> list[tuple[str, str, str, str | None, str | None]]:
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for column, label, choices in self.found.ambiguous:
            cell = cell_name(self.header, column + 1)
            names = self.names(tuple(code for code in choices if code in self.found.form.by_code))
            zh = f"列“{label}”（{cell}）可能是{names}，无法确定；请保留表头的编号或上级标题"
            en = f"column {label!r} ({cell}) may be {', '.join(choices)}; keep its number or heading"
            problems.append(("COLUMN_AMBIGUOUS", zh, en, cell, None))
        return problems

    def _twice(self) -> list[tuple[str, str, str, str | None, str | None]]:
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for column, label, code in self.found.twice:
            cell = cell_name(self.header, column + 1)
            zh = f"列“{label}”（{cell}）与另一列是同一指标；请只保留一列，或补上区分它们的上级标题"
            en = f"column {label!r} ({cell}) repeats {code}; keep one or give the headings that tell them apart"
            problems.append(("COLUMN_TWICE", zh, en, cell, code))
        return problems

    def _units(self) -> list[tuple[str, str, str, str | None, str | None]]:
        """Columns whose unit of money is another than the form's."""
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for column in self.found.fields:
            item = self.found.form.by_code[column.code]
            asked = item.source_unit or item.unit
            if item.role != "measure" or asked not in ("元", "千元", "万元"):
                continue
            general = self.found.title_unit if unit_in_label(item.name_zh) is None else None
            unit = unit_in_label(column.label) or general
            if unit and unit != asked:
                cell = cell_name(self.header, column.index + 1)
                zh = f"“{item.name_zh}”（{cell}）的计量单位写的是{unit}，本表规定为{asked}；请换算后重报"
                en = f"{item.code} ({cell}) is given in {unit}, the form asks for {asked}"
                problems.append(("UNIT_DIFFERS", zh, en, cell, item.code))
        return problems

    # Cells

    def cell_faults(
        self,
        item: FormField,
        texts: pl.Series,
        rows: pl.Series,
        columns: pl.Series | int | None,
        members: pl.Series | None = None,
    ) -> None:
        """A finding for each cell whose text could not be typed."""
        for place in texts.is_not_null().arg_true():
            row, cell, member, name = self._place(item, place, rows, columns, members)
            text = "***" if item.personal else str(texts[place])
            rule, zh, en = _untyped(item, text)
            self.add(
                rule,
                "value",
                f"“{name}”（{cell}）{zh}",
                f"{item.code} ({cell}) {en}",
                row=row,
                severity="soft" if item.role in ("attribute", "breakdown") else "hard",
                cell=cell,
                field_code=item.code,
                breakdown=member,
                value=text,
            )

    def nameless(self, item: FormField, rows: pl.Series, column: Column | None) -> None:
        """A finding for each row that has numbers but does not say of which member."""
        for row in rows:
            cell = cell_name(row, column.index + 1 if column else 1)
            self.add(
                "MEMBER_MISSING",
                "value",
                f"第{row}行有数但没有填写“{item.name_zh}”（{cell}），未读取；请补填",
                f"row {row} has numbers but no {item.code} ({cell}) and was not read; fill it in",
                row=row,
                severity="soft",
                cell=cell,
                field_code=item.code,
            )

    def negatives(
        self,
        item: FormField,
        values: pl.Series,
        rows: pl.Series,
        columns: pl.Series | int | None,
        members: pl.Series | None = None,
    ) -> None:
        """A finding for each number below zero in a field that cannot be."""
        if item.role != "measure" or item.negative:
            return
        lowest = values.min()
        if not isinstance(lowest, int | float) or lowest >= 0:
            return
        for place in (values < 0).fill_null(value=False).arg_true():
            row, cell, member, name = self._place(item, place, rows, columns, members)
            self.add(
                "VALUE_NEGATIVE",
                "value",
                f"“{name}”（{cell}）填的是{number_text(values[place])}，不能小于零；没有数据请留空",
                f"{item.code} ({cell}) is {number_text(values[place])}, below zero; leave it blank if there is none",
                row=row,
                cell=cell,
                field_code=item.code,
                breakdown=member,
                value=number_text(values[place]),
            )

    def _place(
        self,
        item: FormField,
        place: int,
        rows: pl.Series,
        columns: pl.Series | int | None,
        members: pl.Series | None,
    ) -> tuple[int, str | None, str | None, str]:
        row = int(rows[place])
        column = int(columns[place]) if isinstance(columns, pl.Series) else columns
        member = str(members[place]) if members is not None else None
        name = item.name_zh
        if member is not None:
            across = self.found.form.by_code[self.found.layout.across[0]]
            codes = self.found.form.code_lists[str(across.code_list)].by_code
            name = f"{codes[member].labels[0]}{name}"
        return row, cell_name(row, column), member, name


def _untyped(item: FormField, text: str) -> tuple[str, str, str]:
    if text.upper() in ERROR_MARKS:
        return (
            "VALUE_FORMULA_ERROR",
            f"是公式错误 {text}；请改正公式或直接填数",
            f"is the formula error {text}",
        )
    if item.type in ("int", "dec"):
        if item.type == "int" and re.fullmatch(r"[+-]?\d+\.\d+", text.replace(",", "")):
            return "VALUE_NOT_WHOLE", f"填的是“{text}”，应为整数；请核对", f"is {text!r}, no whole number"
        return "VALUE_NOT_A_NUMBER", f"填的是“{text}”，不是数字；没有数据请留空", f"is {text!r}, no number"
    return (
        "VALUE_UNKNOWN_CODE",
        f"填的是“{text}”，不在规定的取值中，未读取",
        f"is {text!r}, which is none of its values, and was not read",
    )
