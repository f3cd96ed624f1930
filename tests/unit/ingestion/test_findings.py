"""What a finding may carry."""

import pytest

from ingestion.findings import Finding

CITIZEN = "11010519491231002X"  # the example of GB 11643


@pytest.mark.parametrize("number", [CITIZEN, CITIZEN.lower()])
def test_a_citizen_number_never_gets_into_a_finding(number):
    found = Finding(
        "UNIT_UNKNOWN", "unit", "hard", f"“{number}”不在机构名录中", f"{number} is not known", value=f"报{number}送",
        sheet=number,
    )  # fmt: skip
    assert number not in repr(found)
    assert found.value == "报***送"
    assert found.message_zh == "“***”不在机构名录中"


@pytest.mark.parametrize("text", ["1234567890123456789012", "91350100M000100Y43", "短"])
def test_other_numbers_and_codes_are_told_as_they_stand(text):
    assert Finding("R1", "value", "soft", text, text, value=text).value == text
