"""What is wrong with cards, told to their sender without a word of what stands in a cell."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from ingestion.cards.ledger import Entry, Ledger
from ingestion.checks import Verdicts
from ingestion.findings import Finding, Severity, cell_name
from ingestion.form import Form, FormField
from ingestion.shifted import shifted_texts

if TYPE_CHECKING:
    from ingestion.cards.batch import BatchReader


class Fault(Protocol):
    """One thing that may be wrong with cards."""

    @property
    def rule_id(self) -> str:
        """The rule that fails."""

    @property
    def severity(self) -> Severity:
        """Whether it sets a card aside."""

    def findings(self, reader: "BatchReader", body: pl.DataFrame, where: pl.Series) -> list[Finding]:
        """A finding for each card of the batch in ``where``."""


@dataclass(frozen=True)
class CellFault:
    """A fault of the cells of one field; ``zh`` and ``en`` go on behind the name of the cell."""

    rule_id: str
    severity: Severity
    field: FormField
    zh: str
    en: str

    def findings(self, reader: "BatchReader", body: pl.DataFrame, where: pl.Series) -> list[Finding]:
        """A finding for each card in ``where``."""
        index = reader.columns.get(self.field.code)
        found = []
        places = body.filter(where).select("report_no", "record_no", "source_row")
        for report_no, record_no, row in places.iter_rows():
            cell = cell_name(row, index + 1 if index is not None else 1)
            found.append(
                Finding(
                    rule_id=self.rule_id,
                    level="value",
                    severity=self.severity,
                    message_zh=f"“{self.field.name_zh}”（{cell}）{self.zh}",
                    message_en=f"{self.field.code} ({cell}) {self.en}",
                    report_no=report_no,
                    sheet=reader.sheet,
                    cell=cell,
                    field_code=self.field.code,
                    record_no=record_no,
                )
            )
        return found


def incomplete(field: FormField, noun: str) -> CellFault:
    """A card without what tells it from others, dates it, or makes it one of the form."""
    return CellFault(
        "CARD_INCOMPLETE",
        "hard",
        field,
        f"没有填写或无法识别，这张{noun}单独搁置；请补填后重新报送",
        "is blank or unreadable; this card is set aside",
    )


def in_future(field: FormField, noun: str) -> CellFault:
    """A card of a day that had not come when its file did."""
    return CellFault(
        "CARD_IN_FUTURE",
        "hard",
        field,
        f"晚于收到文件的日期，这张{noun}单独搁置；请核对年份",
        "lies after the day the file came; this card is set aside",
    )


_KINDS = {
    "int": ("不是整数", "no whole number"),
    "dec": ("不是数字", "no number"),
    "date": ("不是日期；请写成2015-10-01", "no date; write 2015-10-01"),
    "datetime": ("不是日期和时间；请写成2015-10-01 08:30", "no date and time; write 2015-10-01 08:30"),
    "flag": ("不是“是”或“否”", "neither yes nor no"),
}


def untyped(field: FormField) -> CellFault:
    """A cell that cannot be read as what its field holds."""
    zh, en = _KINDS.get(field.type, ("不在规定的取值中", "none of its values"))
    return CellFault("VALUE_UNREADABLE", "soft", field, f"填的内容{zh}，未读取", f"is {en} and was not read")


def negative(field: FormField) -> CellFault:
    """A number below zero in a field that cannot be."""
    return CellFault(
        "VALUE_NEGATIVE",
        "soft",
        field,
        "小于零；没有数据请留空",
        "is below zero; leave it blank if there is none",
    )


def wrong_digits(field: FormField) -> CellFault:
    """A number or code whose structure or check digit cannot be right."""
    if field.format == "icd10":
        return CellFault(
            "VALUE_STRUCTURE",
            "soft",
            field,
            "不符合ICD-10的编码结构，请核对；不是编码的文字不保存",
            "has not the structure of ICD-10; words are not stored in place of a code",
        )
    standard = "GB 32100" if field.format == "uscc" else "GB 11643"
    return CellFault(
        "VALUE_CHECK_DIGIT",
        "soft",
        field,
        f"不符合{standard}的结构或校验位，请与证件核对",
        f"fails the structure or check digit of {standard}",
    )


def disagrees(field: FormField, number: FormField) -> CellFault:
    """A birth date or sex that is not the citizen number's."""
    return CellFault(
        "PERSON_DISAGREES",
        "soft",
        field,
        f"与“{number.name_zh}”中的不一致，请核对",
        f"is not what {number.code} says",
    )


