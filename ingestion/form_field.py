"""The model of a field of a form: what it is called, holds, and in which unit."""

from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from ingestion.model_base import Identifier, Strict, Text

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


class FormField(Strict):
    """One column or cell of a form."""

    code: Identifier
    labels: tuple[Text, ...] = Field(min_length=1, description="Spellings; the first is the printed one.")
    type: DataType
    role: Role = "measure"
    unit: str | None = Field(None, description="Unit in the star.")
    source_unit: str | None = Field(None, description="Unit on the form, when it differs.")
    unit_field: Identifier | None = Field(None, description="Field whose cell says the unit of each record.")
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
