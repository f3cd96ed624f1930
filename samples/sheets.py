"""Records of a form as a table with the form's own labels: how the smaller forms of the shipped samples are written."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from samples import labels
from samples.writers import Cell, Table

Record = Mapping[str, Cell]


def table_of(form: str, records: Sequence[Record], *, titles: Iterable[str] = ()) -> Table:
    """One row a record under one header row, its columns in the form's order; codes of a list as their labels.

    A record says its fields by code, in the unit that the form prints. Raises :class:`KeyError` for a field or a code
    that the form does not have.
    """
    known = labels.columns(form)
    lists = labels.form(form).code_lists
    unknown = {field for record in records for field in record} - set(known)
    if unknown:
        raise KeyError(f"{form} has no {', '.join(sorted(unknown))}")
    fields = [field for field in known if any(record.get(field) is not None for record in records)]

    def cell(field: str, value: Cell) -> Cell:
        code_list = known[field].code_list
        if value is None or code_list is None or isinstance(value, int | Decimal):
            return value
        return lists[code_list].by_code[value].labels[0]

    rows = [[cell(field, record.get(field)) for field in fields] for record in records]
    return Table([labels.alone(known[field]) for field in fields], rows, titles=[*titles])