def misplaced(field: FormField, *, is_key: bool = False) -> CellFault:
    """Who somebody is, in a column that is stored; of the number of a card (``is_key``) a keyed hash is."""
    if is_key:
        return CellFault(
            "PERSON_MISPLACED",
            "soft",
            field,
            "疑似填了个人信息（姓名、证件号或电话），只保存了加密摘要；请填写卡片本身的编号",
            "seems to say who somebody is; only a keyed hash was stored; fill in the number of the card itself",
        )
    return CellFault(
        "PERSON_MISPLACED",
        "soft",
        field,
        "疑似填了个人信息（姓名、证件号、电话或住址），未保存；请填到对应的列",
        "seems to say who somebody is and was not stored; fill in the right column",
    )


def twice(field: FormField, noun: str, *, same: bool) -> CellFault:
    """A card whose key an earlier card of the file has; the same card again does no harm."""
    if same:
        return CellFault(
            "CARD_TWICE",
            "soft",
            field,
            f"这张{noun}在文件中重复出现，内容相同，只计一次",
            "is on a card that stands in the file before; it counts once",
        )
    return CellFault(
        "CARD_TWICE",
        "hard",
        field,
        f"与文件中前面的一张{noun}编号相同而内容不同，单独搁置；请只保留正确的一张",
        "is the key of an earlier card of the file that says something else; this card is set aside",
    )


@dataclass(frozen=True)
class TooLong:
    """A row of delimited text with more fields than its labels, whose cells may have moved."""

    noun_zh: str
    rule_id: str = "ROW_TOO_LONG"
    severity: Severity = "hard"

    def findings(self, reader: "BatchReader", body: pl.DataFrame, where: pl.Series) -> list[Finding]:
        """A finding for each card in ``where``."""
        found = []
        for report_no, record_no, row in (
            body.filter(where).select("report_no", "record_no", "source_row").iter_rows()
        ):
            zh, en = shifted_texts(row)
            found.append(
                Finding(
                    rule_id=self.rule_id,
                    level="layout",
                    severity=self.severity,
                    message_zh=f"{zh}；这张{self.noun_zh}单独搁置",
                    message_en=f"{en}; this card is set aside",
                    report_no=report_no,
                    sheet=reader.sheet,
                    cell=cell_name(row, 1),
                    record_no=record_no,
                )
            )
        return found


@dataclass(frozen=True)
class RuleFails:
    """A rule of the form."""

    verdicts: Verdicts
    number: int

    @property
    def rule_id(self) -> str:
        """The rule's own name."""
        return self.verdicts.tests[self.number].rule.id

    @property
    def severity(self) -> Severity:
        """As the form says."""
        return self.verdicts.tests[self.number].rule.severity

    def findings(self, reader: "BatchReader", body: pl.DataFrame, where: pl.Series) -> list[Finding]:
        """A finding for each card in ``where``, with its number."""
        numbers = body.filter(where)["record_no"]
        return [
            replace(finding, record_no=number)
            for finding, number in zip(self.verdicts.findings(self.number, where), numbers, strict=True)
        ]


