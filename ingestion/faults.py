"""What is wrong with a table, told to its sender: findings on its header and its cells."""

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from ingestion.findings import Finding, Level, Severity, cell_name
from ingestion.form import FormField
from ingestion.grids import SourceCells
from ingestion.layout import nearest_label
from ingestion.readers.table import number_text
from ingestion.recognised import Recognised, Spot
from ingestion.shifted import shifted_texts
from ingestion.values import ERROR_MARKS
from ingestion.written_units import Differing, differing

_MAX_UNKNOWN = 200

_NOTED = {
    "per mille": (
        "VALUE_CONVERTED",
        "填的是“{text}”，本项的单位是‰，已换算成‰读取；请按‰填写",
        "is {text!r}; it was read in ‰, the form's unit",
    ),
    "footnote": (
        "VALUE_FOOTNOTE",
        "数字后带有注释符号（“{text}”），已按数字读取；请将说明写在备注中",
        "has a footnote mark behind its number ({text!r}); the number was read",
    ),
    "time": (
        "VALUE_TIME_LEFT_OUT",
        "填的是“{text}”，本项只取日期",
        "is {text!r}; only its day was read",
    ),
}


@dataclass(frozen=True)
class Cells:
    """Where the cells of one field stand: the record each belongs to, its row and column, and what it is called.

    ``names`` gives for a record the members it is for and how they are printed; None without members.
    """

    places: pl.Series
    at: SourceCells
    names: Callable[[int], tuple[str, str] | None] = lambda _: None

    def cell(self, number: int) -> str | None:
        """Spreadsheet name of the cell of the n-th record."""
        row, column = (part[number] if isinstance(part, pl.Series) else part for part in self.at)
        return cell_name(row, column)


