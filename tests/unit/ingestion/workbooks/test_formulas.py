"""The colours of a template say of a row what the intake will say of it."""

import random
import re

import polars as pl
import pytest

from ingestion.expressions import compile_expression
from ingestion.form import Form, Rule
from ingestion.forms_catalogue import load_forms
from ingestion.workbooks.formulas import broken_when, operands

FORMS = load_forms()
RULES = [
    (form, rule)
    for form in FORMS.values()
    for rule in form.rules
    if broken_when(rule, {item.code: item.code for item in form.fields if item.type in ("int", "dec")})
]


class Blank(float):
    """A blank cell, which a spreadsheet program takes for zero in sums."""


FUNCTIONS = {
    "AND": lambda *parts: all(parts),
    "OR": lambda *parts: any(parts),
    "NOT": lambda part: not part,
    "ABS": abs,
    "COUNT": lambda *cells: sum(not isinstance(cell, Blank) for cell in cells),
}


def computed(formula: str, row: dict[str, float | None]) -> bool:
    """What a spreadsheet program makes of a formula that this project writes."""
    # IFERROR(x,FALSE) becomes a call that looks at x only when asked.
    python = (
        re.sub(r"(?<![<>])=", "==", formula).replace("IFERROR(", "IFERROR(lambda: ").replace("FALSE", "False")
    )
    cells = {code: Blank(0) if value is None else value for code, value in row.items()}
    return bool(eval(python, {"__builtins__": {}, "IFERROR": or_false, **FUNCTIONS, **cells}))  # noqa: S307 - our own


def or_false(value, otherwise):
    try:
        return value()
    except ZeroDivisionError:
        return otherwise


def judged(form: Form, rule: Rule, rows: list[dict[str, object]]) -> list[bool]:
    types = {item.code: item.type for item in form.fields}
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.Float64))
    holds = frame.select(compile_expression(str(rule.check), types).polars.alias("it")).to_series()
    when = [True] * len(rows)
    if rule.when:
        when = frame.select(compile_expression(rule.when, types).polars.alias("it")).to_series().to_list()
    return [bool(applies) and one is False for applies, one in zip(when, holds, strict=True)]


def test_many_rules_are_coloured():
    assert len(RULES) > 30


@pytest.mark.parametrize(
    ("form", "rule"), RULES, ids=lambda one: getattr(one, "id", getattr(one, "code", ""))
)
def test_a_formula_says_of_a_row_what_the_rule_says(form: Form, rule: Rule):
    numbers = {item.code: item.code for item in form.fields if item.type in ("int", "dec")}
    codes = operands(rule, numbers)
    luck = random.Random(rule.id)  # noqa: S311 - made-up numbers
    rows = [{code: luck.choice([None, 0.0, 1.0, 2.0, 5.0, 100.0, 7.5]) for code in codes} for _ in range(200)]
    formula = broken_when(rule, numbers)
    assert formula is not None
    assert [computed(formula, row) for row in rows] == judged(form, rule, rows)


@pytest.mark.parametrize(
    "check",
    [
        "previous(a) <= a",
        "a <= yearly_sum('x.a')",
        "unit.is_branch",
        "is_empty(a)",
        "'x' == 'y'",
        "1 < 2",
        "if_given(a) < 2",
    ],
)
def test_what_the_row_alone_cannot_tell_has_no_formula(check: str):
    rule = Rule(id="X01", severity="soft", check=check, message_zh="构造", message_en="made up")
    assert broken_when(rule, {"a": "A1"}) is None
