"""The rules of a form, evaluated over all reports of a reading at once."""

from dataclasses import dataclass, field

import polars as pl

from ingestion.findings import Finding
from ingestion.reading import Reading


@dataclass(frozen=True)
class CheckContext:
    """What the registry knows besides the file; every frame may be empty.

    ``units``: subject_ref, period_start (optional), organization_key, organization_code and the unit's
    attributes in the period. ``previous``: the previous period's current records of the same subjects:
    subject_ref and the form's columns (and ``period_start`` of the report they precede, when a file
    holds several periods). ``yearly``: subject_ref, form_code, field_code, value.
    """

    units: pl.DataFrame = field(default_factory=pl.DataFrame)
    previous: pl.DataFrame = field(default_factory=pl.DataFrame)
    yearly: pl.DataFrame = field(default_factory=pl.DataFrame)


def check(reading: Reading, context: CheckContext) -> list[Finding]:
    """Findings of the form's rules for the reports of a reading."""
    raise NotImplementedError