@dataclass
class Faults:
    """Findings of one table. Until reports are numbered, ``report_no`` is the record a finding stands in."""

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
        place: int | None = None,
        severity: Severity = "hard",
        cell: str | None = None,
        field_code: str | None = None,
        breakdown: str | None = None,
        value: str | None = None,
        kept: str | None = None,
    ) -> None:
        """Note a finding; without a record's place it concerns the file."""
        self.findings.append(
            Finding(
                rule_id=rule_id,
                level=level,
                severity=severity,
                message_zh=message_zh,
                message_en=message_en,
                report_no=place,
                sheet=self.sheet,
                cell=cell,
                field_code=field_code,
                breakdown=breakdown,
                value=value,
                kept=kept,
            )
        )

    @property
    def header(self) -> str:
        """Cell where the labels begin."""
        return cell_name(self.found.header_row + 1, 1) or ""

    def names(self, codes: Sequence[str]) -> str:
        """Printed names of fields, as alternatives."""
        return "或".join(f"“{self.found.form.by_code[code].name_zh}”" for code in codes)

    # The header

    def unknown_labels(
        self, spots: Sequence[Spot], kept: Callable[[Spot], str | None] = lambda _: None
    ) -> None:
        """Labels the form does not have: left out of the records; ``kept`` gives the numbers that are kept with it."""
        taken = self.found.taken
        for spot in spots[:_MAX_UNKNOWN]:
            near = (
                nearest_label(spot.label, self.found.form, self.found.layout, taken) if spot.label else None
            )
            kind = "列" if self.found.layout.kind in ("table", "wide") else "项目"
            self.add(
                "COLUMN_UNKNOWN",
                "layout",
                f"{kind}“{spot.label}”（{spot.cell}）不是本表的指标，未读入；所填内容随原文件保存，本表增加此项后可以补读"
                + (f"；是否应为“{near}”？" if near else ""),
                f"{spot.label!r} ({spot.cell}) is not part of the form and was not read; it stays in the kept file,"
                " which `warehouse replay` reads again once the form has it"
                + (f"; is it {near!r}?" if near else ""),
                severity="soft",
                cell=spot.cell,
                value=spot.label,
                kept=kept(spot),
            )

    def columns_left_out(self, spots: Sequence[Spot]) -> None:
        """Columns whose numbers are of another time than the report's, or add up those of several periods."""
        for spot in spots[:_MAX_UNKNOWN]:
            self.add(
                "COLUMN_LEFT_OUT",
                "layout",
                f"列“{spot.label}”（{spot.cell}）是累计、小计或其他时期的数，未读取；本表只取本期的数，不必更改",
                f"{spot.label!r} ({spot.cell}) is of another time or adds up several and was not read; nothing to mend",
                severity="soft",
                cell=spot.cell,
                value=spot.label,
            )

    def rows_left_out(self, rule_id: str, rows: Sequence[int], zh: str, en: str) -> None:
        """Rows (counted from 1) that look like records and were not read; ``zh`` and ``en`` say why, and what to do."""
        for row in rows[:_MAX_UNKNOWN]:
            zh_row, en_row = f"第{row}行像是数据，{zh}", f"row {row} looks like a record {en}"
            self.add(rule_id, "layout", zh_row, en_row, severity="soft", cell=cell_name(row, 1))

    def too_long(self, rows: Sequence[tuple[int, int]]) -> None:
        """Rows (counted from 1) with more fields than their labels, each with the place of a record in it."""
        for place, row in rows:
            zh, en = shifted_texts(row)
            self.add("ROW_TOO_LONG", "layout", zh, en, place=place, cell=cell_name(row, 1))

    def part_unknown(self) -> None:
        """Neither title nor file name says which of a form's parts this is."""
        names = [self.found.form.by_code[part.measure].name_zh for part in self.found.choices]
        self.add(
            "PART_UNKNOWN",
            "layout",
            f"看不出本表是{'还是'.join(names)}；请在标题或文件名中写明",
            f"neither title nor file name says which measure the table holds: {' or '.join(names)}",
        )

    def header_faults(self, places: Sequence[tuple[int, date]], told: Container[str] = ()) -> None:
        """Faults of the header that quarantine every report of the table they concern.

        A report is named by its first record and the day its period begins: a column that its edition does not
        have is not missing from it, nor is one whose content (``told``) stands elsewhere. A table without records
        has no reports; then they concern the file.
        """
        form = self.found.form
        for problem in [*self._missing(), *self._ambiguous(), *self._twice(), *self._units()]:
            rule, zh, en, cell, code = problem
            if rule == "COLUMN_MISSING" and code in told and places:
                continue
            editions = form.by_code[code].editions if code in form.by_code else None
            for place, start in places:
                edition = form.edition_at(start)
                if rule != "COLUMN_MISSING" or not editions or (edition and edition.code in editions):
                    self.add(rule, "layout", zh, en, place=place, cell=cell, field_code=code)
            if not places:
                self.add(rule, "layout", zh, en, cell=cell, field_code=code)

    def _missing(self) -> list[tuple[str, str, str, str | None, str | None]]:
        taken = self.found.taken
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for item in self.found.missing:
            likely = [
                spot.label
                for spot in self.found.unknown
                if spot.label
                and nearest_label(spot.label, self.found.form, self.found.layout, taken) in item.labels
            ]
            advice_zh = f"；列“{likely[0]}”是否就是它？请改回原表头" if likely else "；请按模板补上"
            advice_en = f"; is it {likely[0]!r}?" if likely else ""
            zh = f"缺少必需的列“{item.name_zh}”{advice_zh}"
            en = f"the required column {item.name_zh!r} is missing{advice_en}"
            problems.append(("COLUMN_MISSING", zh, en, None, item.code))
        return problems

    def _ambiguous(self) -> list[tuple[str, str, str, str | None, str | None]]:
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for spot, choices in self.found.ambiguous:
            names = self.names([code for code in choices if code in self.found.form.by_code])
            zh = f"列“{spot.label}”（{spot.cell}）可能是{names}，无法确定；请保留表头的编号或上级标题"
            en = (
                f"column {spot.label!r} ({spot.cell}) may be {', '.join(choices)}; keep its number or heading"
            )
            problems.append(("COLUMN_AMBIGUOUS", zh, en, spot.cell, None))
        return problems

    def _twice(self) -> list[tuple[str, str, str, str | None, str | None]]:
        problems: list[tuple[str, str, str, str | None, str | None]] = []
        for spot, code in self.found.twice:
            zh = f"列“{spot.label}”（{spot.cell}）与另一列是同一指标；请只保留一列，或补上区分它们的上级标题"
            en = (
                f"column {spot.label!r} ({spot.cell}) repeats {code}; "
                "keep one or give the headings that tell them apart"
            )
            problems.append(("COLUMN_TWICE", zh, en, spot.cell, code))
        return problems

    def _units(self) -> list[tuple[str, str, str, str | None, str | None]]:
        """Fields whose unit of measure is another than the form's."""
        return [("UNIT_DIFFERS", one.zh, one.en, one.cell, one.item.code) for one in differing(self.found)]

    def units_of_records(self, units: Sequence[tuple[int, str, Spot]]) -> None:
        """Numbers whose row says another unit of measure than the form: the record's place, the field, the unit."""
        for place, code, spot in units:
            item = self.found.form.by_code[code]
            one = Differing(item, spot.cell, spot.label, item.source_unit or item.unit or "")
            self.add("UNIT_DIFFERS", "layout", one.zh, one.en, place=place, cell=one.cell, field_code=code)

    # Cells

    def cell_faults(self, item: FormField, texts: pl.Series, cells: Cells, *, severity: Severity) -> None:
        """A finding for each cell whose text could not be typed."""
        for number in texts.is_not_null().arg_true():
            text = "***" if item.personal else str(texts[number])
            rule, zh, en = _untyped(item, text)
            self._cell(rule, item, cells, number, zh=zh, en=en, severity=severity, value=text)

    def notes(self, item: FormField, notes: pl.Series, raw: pl.Series, cells: Cells) -> None:
        """A finding for each cell that was read with something left out."""
        for number in notes.is_not_null().arg_true():
            text = "***" if item.personal else str(raw[number])
            rule, zh, en = _NOTED[notes[number]]
            self._cell(
                rule,
                item,
                cells,
                number,
                zh=zh.format(text=text),
                en=en.format(text=text),
                severity="soft",
                value=text,
            )

    def negatives(self, item: FormField, values: pl.Series, cells: Cells) -> None:
        """A finding for each number below zero in a field that cannot be."""
        if item.role != "measure" or item.negative:
            return
        lowest = values.min()
        if not isinstance(lowest, int | float) or lowest >= 0:
            return
        for number in (values < 0).fill_null(value=False).arg_true():
            text = number_text(values[number])
            self._cell(
                "VALUE_NEGATIVE",
                item,
                cells,
                number,
                zh=f"填的是{text}，不能小于零；没有数据请留空",
                en=f"is {text}, below zero; leave it blank if there is none",
                severity="hard",
                value=text,
            )

    def persons(self, item: FormField, where: pl.Series, cells: Cells) -> None:
        """A finding for each cell in ``where``, which says who somebody is and is kept without that."""
        for number in where.arg_true():
            self._cell(
                "PERSON_MISPLACED",
                item,
                cells,
                number,
                zh="疑似填了个人信息（证件号、电话、邮箱或姓名），保存时已隐去；报表中请不要填写个人信息",
                en="seems to say who somebody is, which was left out; reports name nobody",
                severity="soft",
                value=None,
            )

    def nameless(self, item: FormField, numbers: Sequence[int], cells: Cells) -> None:
        """A finding for each record that has numbers but does not say of which member."""
        for number in numbers:
            cell = cells.cell(number)
            self.add(
                "MEMBER_MISSING",
                "value",
                f"{cell}没有填写“{item.name_zh}”，但同一行有数，这些数无法归入；请补填",
                f"{item.code} ({cell}) is blank beside numbers, which belong to nobody; fill it in",
                place=cells.places[number],
                cell=cell,
                field_code=item.code,
            )

    def _cell(
        self,
        rule: str,
        item: FormField,
        cells: Cells,
        number: int,
        *,
        zh: str,
        en: str,
        severity: Severity,
        value: str | None,
    ) -> None:
        named = cells.names(number)
        cell = cells.cell(number)
        self.add(
            rule,
            "value",
            f"“{named[1] if named else ''}{item.name_zh}”（{cell}）{zh}",
            f"{item.code} ({cell}) {en}",
            place=cells.places[number],
            severity=severity,
            cell=cell,
            field_code=item.code,
            breakdown=named[0] if named else None,
            value=value,
        )


