"""The model of a layout: how a file arranges a form."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ingestion.model_base import Identifier, Strict


class Part(Strict):
    """One of the files that a form arrives as, each with another measure."""

    code: Identifier
    measure: str
    words: tuple[str, ...] = Field(min_length=1, description="Words in title or file name that mean it.")


class Layout(Strict):
    """How a file arranges the form.

    ``table``: a row per record; ``transposed``: a row per field, a column per record; ``sheet``: one report, each
    label left of or above its value; ``long``: a row per record and field, with the field's label in a column;
    ``wide``: a column per member of one or more breakdowns, per period, or per member and measure.
    """

    code: Identifier
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


def usual_layouts(form: dict[str, Any]) -> tuple[Layout, ...]:
    """Layouts of a form, given as validated so far, that names none."""
    return LAYOUTS[:1] if form.get("cards") else LAYOUTS
