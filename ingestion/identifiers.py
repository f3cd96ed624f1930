"""Check digits: citizen numbers (GB 11643), unified social credit codes (GB 32100) with the code of GB 11714 inside.

One function a standard for a single text, and one over whole columns that says the same of every cell.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECKS = "10X98765432"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and the letters of social credit codes (GB 32100): all but I, O, S, V, Z."""

_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

PROVINCES = (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46,
             50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83)  # fmt: skip
"""First two digits of every citizen number ever issued; the four behind them are often of counties long abolished,
for which no complete list is at hand, so they are not judged."""

_CITIZEN = re.compile(r"[0-9]{17}[0-9X]")
_OLD_CITIZEN = re.compile(r"[0-9]{15}")
_USCC = re.compile(rf"[{USCC_ALPHABET}]{{18}}")
# A00, A00.1, A00.100, and the national clinical version's I10.x00x002.
_ICD10 = r"^[A-Z][0-9]{2}(?:\.[0-9Xx][0-9]{0,2}(?:[Xx][0-9]{3})?)?[+*†]?$"


def citizen_check_digit(body: str) -> str:
    """Last character of a citizen number, from its first seventeen digits."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _CITIZEN_WEIGHTS, strict=True))
    return _CITIZEN_CHECKS[total % 11]


def is_citizen_number(text: str) -> bool:
    """Whether an 18-character number has a known province, a possible birth date and the right check digit."""
    if not _CITIZEN.fullmatch(text) or int(text[:2]) not in PROVINCES:
        return False
    try:
        born = datetime.strptime(text[6:14], "%Y%m%d").date()  # noqa: DTZ007 - a day, no moment
    except ValueError:
        return False
    return born >= date(1800, 1, 1) and citizen_check_digit(text[:17]) == text[17]


def modern_citizen_number(text: str) -> str:
    """A number of fifteen digits, issued until 1999, as the eighteen it became; any other text unchanged."""
    if not _OLD_CITIZEN.fullmatch(text):
        return text
    body = f"{text[:6]}19{text[6:]}"
    return body + citizen_check_digit(body)


def organization_check_digit(body: str) -> str:
    """Ninth character of an organisation code (GB 11714), from its first eight."""
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORGANIZATION_WEIGHTS, strict=True))
    return "0X987654321"[total % 11]


def uscc_check_digit(body: str) -> str:
    """Last character of a unified social credit code, from its first seventeen."""
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[(31 - total % 31) % 31]


def is_uscc(text: str) -> bool:
    """Whether a unified social credit code has both of its check digits right."""
    return (
        bool(_USCC.fullmatch(text))
        and uscc_check_digit(text[:17]) == text[17]
        and organization_check_digit(text[8:16]) == text[16]
    )


def citizen_numbers_valid(numbers: pl.Series) -> pl.Series:
    """:func:`is_citizen_number` of each cell; null where there is none."""
    body = pl.col("body")
    # In parts of at most six digits: division of short whole numbers is far faster than of long ones.
    total = pl.sum_horizontal(
        _weighed(body // 10**11, _CITIZEN_WEIGHTS[:6]),
        _weighed(body // 10**5 % 10**6, _CITIZEN_WEIGHTS[6:12]),
        _weighed(body % 10**5, _CITIZEN_WEIGHTS[12:]),
    )
    # Seventeen digits read as one number; anything that is none of them is null, and so not valid.
    frame = pl.DataFrame({"text": numbers}).with_columns(
        body=pl.col("text").str.head(17).cast(pl.Int64, strict=False), last=pl.col("text").str.slice(17)
    )
    # All seventeen being digits, these eight are a day or none.
    born = pl.col("text").str.slice(6, 8).str.to_date("%Y%m%d", strict=False, cache=False)
    check = pl.when(pl.col("last") == "X").then(10).otherwise(pl.col("last").cast(pl.Int64, strict=False))
    valid = (
        (pl.col("text").str.len_bytes() == 18)
        & (body >= 11 * 10**15)
        & (body // 10**15).is_in(PROVINCES)
        & (born >= pl.date(1800, 1, 1))
        # The printed digit and the residue add up to 12 modulo 11 (GB 11643).
        & ((total + check) % 11 == 1)
    )
    return frame.select(
        pl.when(pl.col("text").is_not_null()).then(valid.fill_null(value=False)).alias(numbers.name)
    ).to_series()


def _weighed(number: pl.Expr, weights: Sequence[int]) -> pl.Expr:
    """Sum of the digits of a whole number times their weights, modulo 11; no more digits than there are weights.

    A digit is the number cut behind it less ten times the number cut before it (modulo 11 that means: plus it), so
    one division a digit is enough.
    """
    number = number.cast(pl.UInt32, strict=False)
    places = len(weights)
    pairs = enumerate(zip(weights, (*weights[1:], 0), strict=True))
    cut = [(number // 10 ** (places - 1 - place)) * ((one + next_) % 11) for place, (one, next_) in pairs]
    return pl.sum_horizontal(cut) % 11


def citizen_births(numbers: pl.Series) -> pl.Series:
    """Birth dates inside citizen numbers that are valid."""
    return numbers.str.slice(6, 8).str.to_date("%Y%m%d", strict=False, cache=False)


def citizen_sexes(numbers: pl.Series) -> pl.Series:
    """Sex inside citizen numbers that are valid, in the codes of GB/T 2261.1: 1 male, 2 female."""
    odd = numbers.str.slice(16, 1).cast(pl.Int64, strict=False) % 2
    return (2 - odd).cast(pl.String)


def usccs_valid(codes: pl.Series) -> pl.Series:
    """:func:`is_uscc` of each cell, looked up once for each different one; null where there is none."""
    different = codes.drop_nulls().unique()
    verdicts = pl.Series([is_uscc(code) for code in different], dtype=pl.Boolean)
    return codes.replace_strict(different, verdicts, default=None, return_dtype=pl.Boolean)


def icd10_valid(codes: pl.Series) -> pl.Series:
    """Whether each code has the structure of ICD-10 or its national clinical version; null where there is none."""
    return codes.str.contains(_ICD10)
