"""What a template of a form consists of, before anything is written: columns, rows, and what stands above."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from ingestion.errors import FormError
from ingestion.form import Code, Edition, Form, FormField
from ingestion.labels import label_keys
from ingestion.periods import Span, read_period
from ingestion.site import load_site
from warehouse.settings import Settings

ROWS = 20
"""Blank rows of a form with a row per unit."""

CARD_ROWS = 2000
"""Rows of a line list that have drop-downs and checks."""

_MOST_MEMBERS = 3000


@dataclass(frozen=True)
class Unit:
    """A unit that the template is made for."""

    code: str
    name: str | None = None


@dataclass
class Plan:
    """A blank before it is written.

    ``above``: fields above the table; ``columns``: fields of the table; ``combinations``: members of the
    breakdowns, row by row; ``lists``: valid codes of each code list; ``ranges``: where a drop-down finds them.
    """

    form: Form
    edition: Edition
    fields: tuple[FormField, ...]
    span: Span | None
    units: tuple[Unit, ...] = ()
    rows: int = ROWS
    above: list[FormField] = field(default_factory=list)
    columns: list[FormField] = field(default_factory=list)
    combinations: list[tuple[str, ...]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    ranges: dict[str, str] = field(default_factory=dict)
    period_label: str | None = None

    @property
    def two_rows(self) -> bool:
        """Whether headings of sections stand above the labels."""
        return any(item.section for item in self.columns)

    @property
    def names_reporter(self) -> bool:
        """Whether a cell above the table is for the unit that fills it in."""
        return not self.form.cards

    @property
    def pairs_a_row(self) -> int:
        """Labels with their cells that stand side by side above the table, no wider than it."""
        return max(len(self.columns) // 2, 1)

    @property
    def header_row(self) -> int:
        """Row of the labels."""
        pairs = len(self.above) + (self.period_label is not None) + self.names_reporter
        return 2 + max(-(-pairs // self.pairs_a_row), 1) + self.two_rows

    @property
    def first_row(self) -> int:
        """First row to fill in."""
        return self.header_row + 1

    @property
    def count(self) -> int:
        """Rows to fill in."""
        if self.combinations:
            return len(self.combinations)
        return CARD_ROWS if self.form.cards else max(self.rows, len(self.units))

    @property
    def period_said(self) -> str | None:
        """The period as it is written, when it is known."""
        return period_text(self.form, self.span) if self.span else None

    def said_of(self, unit: Unit | None, item: FormField) -> str | None:
        """What a field says of a unit that is known beforehand."""
        subject = self.form.subject
        if unit is None:
            return None
        if item.code == next(iter(subject.identify_by), None):
            return unit.code
        return unit.name if item.code == subject.name else None


def period_text(form: Form, span: Span) -> str:
    """A period as the template writes it, so that the intake reads it back."""
    year, month = span.end.year, span.end.month
    quarter = (month + 2) // 3
    match form.period.type:
        case "month":
            return f"{year}年{month}月"
        case "quarter":
            return f"{year}年第{quarter}季度"
        case "cumulative_quarter":
            return f"{year}年第1季度" if quarter == 1 else f"{year}年1-{quarter}季度"
        case "event":
            return span.start.isoformat()
    return f"{year}年"


def plan_template(
    form: Form, *, edition: str | None, period: Span | None, units: Sequence[Unit], rows: int
) -> Plan:
    """Lay out the template of a form's edition: the one named, of the period, or the newest.

    Raises FormError for an edition that the form does not have.
    """
    if not any(layout.kind == "table" for layout in form.layouts):
        raise FormError(
            f"The form {form.code} has no layout with a row per record, so there is no template of it.",
            mend="Add a layout of kind table to the form.",
            form=form.code,
        )
    chosen = edition_of(form, edition, period)
    fields = form.fields_of(chosen.code)
    plan = Plan(form, chosen, fields, period, tuple(units), rows)
    first = period.start if period else chosen.valid_from or dt.date.min
    last = period.end if period else (chosen.valid_to or dt.date.max) - dt.timedelta(days=1)
    plan.lists = {
        name: [code.code for code in form.code_lists[name].codes if _is_valid(code, first, last)]
        for name in dict.fromkeys(item.code_list for item in fields if item.code_list)
    }
    listed = [item for item in fields if item.role == "breakdown" and item.code_list and not form.cards]
    if listed and len(listed) == len(form.breakdowns):
        combinations = list(product(*(plan.lists[str(item.code_list)] for item in listed)))
        plan.combinations = combinations if len(combinations) <= _MOST_MEMBERS else []
    periods = [item for item in fields if item.code in form.period.fields]
    identity = [item for item in fields if item.role == "identity" and item not in periods]
    if form.cards:
        identity += periods
    elif periods:
        plan.above = periods[:1]
    elif form.period.title:
        plan.period_label = "统计期："
    if plan.combinations:
        plan.above += identity
        identity = []
    others = [item for item in fields if item.role != "identity"]
    plan.columns = [*identity, *sorted(others, key=lambda item: item.role != "breakdown")]
    return plan


def edition_of(form: Form, code: str | None, period: Span | None) -> Edition:
    """The edition named, that of a period, or the newest; raises FormError when there is none."""
    if code is not None:
        found = next((one for one in form.editions if one.code == code), None)
    else:
        found = form.edition_at(period.start) if period else form.editions[-1]
    if found is None:
        what = (
            f"no edition {code}" if code is not None or period is None else f"no edition for {period.start}"
        )
        raise FormError(
            f"The form {form.code} has {what}.",
            mend=f"Its editions: {', '.join(one.code for one in form.editions)}.",
            form=form.code,
        )
    return found


def _is_valid(code: Code, first: dt.date, last: dt.date) -> bool:
    """Whether a code may be met in a period; of an edition without end, whether it still is valid."""
    return code.overlaps(max(first, last) if last.year == dt.MAXYEAR else first, last)


def header_text(fields: Sequence[FormField], item: FormField) -> str:
    """The label of a field's column: the first that means this field alone, with its unit where that fits."""
    owners: dict[str, set[str]] = {}
    for other in fields:
        for label in other.labels:
            owners.setdefault(label_keys(label)[0], set()).add(other.code)
    own = {item.code}
    label = next(
        (
            label
            for label in item.labels
            if owners[label_keys(label)[0]] == own
            or (item.section and owners.get(label_keys(item.section + label)[0]) == own)
        ),
        item.name_zh,
    )
    unit = item.source_unit or item.unit
    with_unit = f"{label}（{unit}）"
    if unit and not label.endswith(("）", ")")) and label_keys(with_unit) == label_keys(label):
        return with_unit
    return label


