"""The model of a report form: what one YAML file says about reading, typing and checking it."""

import calendar
import hashlib
import json
import re
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ingestion.labels import label_keys

PeriodType = Literal["month", "quarter", "cumulative_quarter", "year", "mch_year", "event"]
DataType = Literal["int", "dec", "text", "code", "date", "datetime", "flag"]
Role = Literal["identity", "breakdown", "attribute", "measure"]
PersonalKind = Literal["name", "citizen_number", "birth_date", "phone", "address", "identifier"]

POLARS_TYPES: dict[str, pl.DataType] = {
    "int": pl.Int64(),
    "dec": pl.Float64(),
    "text": pl.String(),
    "code": pl.String(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
    "flag": pl.Boolean(),
}

# Labels and codes are often digits, and YAML would read 0301 or 12 as a number.
_Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Spell(_Strict):
    valid_from: date | None = None
    valid_to: date | None = Field(None, description="First day on which it no longer holds.")

    @model_validator(mode="after")
    def _in_order(self) -> "_Spell":
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must lie after valid_from")
        return self

    def overlaps(self, start: date, end: date) -> bool:
        """Whether the spell holds on any day from start to end, both inclusive."""
        return (self.valid_from is None or self.valid_from <= end) and (
            self.valid_to is None or self.valid_to > start
        )


class Membership(_Spell):
    """Class and total that a code belongs to in a spell."""

    class_: str | None = Field(None, alias="class")
    parent: _Text | None = None


class Code(_Spell):
    """One member of a code list."""

    code: _Text
    labels: tuple[_Text, ...] = Field(min_length=1)
    class_: str | None = Field(None, alias="class")
    parent: _Text | None = Field(None, description="Code of the total it adds up to.")
    memberships: tuple[Membership, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> "Code":
        if self.memberships and (self.parent or self.class_):
            raise ValueError("give either parent and class, or memberships")
        return self

    @property
    def spells(self) -> tuple[Membership, ...]:
        """Its memberships; one over its whole validity when none are spelt out."""
        if self.memberships:
            return self.memberships
        return (
            Membership(
                class_=self.class_, parent=self.parent, valid_from=self.valid_from, valid_to=self.valid_to
            ),
        )


class CodeList(_Strict):
    """Closed list of values, possibly a hierarchy of totals and parts valid by date."""

    code: _Identifier
    name_zh: str
    source: str
    notes: tuple[str, ...] = ()
    codes: tuple[Code, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "CodeList":
        known: set[str] = set()
        for code in self.codes:
            if code.code in known:
                raise ValueError(f"the code {code.code} stands twice")
            known.add(code.code)
        for code in self.codes:
            for spell in code.spells:
                if spell.parent is not None and spell.parent not in known:
                    raise ValueError(f"the parent {spell.parent} of {code.code} is not in the list")
        return self

    @cached_property
    def by_code(self) -> dict[str, Code]:
        """Codes by their code."""
        return {code.code: code for code in self.codes}

    @cached_property
    def by_label(self) -> dict[str, str]:
        """Codes by the keys of their labels; a numbered label wins over its bare words."""
        index: dict[str, str] = {}
        for level in (0, 1):
            for code in self.codes:
                for label in (code.code, *code.labels):
                    index.setdefault(label_keys(label)[level], code.code)
        return index

    def code_of(self, text: str) -> str | None:
        """Code that a code or a label means."""
        full, bare = label_keys(text)
        return self.by_label.get(full) or self.by_label.get(bare)

    def parts_of(self, total: str, start: date, end: date) -> list[str]:
        """Codes that add up to a total in a period."""
        return [
            code.code
            for code in self.codes
            if any(spell.parent == total and spell.overlaps(start, end) for spell in code.spells)
        ]


class FormField(_Strict):
    """One column or cell of a form."""

    code: _Identifier
    labels: tuple[_Text, ...] = Field(min_length=1, description="Spellings; the first is the printed one.")
    type: DataType
    role: Role = "measure"
    unit: str | None = Field(None, description="Unit in the star.")
    source_unit: str | None = Field(None, description="Unit on the form, when it differs.")
    factor: float = Field(1, gt=0, description="Star value = form value times factor.")
    nature: Literal["stock", "flow", "cumulative"] | None = None
    section: str | None = Field(None, description="Heading above the column in a two-row header.")
    required: bool = Field(False, description="Whether a file without it is quarantined.")
    negative: bool = Field(False, description="Whether values below zero are possible.")
    code_list: str | None = None
    format: Literal["citizen_number", "uscc", "icd10"] | None = Field(
        None, description="Structure of a code that is verified, check digit included."
    )
    personal: PersonalKind | None = Field(
        None, description="What of a person it says; its plain value never leaves the reader."
    )
    editions: tuple[str, ...] | None = Field(None, description="Editions that have it; all when left out.")
    repeat: int | None = Field(
        None, ge=2, le=99, description="How often it stands on the form: code_1, code_2, …; {n} in labels."
    )
    verification: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _sound(self) -> "FormField":
        if self.repeat and not all("{n}" in label for label in self.labels):
            raise ValueError("each label of a repeated field has {n} where its number stands")
        if self.role == "measure" and self.type not in ("int", "dec"):
            raise ValueError("a measure is int or dec; give another role to text, codes, dates and flags")
        if self.role == "measure" and self.nature is None:
            raise ValueError("a measure says whether it is a stock, a flow or cumulative (nature)")
        if self.source_unit is None and self.factor != 1:
            raise ValueError("a factor needs the source_unit it converts from")
        if self.personal and self.role != "attribute":
            raise ValueError("a personal field is an attribute")
        if self.format and self.type != "code":
            raise ValueError("a format needs type: code")
        if self.code_list and self.type != "code":
            raise ValueError("a code_list needs type: code")
        return self

    def numbered(self, number: int) -> "FormField":
        """One of the places of a repeated field."""
        return self.model_copy(
            update={
                "code": f"{self.code}_{number}",
                "labels": tuple(label.replace("{n}", str(number)) for label in self.labels),
                "required": self.required and number == 1,
                "repeat": None,
            }
        )

    @property
    def name_zh(self) -> str:
        """The label as the form prints it."""
        return self.labels[0]

    @property
    def dtype(self) -> pl.DataType:
        """Type of its column in a reading's records."""
        return POLARS_TYPES[self.type]


class Subject(_Strict):
    """Whom a report is about and which columns say so, most reliable first."""

    type: Literal["organization", "region"]
    identify_by: tuple[str, ...] = ()
    name: str | None = Field(None, description="Column that holds the subject's name.")
    from_source: bool = Field(False, description="The lane's region stands in when the file names none.")
    classes: tuple[_Text, ...] = Field(
        (), description="Beginnings of the class codes of units that file it; any unit when left out."
    )


class Period(_Strict):
    """Kind of period and the places where a file may say it."""

    type: PeriodType
    fields: tuple[str, ...] = ()
    title: bool = False
    file_name: bool = False


class DueRule(_Strict):
    """Due on a day of a month counted from the period's last month."""

    months_after: int = Field(ge=0)
    day: int = Field(ge=1, le=31)

    def due_on(self, period_end: date) -> date:
        """Due date of the report whose period ends on the given day."""
        month0 = period_end.year * 12 + period_end.month - 1 + self.months_after
        year, month = divmod(month0, 12)
        return date(year, month + 1, min(self.day, calendar.monthrange(year, month + 1)[1]))


class Edition(_Spell):
    """A form's version with its validity; a period belongs to the edition valid on its first day."""

    code: _Text
    name_zh: str
    form_number: str | None = None


class Part(_Strict):
    """One of the files that a form arrives as, each with another measure."""

    code: _Identifier
    measure: str
    words: tuple[str, ...] = Field(min_length=1, description="Words in title or file name that mean it.")


class Layout(_Strict):
    """How a file arranges the form.

    ``table``: a row per record; ``transposed``: a row per field, a column per record; ``sheet``: one report, each
    label left of or above its value; ``long``: a row per record and field, with the field's label in a column;
    ``wide``: a column per member of one or more breakdowns, per period, or per member and measure.
    """

    code: _Identifier
    kind: Literal["table", "transposed", "sheet", "long", "wide"]
    across: Annotated[
        tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
    ] = Field((), description="Breakdowns, or period, that the columns stand for (wide).")
    measure: str | None = Field(None, description="The one measure of a wide layout without parts.")
    measures: tuple[str, ...] = Field((), description="Measures that each member has a column of (wide).")
    parts: tuple[Part, ...] = ()
    part_pattern: str | None = Field(
        None, description="Regular expression on the file name; its first group names the part of the report."
    )

    @model_validator(mode="after")
    def _complete(self) -> "Layout":
        given = (self.measure is not None) + bool(self.measures) + bool(self.parts)
        if self.kind == "wide" and (not self.across or given != 1):
            raise ValueError(
                "a wide layout says what stands across, and either its measure, its measures or its parts"
            )
        if self.kind != "wide" and (self.across or given):
            raise ValueError("across, measure, measures and parts belong to wide layouts")
        if self.part_pattern and (self.parts or re.compile(self.part_pattern).groups < 1):
            raise ValueError("a part_pattern has a group, and no parts beside it")
        return self


LAYOUTS = tuple(Layout(code=kind, kind=kind) for kind in ("table", "transposed", "sheet", "long"))
"""Arrangements that a form accepts when it names none; a line list accepts only the first."""


def _usual_layouts(form: dict[str, Any]) -> tuple[Layout, ...]:
    return LAYOUTS[:1] if form.get("cards") else LAYOUTS


class Person(_Strict):
    """A person on a card: what makes the keyed hash ``<code>_key``, ``<code>_age_band``, ``<code>_township``."""

    code: _Identifier
    citizen_number: str | None = Field(None, description="Field hashed when its number is valid.")
    otherwise: tuple[str, ...] = Field(
        (), description="Fields hashed together when there is no valid number."
    )
    birth_date: str | None = Field(None, description="Field that gives the age band at the card's date.")
    sex: str | None = Field(None, description="Field that must agree with the citizen number.")
    address_code: str | None = Field(None, description="Field whose first nine digits are the township.")


class Cards(_Strict):
    """A form whose records are cases, persons, devices or certificates of their own: a line list.

    A card that fails a hard check is set aside alone; the batch goes on.
    """

    noun_zh: str = Field(description="What one card is called in messages.")
    key: tuple[str, ...] = Field((), description="Fields that tell a card from all others of the form.")
    date: str | None = Field(None, description="Field that dates a card, and with it the batch.")
    persons: tuple[Person, ...] = ()


class PartsAddUp(_Strict):
    """Totals of a code list must equal the sum of their parts."""

    over: str
    measures: tuple[str, ...] = Field(min_length=1)
    totals: tuple[_Text, ...] = Field(min_length=1)
    tolerance: float = 0


class Rule(_Strict):
    """A balance rule: an expression that holds for every record, or totals that add up."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,29}$")
    severity: Literal["hard", "soft"]
    check: str | None = None
    parts_add_up: PartsAddUp | None = None
    when: str | None = Field(None, description="The rule applies only where this holds.")
    for_each: tuple[str, ...] = Field(
        (),
        description="Fields that `value` stands for, one after another; a repeated field is all its places.",
    )
    at: str | None = Field(None, description="Field whose cell the finding points at; else the first named.")
    once_per_report: bool = False
    once_per_reporter: bool = Field(
        False, description="One finding on the file for all reports of a reporter and period."
    )
    level: Literal["report", "unit", "history"] | None = None
    message_zh: str
    message_en: str
    verification: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Rule":
        if (self.check is None) == (self.parts_add_up is None):
            raise ValueError("give either check or parts_add_up")
        return self


class Statement(_Strict):
    """What a form says that is no test of one report, and where it is seen to instead."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,29}$")
    text_zh: str
    why: str = Field(description="Who or what sees to it.")
    verification: str | None = None


class Include(_Strict):
    """Fields and rules taken over from another form."""

    form: str
    fields: Literal["all"] | tuple[str, ...] = "all"
    rules: Literal["all"] | tuple[str, ...] = "all"
    without: tuple[str, ...] = ()


class Form(_Strict):
    """A report form with everything that is known about it."""

    code: _Identifier
    name_zh: str
    name_en: str
    form_numbers: str | None = None
    verification: str | None = None
    notes: tuple[str, ...] = ()
    include: tuple[Include, ...] = ()
    words: tuple[str, ...] = Field((), description="Words in title or file name that tell it from its likes.")
    subject: Subject
    period: Period
    due: DueRule | None = None
    due_note: str | None = None
    filed_by: str | None = Field(None, description="Who files it, and for whom.")
    reporter_classes: tuple[_Text, ...] = Field(
        (), description="Beginnings of the class codes of units that file it for others; any unit when left out."
    )
    received_by: str | None = None
    feeds: str | None = Field(None, description="What is computed from it.")
    cards: Cards | None = None
    editions: tuple[Edition, ...] = Field(min_length=1)
    special_values: dict[int, str] = Field(default_factory=dict)
    fields: tuple[FormField, ...]
    layouts: tuple[Layout, ...] = Field(default_factory=_usual_layouts, min_length=1)
    rules: tuple[Rule, ...] = ()
    statements: tuple[Statement, ...] = ()
    code_lists: dict[str, CodeList] = Field(default_factory=dict)

    @field_validator("code_lists", mode="before")
    @classmethod
    def _set_by_catalogue(cls, value: object) -> object:
        if value:
            raise ValueError("code lists stand in files of their own, in the folder code_lists")
        return value

    @cached_property
    def by_code(self) -> dict[str, FormField]:
        """Fields by their code."""
        return {field.code: field for field in self.fields}

    @cached_property
    def columns(self) -> tuple[FormField, ...]:
        """Fields that are columns of the raw table, in its order; what says who a person is never is one."""
        return tuple(
            field
            for role in ("breakdown", "attribute", "measure")
            for field in self.fields
            if field.role == role and field.personal is None
        )

    @cached_property
    def person_columns(self) -> dict[str, str]:
        """Columns that stand in the raw table for the persons on a card, with what they say."""
        columns: dict[str, str] = {}
        for person in self.cards.persons if self.cards else ():
            columns[f"{person.code}_key"] = "个人的加密标识（带密钥的HMAC-SHA256前32位）；同一人在各卡上相同"
            if person.birth_date or person.citizen_number:
                columns[f"{person.code}_age_band"] = "填卡所记日期时的年龄组"
            if person.address_code:
                columns[f"{person.code}_township"] = "现住址所在镇街（9位统计用区划代码）"
        return columns

    @property
    def measures(self) -> tuple[FormField, ...]:
        """The form's numbers."""
        return tuple(field for field in self.fields if field.role == "measure")

    @property
    def breakdowns(self) -> tuple[FormField, ...]:
        """Fields that split a report into several records."""
        return tuple(field for field in self.fields if field.role == "breakdown")

    def edition_at(self, day: date) -> Edition | None:
        """Edition in force on a day."""
        return next((edition for edition in self.editions if edition.overlaps(day, day)), None)

    def fields_of(self, edition: str) -> tuple[FormField, ...]:
        """Fields that an edition has."""
        return tuple(f for f in self.fields if f.editions is None or edition in f.editions)

    def layout_named(self, code: str) -> Layout:
        """A layout by its code."""
        return next(layout for layout in self.layouts if layout.code == code)

    def rows_are_reports(self, layout: str) -> bool:
        """Whether one row of a layout holds all members of a report, so that a second row is the report again."""
        arranged = self.layout_named(layout)
        return arranged.kind == "wide" and {f.code for f in self.breakdowns} <= set(arranged.across)

    def due_on(self, period_end: date) -> date | None:
        """Due date of the report for a period; None when the form sets none."""
        return self.due.due_on(period_end) if self.due else None

    def definition(self) -> dict[str, Any]:
        """The whole definition as JSON values, code lists included."""
        return self.model_dump(mode="json", by_alias=True)

    def __hash__(self) -> int:
        return hash((self.code, self.definition_hash))

    @cached_property
    def definition_hash(self) -> str:
        """Fingerprint of the definition: changes when anything in it does."""
        text = json.dumps(self.definition(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def period_bounds(period_type: PeriodType, year: int, number: int = 1) -> tuple[date, date]:
    """First and last day of a period; ``number`` is the month or the quarter."""
    if period_type == "month":
        return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])
    if period_type in ("quarter", "cumulative_quarter"):
        first = 1 if period_type == "cumulative_quarter" else 3 * number - 2
        return date(year, first, 1), date(year, 3 * number, calendar.monthrange(year, 3 * number)[1])
    if period_type == "mch_year":
        return date(year - 1, 10, 1), date(year, 9, 30)
    return date(year, 1, 1), date(year, 12, 31)


def previous_period_start(period_type: PeriodType, start: date, end: date) -> date:
    """First day of the period before; for cumulative quarters that of the shorter accumulation's year."""
    before = start - timedelta(days=1)
    if period_type == "month":
        return before.replace(day=1)
    if period_type == "quarter":
        return date(before.year, 3 * ((before.month - 1) // 3) + 1, 1)
    if period_type in ("year", "mch_year"):
        return start.replace(year=start.year - 1)
    if period_type == "cumulative_quarter" and end.month > 3:
        return start
    return start.replace(year=start.year - 1) if period_type == "cumulative_quarter" else before


def previous_period(period_type: PeriodType, start: date, end: date) -> tuple[date, date]:
    """First and last day of the period before; of a cumulative quarter the accumulation up to the quarter before."""
    last = start - timedelta(days=1)
    if period_type == "cumulative_quarter" and end.month > 3:
        last = date(end.year, end.month - 2, 1) - timedelta(days=1)
    return previous_period_start(period_type, start, end), last
