"""A file read through its form: reports, typed records, positions and findings."""

from dataclasses import dataclass, field

import polars as pl

from ingestion.findings import Finding
from ingestion.form import Form


@dataclass(frozen=True)
class SourceContext:
    """What the lane a file came through says about files that do not say it themselves."""

    code: str = ""
    region_code: str | None = None
    reporter: str | None = None


@dataclass(frozen=True)
class Reading:
    """One recognised group of reports of a file: same form, edition, layout and part.

    ``reports``: report_no, subject_type, subject_ref (as printed), subject_name, reporter_ref,
    period_type, period_start, period_end, content_hash, record_count, value_count, sheet.
    ``records``: report_no, record_no, the form's columns in raw order, null_reasons (JSON text),
    source_sheet, source_row, source_column.
    ``positions``: sheet, field_code, source_row, source_column.
    """

    form: Form
    edition: str
    layout: str
    part: str
    reports: pl.DataFrame
    records: pl.DataFrame
    positions: pl.DataFrame
    findings: list[Finding] = field(default_factory=list)