@dataclass(frozen=True)
class RowFault:
    """Rows that belong to no report, because they do not say whose or when."""

    rule_id: str
    rows: list[int]
    zh: str
    en: str

    @classmethod
    def nobody(cls, rows: list[int], names: str) -> "RowFault":
        """Rows that do not say whom they are about."""
        return cls(
            "SUBJECT_MISSING",
            rows,
            f"没有填写{names}，不知道是哪个单位（地区）的；请补填"
            if names
            else "没有说明是哪个单位（地区）的",
            "does not say whom it is about; fill in the unit or region",
        )

    @classmethod
    def timeless(cls, rows: list[int], name: str) -> "RowFault":
        """Rows that do not say when."""
        return cls(
            "PERIOD_MISSING",
            rows,
            f"的“{name}”没有填写或无法识别，不知道是哪一期的；请补填",
            "has no date that can be read",
        )

    def finding(self, row: int, sheet: str) -> Finding:
        """The finding for one row."""
        return Finding(
            rule_id=self.rule_id,
            level="layout",
            severity="hard",
            message_zh=f"第{row}行{self.zh}",
            message_en=f"row {row} {self.en}",
            sheet=sheet,
            cell=cell_name(row, 1),
        )


def units(ledger: Ledger, form: Form, sheet: str, placed: Mapping[str, object]) -> None:
    """A finding on a unit or region that nobody knows, for the report that comes next; its cell is not repeated."""
    ambiguous = form.subject.type == "organization" and int(str(placed.get("candidates") or 0)) > 1
    rule_id = "UNIT_AMBIGUOUS" if ambiguous else "UNIT_UNKNOWN"
    if not ledger.room(None, rule_id, 1):
        return
    if form.subject.type == "region":
        zh, en = (
            "不是行政区划代码，请填写6位（或9、12位）代码",
            "is no region code; give the code of 6 (or 9, 12) digits",
        )
    elif ambiguous:
        zh, en = (
            "在机构目录中对应几个单位，请填写机构编码或统一社会信用代码",
            "fits several units of the directory; give its code",
        )
    else:
        zh, en = (
            "不在机构目录中；请核对名称和代码，确属新单位的请先登记机构目录",
            "is not in the directory; correct it, or register the unit first",
        )
    names = (
        "或".join(f"“{form.by_code[code].name_zh}”" for code in form.subject.identify_by) or "数据来源的地区"
    )
    codes = ", ".join(form.subject.identify_by) or "the region"
    ledger.tell(
        [
            Finding(
                rule_id=rule_id,
                level="unit",
                severity="hard",
                report_no=len(ledger.entries) + 1,
                message_zh=f"有的行所填的{names}{zh}；这些行未读取",
                message_en=f"what some rows give as {codes} {en}; they were not read",
                sheet=sheet,
            )
        ]
    )


def mostly_faulty(form: Form, entry: Entry) -> Finding:
    """A batch of which more cards are set aside than count: rather a wrong file than wrong cards."""
    noun = form.cards.noun_zh if form.cards else "卡"
    return Finding(
        rule_id="CARDS_MOSTLY_FAULTY",
        level="report",
        severity="hard",
        message_zh=f"{entry.cards}张{noun}中有{entry.set_aside}张未通过检查，超过一半，整批暂不采用；请检查列是否错位、文件是否正确",
        message_en=f"{entry.set_aside} of {entry.cards} cards fail a check, more than half: the whole batch waits;"
        " see whether columns are shifted or the file is another",
        report_no=entry.report_no,
        sheet=entry.sheet,
        value=f"{entry.set_aside}/{entry.cards}",
    )


def none(form: Form) -> Finding:
    """A table of cards without a card."""
    return Finding(
        rule_id="CARDS_NONE",
        level="file",
        severity="soft",
        message_zh=f"“{form.name_zh}”的表头下面没有一张卡；没有发生的不必报送，漏填的请补报",
        message_en=f"below the labels of {form.code} stands no card",
    )


def edition_unknown(form: Form, entry: Entry, day: dt.date) -> Finding:
    """A batch of a time that no edition of the form is valid in."""
    return Finding(
        rule_id="EDITION_UNKNOWN",
        level="report",
        severity="hard",
        message_zh=f"“{form.name_zh}”没有适用于{day}的版本；请核对日期",
        message_en=f"no edition of {form.code} is valid on {day}; check the dates",
        report_no=entry.report_no,
        sheet=entry.sheet,
    )
