"""The model of a report form: what one YAML file says about reading, typing and checking it."""

import calendar
import hashlib
import json
from datetime import date
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ingestion.code_list import Code, CodeList
from ingestion.form_field import FormField
from ingestion.form_layout import Layout, Part, usual_layouts
from ingestion.model_base import Identifier, Spell, Strict, Text
from ingestion.spans import PeriodType, period_bounds, previous_period, previous_period_start

__all__ = [
    "Cards",
    "Code",
    "CodeList",
    "Edition",
    "Form",
    "FormField",
    "Include",
    "Layout",
    "Part",
    "PeriodType",
    "Person",
    "Rule",
    "Subject",
    "period_bounds",
    "previous_period",
    "previous_period_start",
]


class Subject(Strict):
    """Whom a report is about and which columns say so, most reliable first."""

    type: Literal["organization", "region"]
    identify_by: tuple[str, ...] = ()
    name: str | None = Field(None, description="Column that holds the subject's name.")
    from_source: bool = Field(False, description="The lane's region stands in when the file names none.")
    classes: tuple[Text, ...] = Field(
        (), description="Beginnings of the class codes of units that file it; any unit when left out."
    )


class Period(Strict):
    """Kind of period and the places where a file may say it."""

    type: PeriodType
    fields: tuple[str, ...] = ()
    title: bool = False
    file_name: bool = False


class DueRule(Strict):
    """Due on a day of a month counted from the period's last month."""

    months_after: int = Field(ge=0)
    day: int = Field(ge=1, le=31)

    def due_on(self, period_end: date) -> date:
        """Due date of the report whose period ends on the given day."""
        month0 = period_end.year * 12 + period_end.month - 1 + self.months_after
        year, month = divmod(month0, 12)
        return date(year, month + 1, min(self.day, calendar.monthrange(year, month + 1)[1]))


class Edition(Spell):
    """A form's version with its validity; a period belongs to the edition valid on its first day."""

    code: Text
    name_zh: str
    form_number: str | None = None


class Person(Strict):
    """A person on a card: what makes the keyed hash ``<code>_key``, ``<code>_age_band``, ``<code>_township``."""

    code: Identifier
    citizen_number: str | None = Field(None, description="Field hashed when its number is valid.")
    otherwise: tuple[str, ...] = Field(
        (), description="Fields hashed together when there is no valid number."
    )
    birth_date: str | None = Field(None, description="Field that gives the age band at the card's date.")
    sex: str | None = Field(None, description="Field that must agree with the citizen number.")
    address_code: str | None = Field(None, description="Field whose first nine digits are the township.")


class Cards(Strict):
    """A form whose records are cases, persons, devices or certificates of their own: a line list.

    A card that fails a hard check is set aside alone; the batch goes on.
    """

    noun_zh: str = Field(description="What one card is called in messages.")
    key: tuple[str, ...] = Field((), description="Fields that tell a card from all others of the form.")
    date: str | None = Field(None, description="Field that dates a card, and with it the batch.")
    persons: tuple[Person, ...] = ()


class PartsAddUp(Strict):
    """Totals of a code list must equal the sum of their parts."""

    over: str
    measures: tuple[str, ...] = Field(min_length=1)
    totals: tuple[Text, ...] = Field(min_length=1)
    tolerance: float = 0


class Rule(Strict):
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


class Statement(Strict):
    """What a form says that is no test of one report, and where it is seen to instead."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,29}$")
    text_zh: str
    why: str = Field(description="Who or what sees to it.")
    checks: tuple[str, ...] = Field((), description="Checks of the gate that ask it of all that is accepted.")
    verification: str | None = None


class Include(Strict):
    """Fields and rules taken over from another form."""

    form: str
    fields: Literal["all"] | tuple[str, ...] = "all"
    rules: Literal["all"] | tuple[str, ...] = "all"
    without: tuple[str, ...] = ()


class Form(Strict):
    """A report form with everything that is known about it."""

    code: Identifier
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
    reporter_classes: tuple[Text, ...] = Field(
        (),
        description="Beginnings of the class codes of units that file it for others; any unit when left out.",
    )
    received_by: str | None = None
    feeds: str | None = Field(None, description="What is computed from it.")
    cards: Cards | None = None
    editions: tuple[Edition, ...] = Field(min_length=1)
    special_values: dict[int, str] = Field(default_factory=dict)
    fields: tuple[FormField, ...]
    layouts: tuple[Layout, ...] = Field(default_factory=usual_layouts, min_length=1)
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

    @cached_property
    def days(self) -> frozenset[str]:
        """Fields whose cells are read as days or as periods."""
        dated = (field.code for field in self.fields if field.type in ("date", "datetime"))
        return frozenset((*self.period.fields, *dated))

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
