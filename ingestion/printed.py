"""Names of cells, fields and values as the sender of a file sees them."""

from collections.abc import Mapping
from typing import Any

from ingestion.findings import cell_name
from ingestion.readers.table import number_text
from ingestion.reading import Reading

_LONG = 10**10


def _together(own: int | None, of_field: int | None) -> int | None:
    """A record's row or column with its field's: where both have one, the field's is the distance."""
    return (
        own + of_field if own is not None and of_field is not None else own if own is not None else of_field
    )


class Places:
    """Cells and names of a reading's fields and members."""

    def __init__(self, reading: Reading) -> None:
        self.form = reading.form
        self.known = {
            (sheet, code): (row, column)
            for sheet, code, row, column in reading.positions.select(
                "sheet", "field_code", "source_row", "source_column"
            ).iter_rows()
        }

    def cell(self, row: Mapping[str, Any], code: str) -> str | None:
        """Spreadsheet name of a field's cell in a record; None when nobody knows."""
        own_row, own_column = row["source_row"], row["source_column"]
        field_row, field_column = self.known.get((row["source_sheet"], code), (None, None))
        return cell_name(_together(own_row, field_row), _together(own_column, field_column))

    def label(self, row: Mapping[str, Any], code: str) -> str:
        """The field's printed name, behind the member of the breakdown it is for."""
        item = self.form.by_code[code]
        return (self.members(row) if item.role == "measure" else "") + item.name_zh

    def members(self, row: Mapping[str, Any]) -> str:
        """Names of the members that the record is for, of one breakdown after another."""
        names = []
        for breakdown in self.form.breakdowns:
            member = row.get(breakdown.code)
            codes = self.form.code_lists.get(breakdown.code_list or "")
            known = codes.by_code.get(str(member)) if codes else None
            names.append(known.labels[0] if known else str(member or ""))
        return "".join(names)


def shown(value: object) -> str | None:
    """A typed value as a clerk would write it; None for none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        # So many digits in a row would be taken for a telephone.
        return number_text(float(value)) if abs(value) < _LONG else f"{value:,.15g}"
    return str(value)
