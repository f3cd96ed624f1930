"""A finding: one failed check at one place, told so that a clerk can mend it."""

from dataclasses import dataclass
from typing import Literal

from ingestion.masking import masked

Level = Literal["file", "layout", "value", "report", "unit", "history"]
Severity = Literal["hard", "soft"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One failed check. ``hard`` quarantines the report it concerns, ``soft`` only warns.

    ``report_no`` numbers the report within its reading; None concerns the whole file.
    ``record_no`` is the card that a hard finding sets aside instead of quarantining the whole batch.
    ``kept`` is JSON of cell and number: what was not read into a report because its form does not ask for it.
    ``cell`` is the spreadsheet name (A1) of the first cell involved. What says who somebody is, in a cell, a label
    or the name of a unit, never gets into a finding: it is masked here, whatever the check wrote.
    """

    rule_id: str
    level: Level
    severity: Severity
    message_zh: str
    message_en: str
    report_no: int | None = None
    sheet: str | None = None
    cell: str | None = None
    field_code: str | None = None
    breakdown: str | None = None
    value: str | None = None
    record_no: int | None = None
    kept: str | None = None

    def __post_init__(self) -> None:
        for name in ("message_zh", "message_en", "value", "breakdown", "sheet"):
            text = getattr(self, name)
            if text is not None and (shown := masked(text)) is not text:
                object.__setattr__(self, name, shown)


def column_name(column: int) -> str:
    """Spreadsheet letters of a 1-based column: 1 is A, 27 is AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_name(row: int | None, column: int | None) -> str | None:
    """Spreadsheet name of a 1-based cell; None when either part is unknown."""
    if row is None or column is None:
        return None
    return f"{column_name(column)}{row}"


ROW_FAULTS = frozenset({"SUBJECT_MISSING", "PERIOD_MISSING", "PERIOD_UNREADABLE"})
"""Rules that fail for a row because nobody can say whose report it is: they concern the file, not its reports."""
