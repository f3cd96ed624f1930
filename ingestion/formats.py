"""Codes whose structure can be verified without a list: credit codes with their check digit, ICD-10."""

from collections.abc import Callable

import polars as pl

from ingestion.findings import Finding, cell_name
from ingestion.form import FormField
from ingestion.identifiers import citizen_numbers_valid, icd10_valid, usccs_valid
from ingestion.reading import Reading

_VALID: dict[str, tuple[Callable[[pl.Series], pl.Series], str, str]] = {
    "uscc": (
        usccs_valid,
        "统一社会信用代码（GB 32100，18位，末位为校验码）",
        "the unified social credit code",
    ),
    "icd10": (icd10_valid, "ICD-10编码", "ICD-10"),
    "citizen_number": (citizen_numbers_valid, "公民身份号码（GB 11643）", "the citizen number"),
}
# What was meant as a credit code: other codes of units may stand in the same column.
_MEANT = r"^[0-9A-Za-z]{18}$"


def findings(reading: Reading) -> list[Finding]:
    """Codes of an aggregate report that cannot be right; cards are looked at while they are read.

    Needs the reading's reports and records; findings are soft, for the check digit is all that is known to be wrong.
    """
    form = reading.form
    found: list[Finding] = []
    places = dict(reading.positions.select("field_code", "source_column").iter_rows())
    for field in form.fields:
        if field.format is None or field.code not in places:
            continue
        if field.role == "identity":
            cells = _as_identity(reading)
        elif field.code in reading.records.columns:
            cells = reading.records.select(
                "report_no", "source_sheet", "source_row", pl.col(field.code).alias("value")
            )
        else:
            continue
        valid = _VALID[field.format][0](cells["value"])
        wrong = cells.filter(~valid.fill_null(value=True))
        found += [_finding(field, row, places[field.code]) for row in wrong.iter_rows(named=True)]
    return found


def _as_identity(reading: Reading) -> pl.DataFrame:
    """The codes by which units are named, each with the first row that names it so."""
    first = reading.records.group_by("report_no").agg(pl.col("source_sheet", "source_row").first())
    return (
        reading.reports.select("report_no", pl.col("subject_ref").alias("value"))
        .filter(pl.col("value").str.contains(_MEANT).fill_null(value=False))
        .join(first, on="report_no", how="left", maintain_order="left")
    )


def _finding(field: FormField, row: dict[str, object], column: int | None) -> Finding:
    _, standard_zh, standard_en = _VALID[str(field.format)]
    line = row["source_row"]
    cell = cell_name(line if isinstance(line, int) else None, column)
    where = f"（{cell}）" if cell else ""
    return Finding(
        rule_id="VALUE_CHECK_DIGIT",
        level="value",
        severity="soft",
        report_no=row["report_no"] if isinstance(row["report_no"], int) else None,
        sheet=str(row["source_sheet"] or ""),
        cell=cell,
        field_code=field.code,
        value=str(row["value"]),
        message_zh=f"“{field.name_zh}”{where}填“{row['value']}”，不符合{standard_zh}的结构或校验位，请与证照核对",
        message_en=f"{field.code} {row['value']!r} fails the structure or check digit of {standard_en}",
    )
