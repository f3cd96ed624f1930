"""Values as a machine and as a person read them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from warehouse.cli.output import plain, shortened, shown


@dataclass
class Row:
    day: date
    share: Decimal


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Row(date(2015, 3, 1), Decimal("63.59")), {"day": "2015-03-01", "share": 63.59}),
        (Decimal(1261543), 1261543),
        (datetime(2015, 3, 1, 4, 5, 6, 7, tzinfo=UTC), "2015-03-01T04:05:06+00:00"),
        ((Path("a"), {"x"}), ["a", ["x"]]),
        ({1: None}, {"1": None}),
    ],
)
def test_plain(value, expected):
    assert plain(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (1261543, "1,261,543"),
        (Decimal(787), "787"),
        (63.594, "63.59"),
        (True, "yes"),
        (["a"], '["a"]'),
        ("中", "中"),
        (datetime(2015, 3, 1, 17, 30, tzinfo=UTC), "2015-03-02 01:30"),
    ],
)
def test_shown(value, expected):
    assert shown(value) == expected


def test_long_text_is_cut_in_a_table_only():
    assert len(shortened("x" * 1000)) == 160
    assert shortened("short") == "short"
