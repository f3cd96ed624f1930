"""The rules that a bureau may name: those of the forms, and those by which intake itself judges every file."""

import difflib

from ingestion.forms_catalogue import Catalogue

OF_INTAKE = frozenset({
    "CARDS_MOSTLY_FAULTY", "CARDS_NONE", "CARD_INCOMPLETE", "CARD_IN_FUTURE", "CARD_TWICE", "COLUMN_AMBIGUOUS",
    "COLUMN_LEFT_OUT", "COLUMN_MISSING", "COLUMN_TWICE", "COLUMN_UNKNOWN", "EDITION_UNKNOWN", "FILE_TOO_COSTLY",
    "FILE_TOO_LARGE", "FILE_UNREADABLE", "FILE_UNRECOGNISED", "MEMBER_MISSING", "MEMBER_TWICE_IN_REPORT",
    "MEMBER_UNREADABLE", "OLDER_CONTENT", "PART_UNKNOWN", "PERIOD_CONTRADICTION", "PERIOD_MISSING",
    "PERIOD_MISSING_IN_SERIES", "PERIOD_NOT_BEGUN", "PERIOD_UNREADABLE", "PERSON_DISAGREES", "PERSON_MISPLACED",
    "QUOTE_CLOSED_LATE", "REPORTER_CLASS_OTHER", "REPORT_TWICE_IN_FILE", "ROW_ABOVE_LABELS",
    "ROW_LIKE_SIGNATURE", "ROW_TOO_LONG", "SHEET_UNRECOGNISED", "STALE_COPY", "SUBJECT_MISSING",
    "TWO_REPORTERS", "UNIT_AMBIGUOUS", "UNIT_CLASS_OTHER", "UNIT_CLOSED", "UNIT_CONTRADICTION", "UNIT_DIFFERS",
    "UNIT_NAME_OUTDATED", "UNIT_UNKNOWN", "UNIT_WITHOUT_DUTY", "VALUE_CHECK_DIGIT", "VALUE_CONVERTED",
    "VALUE_FOOTNOTE", "VALUE_FORMULA_ERROR", "VALUE_IN_OTHER_UNIT", "VALUE_NEGATIVE", "VALUE_NOT_A_DATE",
    "VALUE_NOT_A_NUMBER", "VALUE_NOT_WHOLE", "VALUE_STRUCTURE", "VALUE_TIME_LEFT_OUT", "VALUE_UNKNOWN_CODE",
    "VALUE_UNREADABLE", "WITHDRAWN_CONTENT",
})  # fmt: skip
"""Rules of no form."""


def unknown(rule: str, form: str | None, catalogue: Catalogue) -> str | None:
    """What nobody knows of a rule and the form that it is named for, with the nearest name; None if all is known."""
    if form is not None and form not in catalogue:
        return f"There is no form {form!r}{_nearest(form, catalogue)}."
    forms = catalogue.values() if form is None else [catalogue[form]]
    rules = OF_INTAKE.union(one.id for each in forms for one in each.rules)
    if rule in rules:
        return None
    where = "" if form is None else f" in form {form!r}"
    return f"There is no rule {rule!r}{where}{_nearest(rule, rules)}."


def _nearest(name: str, names: Catalogue | frozenset[str]) -> str:
    close = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.5)
    return f"; is it {close[0]!r}?" if close else ""
