"""Identifiers of constructed units: right check characters, nobody's numbers."""

import pytest

from ingestion.identifiers import is_uscc
from samples.identifiers import (
    InvalidIdentifier,
    organization_check,
    organization_code,
    uscc,
    uscc_check,
)
from samples.longhu.units import UNITS


@pytest.mark.parametrize(
    ("code", "organization_digit"), [("91350100M000100Y43", "4"), ("12100000400000624D", "4")]
)
def test_check_characters_agree_with_published_test_vectors(code: str, organization_digit: str) -> None:
    assert organization_check(code[8:16]) == code[16] == organization_digit
    assert uscc_check(code[:17]) == code[17]
    assert is_uscc(code)


def test_a_changed_character_is_noticed() -> None:
    code = uscc(1, registered_by="12")
    for position, character in enumerate(code):
        changed = code[:position] + ("2" if character != "2" else "3") + code[position + 1 :]
        assert not is_uscc(changed)


def test_every_unit_has_a_valid_code_of_its_own_that_no_office_can_have_issued() -> None:
    codes = [unit.uscc for unit in UNITS]
    assert len(set(codes)) == len(UNITS)
    assert all(is_uscc(code) and code[2:8] == "999999" for code in codes)


def test_the_22_character_code_holds_organisation_region_type_class_and_management() -> None:
    for unit in UNITS:
        code = unit.org_code_22
        assert len(code) == 22
        assert code[:9] == organization_code(unit.serial)
        assert code[9:15] == "440507"
        assert code[17:21] == unit.class_code


@pytest.mark.parametrize("body", ["1234567", "I2345678901234567", "123456789012345678"])
def test_what_is_no_code_body_is_refused(body: str) -> None:
    with pytest.raises(InvalidIdentifier):
        uscc_check(body)
