"""Of a file of several reports only the cells of those asked for are written."""

import pytest

from ingestion.workbooks.shares import share_of

ROWS, COLUMNS = range(1, 9), range(1, 9)


def kept(own, others) -> list[str]:
    """The sheet as rows of dots, with an x for each cell that is written."""
    share = share_of(own, others)
    assert share is not None
    return ["".join("x" if share.kept(row, column) else "." for column in COLUMNS) for row in ROWS]


ALL, NONE = "x" * 8, "." * 8


@pytest.mark.parametrize(
    ("own", "others", "expected"),
    [
        # A row for each record: the header above the first record, and the own rows.
        ([(5, None)], [(4, None), (6, None)], [ALL, ALL, ALL, NONE, ALL, NONE, NONE, NONE]),
        # A column for each record: the labels left of the first record, and the own column.
        ([(None, 4)], [(None, 3), (None, 5)], ["xx.x...."] * 8),
        # A row for each unit and a column for each member: the whole row is the unit's.
        ([(4, 3), (4, 4)], [(5, 3), (5, 4)], [ALL, ALL, ALL, ALL, NONE, NONE, NONE, NONE]),
        # A row for each unit and a column for each month: labels, and the own month.
        ([(4, 4)], [(4, 3), (4, 5), (5, 4)], [ALL, ALL, ALL, "xx.x....", NONE, NONE, NONE, NONE]),
        # The same with two measures a month.
        ([(4, 5)], [(4, 3), (4, 7)], [ALL, ALL, ALL, "xx..xx..", NONE, NONE, NONE, NONE]),
        # A sheet for each unit.
        ([(None, None)], [], [ALL] * 8),
    ],
)
def test_shares(own, others, expected):
    assert kept(own, others) == expected


def test_nothing_is_written_of_a_sheet_without_an_own_record():
    assert share_of([], [(4, None)]) is None
