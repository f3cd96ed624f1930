"""Sheets that this project adds to the workbooks it writes, and that the intake therefore passes over."""

from ingestion.readers.table import Table

GUIDE = "填表说明"
LISTS = "代码表"
FINDINGS = "问题清单"

MARKS = {name: f"{name}（系统不读取本页）" for name in (GUIDE, LISTS, FINDINGS)}
"""First cell of each such sheet: a sheet that merely has the same name is still read, or at least told."""

_ALL_MARKS = frozenset(MARKS.values())


def is_own(table: Table) -> bool:
    """Whether a table is one of the sheets that are not for the intake."""
    return bool(table.top) and bool(table.top[0]) and table.top[0][0] in _ALL_MARKS
