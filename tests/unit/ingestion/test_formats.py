"""Codes that carry a check digit are verified in aggregate reports too."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion import formats
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import Reading

Write = Callable[..., Path]
Read = Callable[..., Reading]

BLOOD = {"quarter": "2015年第一季度", "donations": 10, "units_collected": 12}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("91350100M000100Y43", False),
        ("12100000400000624D", False),
        ("91350100M000100Y44", True),
        ("91350100M000100Y4I", True),
        ("12100000400000625D", True),
        ("LH-001", False),
    ],
)
def test_a_credit_code_is_verified_by_its_check_digits(  # noqa: PLR0917 - fixtures
    tmp_path: Path, catalogue: Catalogue, write: Write, read: Read, code: str, wrong: bool
) -> None:
    rows = [{"uscc": code} | BLOOD, {"uscc": "12100000400000624D"} | BLOOD | {"quarter": "2015年第二季度"}]
    path = write(tmp_path / "f.csv", catalogue["blood_quarterly"], rows, "csv", list(rows[0]))
    found = formats.findings(read(path))
    assert [(one.rule_id, one.severity, one.cell, one.value) for one in found] == (
        [("VALUE_CHECK_DIGIT", "soft", "A2", code)] if wrong else []
    )
