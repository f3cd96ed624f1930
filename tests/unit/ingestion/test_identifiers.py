"""Check digits, one by one and over columns."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.identifiers import (
    PROVINCES,
    citizen_check_digit,
    citizen_numbers,
    citizen_numbers_valid,
    icd10_valid,
    is_citizen_number,
    is_uscc,
    modern_citizen_number,
    organization_check_digit,
    uscc_check_digit,
    usccs_valid,
)

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_numbers = st.builds(
    lambda province, county, born, order: (
        body := f"{province}{county:04}{born:%Y%m%d}{order:03}",
        body + citizen_check_digit(body),
    )[1],
    st.sampled_from(PROVINCES),
    st.integers(0, 9999),
    st.dates(min_value=date(1800, 1, 1)),
    st.integers(0, 999),
)


def test_the_published_citizen_number_is_valid() -> None:
    assert is_citizen_number("11010519491231002X")


@pytest.mark.parametrize("code", ["91350100M000100Y43", "12100000400000624D"])
def test_the_published_credit_codes_are_valid(code: str) -> None:
    assert is_uscc(code)
    assert code[16] == organization_check_digit(code[8:16])
    assert code[17] == uscc_check_digit(code[:17])


@pytest.mark.parametrize(
    "number",
    [
        "110105194912310021",  # wrong check digit
        "11010519491231002x",  # the check digit is a capital letter
        "11010519490231002X",  # no such day
        "00010519491231002X",  # no such province
        "1101051949123100２X",  # full-width digit
        "-1010519491231002X",
        "11010519491231002",
        "",
    ],
)
def test_what_is_no_citizen_number_is_refused(number: str) -> None:
    assert not is_citizen_number(number)
    assert citizen_numbers_valid(pl.Series([number])).to_list() == [False]


@given(_numbers)
def test_every_well_made_number_is_valid(number: str) -> None:
    assert is_citizen_number(number)
    assert citizen_numbers_valid(pl.Series([number])).item()
    said = citizen_numbers(pl.Series([number]))
    assert said["born"].item().strftime("%Y%m%d") == number[6:14]
    assert said["male"].item() == bool(int(number[16]) % 2)


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(alphabet="0123456789X", min_size=17, max_size=18) | _numbers,
            st.none() | st.dates(),
            st.booleans(),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_known_birth_dates_only_spare_reading(cells: list[tuple[str | None, date | None, bool]]) -> None:
    numbers = pl.Series([number for number, _, _ in cells], dtype=pl.String)
    inside = citizen_numbers(numbers)
    births = [own if same else other for own, (_, other, same) in zip(inside["born"], cells, strict=True)]
    given_births = pl.Series(births, dtype=pl.Date)
    assert citizen_numbers(numbers, given_births).equals(inside)
    assert given_births.to_list() == births


@given(_numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_changed_character_is_noticed(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    assert is_citizen_number(changed) == (changed == number)


@given(st.lists(st.none() | st.text(alphabet="0123456789X +-.eE１", max_size=20) | _numbers, max_size=30))
def test_columns_agree_with_single_numbers(texts: list[str | None]) -> None:
    column = pl.Series("n", texts, dtype=pl.String)
    assert citizen_numbers_valid(column).to_list() == [
        None if text is None else is_citizen_number(text) for text in texts
    ]


@given(
    st.text(alphabet=_ALPHABET, min_size=8, max_size=8), st.text(alphabet=_ALPHABET, min_size=8, max_size=8)
)
def test_every_well_made_credit_code_is_valid(front: str, organization: str) -> None:
    body = front + organization + organization_check_digit(organization)
    code = body + uscc_check_digit(body)
    assert is_uscc(code)
    assert usccs_valid(pl.Series([code, None, code])).to_list() == [True, None, True]
    other = _ALPHABET[(_ALPHABET.index(code[3]) + 1) % 31]
    assert not is_uscc(code[:3] + other + code[4:])


def test_the_old_number_becomes_the_modern_one() -> None:
    assert modern_citizen_number("110105491231002") == "11010519491231002X"
    assert modern_citizen_number("110105") == "110105"


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("A00", True),
        ("U07.1", True),
        ("I10.x00x002", True),
        ("S72.000x001", True),
        ("G46.3*", True),
        ("高血压", False),
        ("I1", False),
        ("110105194912310021", False),
    ],
)
def test_icd10_codes_are_known_by_their_structure(code: str, valid: bool) -> None:
    assert icd10_valid(pl.Series([code])).item() is valid
