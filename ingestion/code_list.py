"""The model of a code list: a closed list of values, with totals, classes and spells of validity."""

from datetime import date
from functools import cached_property

from pydantic import Field, model_validator

from ingestion.labels import label_keys
from ingestion.model_base import Identifier, Spell, Strict, Text


class Membership(Spell):
    """Class and total that a code belongs to in a spell."""

    class_: str | None = Field(None, alias="class")
    parent: Text | None = None


class Code(Spell):
    """One member of a code list."""

    code: Text
    labels: tuple[Text, ...] = Field(min_length=1)
    class_: str | None = Field(None, alias="class")
    parent: Text | None = Field(None, description="Code of the total it adds up to.")
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


class CodeList(Strict):
    """Closed list of values, possibly a hierarchy of totals and parts valid by date."""

    code: Identifier
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