def period_of(form: Form, said: str) -> Span:
    """The period that somebody names (2015-03, 2015Q1, 2015); raises FormError when it cannot be told."""
    span = read_period(said, form.period.type)
    if span is None:
        examples = {
            "month": "2015-03",
            "quarter": "2015Q1",
            "cumulative_quarter": "2015Q2",
            "event": "2015-03-01",
        }
        raise FormError(
            f"The period {said!r} of the form {form.code} cannot be told.",
            mend=f"Write it as {examples.get(form.period.type, '2015')}.",
            form=form.code,
        )
    return span


def known_units(settings: Settings, form: Form, codes: Sequence[str]) -> tuple[Unit, ...]:
    """Units by their code, with the name that the site's directory has.

    Raises FormError for an organisation that the directory does not have.
    """
    if not codes or form.subject.type == "region":
        return tuple(map(Unit, codes))
    names: dict[str, str | None] = {}
    for event in load_site(settings).organizations:
        names[event.organization_code] = event.name_zh or names.get(event.organization_code)
    unknown = [code for code in codes if code not in names]
    if unknown:
        raise FormError(
            f"The directory has no unit {', '.join(unknown)}.",
            mend="Correct the code, or add the unit to organizations.csv.",
            units=unknown,
        )
    return tuple(Unit(code, names.get(code)) for code in codes)