def _untyped(item: FormField, text: str) -> tuple[str, str, str]:
    if text.upper() in ERROR_MARKS or text.startswith("="):
        zh, en = f"是公式错误 {text}；请改正公式或直接填数", f"is the formula error {text}"
        if text.startswith("="):
            zh = f"是公式“{text}”，没有算出的数；请用Excel或WPS打开、保存后报送，或直接填数"
            en = f"is the formula {text!r}, which no program has calculated"
        return "VALUE_FORMULA_ERROR", zh, en
    if item.type in ("int", "dec"):
        if re.fullmatch(r"[+-]?[\d.,\s]+[%‰％]", text):
            return (
                "VALUE_IN_OTHER_UNIT",
                f"填的是“{text}”，本项的单位是{item.source_unit or item.unit or '数'}；请换算后填写",
                f"is {text!r}, but the unit is {item.source_unit or item.unit or 'a plain number'}",
            )
        if item.type == "int" and re.fullmatch(r"[+-]?\d+\.\d+", text.replace(",", "")):
            return "VALUE_NOT_WHOLE", f"填的是“{text}”，应为整数；请核对", f"is {text!r}, no whole number"
        return "VALUE_NOT_A_NUMBER", f"填的是“{text}”，不是数字；没有数据请留空", f"is {text!r}, no number"
    if item.type in ("date", "datetime"):
        return (
            "VALUE_NOT_A_DATE",
            f"填的是“{text}”，看不出是哪一天；请写成2015-03-01",
            f"is {text!r}, no date",
        )
    return (
        "VALUE_UNKNOWN_CODE",
        f"填的是“{text}”，不在规定的取值中，未读取",
        f"is {text!r}, which is none of its values, and was not read",
    )
