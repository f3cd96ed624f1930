"""What the models of forms have in common: strictness, spells of validity, texts that look like numbers."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# Labels and codes are often digits, and YAML would read 0301 or 12 as a number.
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Strict(BaseModel):
    """A model that is never changed and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Spell(Strict):
    """What holds from a day on, or up to one; without days it always holds."""

    valid_from: date | None = None
    valid_to: date | None = Field(None, description="First day on which it no longer holds.")

    @model_validator(mode="after")
    def _in_order(self) -> "Spell":
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must lie after valid_from")
        return self

    def overlaps(self, start: date, end: date) -> bool:
        """Whether the spell holds on any day from start to end, both inclusive."""
        return (self.valid_from is None or self.valid_from <= end) and (
            self.valid_to is None or self.valid_to > start
        )
