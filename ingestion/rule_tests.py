"""The rules of a form as expressions to evaluate, compiled once, and what each is about."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import polars as pl

from ingestion.expressions import Expression, compile_expression
from ingestion.form import Form, Rule

Of = Literal["record", "batch", "earlier"]
"""What an expression is about: one record; a batch of cards as a whole; a card beside what it said earlier."""


@dataclass(frozen=True)
class Test:
    """One expression to evaluate: a rule, or a rule for one of its fields; ``value`` is that field."""

    rule: Rule
    check: Expression
    when: Expression | None
    value: str | None
    of: Of = "record"

    @property
    def parts(self) -> list[Expression]:
        """Its expressions."""
        return [self.check, self.when] if self.when else [self.check]


def asked_of_batches(form: Form) -> frozenset[str] | None:
    """Fields that the rules on whole batches of a form of cards name; None when there are no such rules."""
    parts = [part for test in tests_of(form) if test.of == "batch" for part in test.parts]
    return frozenset(name for part in parts for name in (*part.fields, *part.summed)) if parts else None


def asked_of_earlier(form: Form) -> tuple[pl.Expr, frozenset[str]] | None:
    """Which cards the rules on earlier ones are about, and the fields they name; None when there are no such rules."""
    tests = [test for test in tests_of(form) if test.of == "earlier"]
    if not tests:
        return None
    which = pl.any_horizontal(test.when.polars for test in tests if test.when)
    return which, frozenset(
        name for test in tests for part in test.parts for name in (*part.fields, *part.previous)
    )


@lru_cache(maxsize=256)
def tests_of(form: Form) -> tuple[Test, ...]:
    """The form's expressions, compiled once."""
    types = {f.code: f.type for f in form.fields}
    tests = []
    for rule in form.rules:
        if rule.check is None:
            continue
        for value in rule.for_each or (None,):
            when = compile_expression(rule.when, types, value=value) if rule.when else None
            check_ = compile_expression(rule.check, types, value=value)
            of: Of = "record"
            if form.cards is not None:
                of = "earlier" if check_.previous else "batch" if rule.once_per_report else "record"
            tests.append(Test(rule, check_, when, value, of))
    return tuple(tests)
