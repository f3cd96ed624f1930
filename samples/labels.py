"""Labels and code lists as the form definitions have them, so that form and sample cannot drift apart."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from ingestion.form import Form, FormField
from ingestion.forms_catalogue import Catalogue, load_forms


@dataclass(frozen=True, slots=True)
class Disease:
    """A line of the notifiable-disease table at a date."""

    code: str
    text: str
    disease_class: str | None
    parent: str | None


def form(code: str) -> Form:
    """A built-in form."""
    return _built_in()[code]


def columns(code: str) -> dict[str, FormField]:
    """Columns of a form in its own order, by field code."""
    return {field.code: field for field in form(code).fields}


def alone(field: FormField) -> str:
    """The label of a field that is understood without a heading above it."""
    for label in field.labels:
        if " > " not in label and len(label) > 2:
            return label
    return field.labels[0]


def diseases(day: date) -> list[Disease]:
    """Diseases and subtotals that were notifiable on that day, in the order of the code list."""
    return [
        Disease(entry.code, entry.labels[0], spell.class_, spell.parent)
        for entry in form("idr_monthly").code_lists["disease"].codes
        for spell in entry.spells
        if spell.overlaps(day, day)
    ]


@lru_cache(maxsize=1)
def _built_in() -> Catalogue:
    return load_forms()
