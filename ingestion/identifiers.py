"""Check digits: citizen numbers (GB 11643), unified social credit codes (GB 32100) with the code of GB 11714 inside.

One function a standard for a single text, and one over whole columns that says the same of every cell.
"""

import re
from datetime import date, datetime
from functools import lru_cache

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

_EARLIEST = date(1800, 1, 1)
_CALENDAR = (date(1850, 1, 1), date(2150, 12, 31))
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
    return born >= _EARLIEST and citizen_check_digit(text[:17]) == text[17]


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
    return citizen_numbers(numbers)["valid"].alias(numbers.name)


def citizen_numbers(numbers: pl.Series, births: pl.Series | None = None) -> pl.DataFrame:
    """What citizen numbers say, a row for each cell, null where there is none.

    ``valid``: :func:`is_citizen_number`; ``born``: the day inside a valid number; ``male``: what a valid number says.
    ``births`` are days that are probably the same as those inside, which spares reading most of them.
    """
    # Seventeen digits read as one number; anything that is none of them is null, and so not valid.
    given = [numbers.alias("text"), *([births.alias("born")] if births is not None else [])]
    frame = pl.DataFrame(given).with_columns(body=pl.col("text").str.head(17).cast(pl.Int64, strict=False))
    text, body = pl.col("text"), pl.col("body")
    groups = (body // 10**12, body // 10**8 % 10**4, body // 10**4 % 10**4, body % 10**4)
    residue = pl.sum_horizontal(
        pl.lit(table).gather(group) for table, group in zip(_residues(), groups, strict=True)
    )
    right = (
        (text.str.len_bytes() == 18)
        & (body >= 11 * 10**15)
        & (body // 10**15).is_in(PROVINCES)
        & (text.str.slice(17) == pl.lit(_checks()).gather(residue % 11))
    )
    same = pl.lit(value=False)
    if births is not None:
        (day,) = day_numbers(frame, "born")
        same = right & (day == body // 1000 % 10**8) & (pl.col("born") >= _EARLIEST)
    found = frame.select(
        right.fill_null(value=False).alias("right"),
        same.fill_null(value=False).alias("same"),
        (body % 2 == 1).alias("male"),
    )
    born = _days_inside(numbers, found["right"], found["same"], births)
    valid = (found["right"] & born.is_not_null()).set(numbers.is_null(), None)
    return pl.DataFrame([valid.alias("valid"), born.alias("born"), found["male"]])


@lru_cache(maxsize=1)
def _checks() -> pl.Series:
    return pl.Series(list(_CITIZEN_CHECKS), dtype=pl.String)


@lru_cache(maxsize=1)
def _residues() -> tuple[pl.Series, ...]:
    """For groups of five, four, four and four digits: the sum of the digits times their weights, modulo 11."""
    tables = []
    for start, end in ((0, 5), (5, 9), (9, 13), (13, 17)):
        number = pl.int_range(0, 10 ** (end - start), dtype=pl.UInt32, eager=True).alias("n")
        digits = ((pl.col("n") // 10 ** (end - place - 1) % 10, place) for place in range(start, end))
        total = pl.sum_horizontal(digit * _CITIZEN_WEIGHTS[place] for digit, place in digits)
        tables.append(number.to_frame().select((total % 11).cast(pl.UInt32)).to_series())
    return tuple(tables)


def _days_inside(
    numbers: pl.Series, right: pl.Series, same: pl.Series, births: pl.Series | None
) -> pl.Series:
    """Days inside the numbers whose digits are ``right``; null where there is no such day.

    ``same``: where ``births`` says the same day.
    """
    if births is None:
        born = pl.Series([None], dtype=pl.Date).new_from_index(0, len(numbers))
    else:
        born = births if same.all() else births.set(~same, None)
    open_ = right & ~same
    if not open_.any():
        return born
    days = numbers.filter(open_).str.slice(6, 8).str.to_date("%Y%m%d", strict=False, cache=False)
    return born.clone().scatter(open_.arg_true(), days.set(days < _EARLIEST, None))


def day_numbers(frame: pl.DataFrame, *names: str) -> list[pl.Expr]:
    """Days of columns of the frame as whole numbers that sort and subtract like texts: 20150105."""
    first, last = _CALENDAR
    inside = frame.select(pl.col(name).is_between(first, last).all() for name in names).row(0)
    start = (first - date(1970, 1, 1)).days
    return [
        # Looking a day up is ten times as fast as taking it apart.
        pl.lit(_calendar()).gather(pl.col(name).to_physical() - start) if known else _taken_apart(name)
        for name, known in zip(names, inside, strict=True)
    ]


@lru_cache(maxsize=1)
def _calendar() -> pl.Series:
    days = pl.date_range(*_CALENDAR, eager=True).to_frame("day")
    return days.select(_taken_apart("day")).to_series()


def _taken_apart(name: str) -> pl.Expr:
    day = pl.col(name).dt
    return day.year() * 10_000 + day.month().cast(pl.Int32) * 100 + day.day()


def usccs_valid(codes: pl.Series) -> pl.Series:
    """:func:`is_uscc` of each cell, looked up once for each different one; null where there is none."""
    different = codes.drop_nulls().unique()
    verdicts = pl.Series([is_uscc(code) for code in different], dtype=pl.Boolean)
    return codes.replace_strict(different, verdicts, default=None, return_dtype=pl.Boolean)


def icd10_valid(codes: pl.Series) -> pl.Series:
    """Whether each code has the structure of ICD-10 or its national clinical version; null where there is none."""
    return codes.str.contains(_ICD10)
