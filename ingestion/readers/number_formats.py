"""Number formats that make a date, a time or a percentage of a number, and the days that spreadsheets count."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from ingestion.readers.table import number_text

_NAMED_DATES = {"general date", "long date", "medium date", "short date"}
_NAMED_TIMES = {"long time", "medium time", "short time"}
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[yd年月日]|m{1,5}", re.IGNORECASE)
_TIME_LETTERS = re.compile(r"\[[hms]+\]|h|s|上午|下午|am/pm", re.IGNORECASE)

_PLAIN = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?\s*")

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?Z?)?")

EPOCH_1900 = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no zone
EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001
# The first serial that is right: 1900 was no leap year, which spreadsheets take it for.
_FIRST_SOUND = 61
_LAST = 2_958_466


@lru_cache(maxsize=1024)
def shows_date(pattern: str) -> bool:
    """Whether a number format shows a day, or a moment of one."""
    plain = pattern.strip().lower()
    if plain in _NAMED_DATES:
        return True
    if plain in _NAMED_TIMES or plain in ("", "general", "@"):
        return False
    bare = _LITERALS.sub("", pattern.split(";", maxsplit=1)[0])
    without_time = _TIME_LETTERS.sub("", bare)
    if _TIME_LETTERS.search(bare):
        # Beside hours or seconds, m means minutes.
        return bool(re.search(r"[yd年日]", without_time, re.IGNORECASE))
    return bool(_DATE_LETTERS.search(without_time))


@lru_cache(maxsize=1024)
def shows_percent(pattern: str) -> bool:
    """Whether a number format shows a hundred times the number, with a per cent sign; a quoted sign is a mere text."""
    plain = pattern.strip().lower()
    return plain == "percent" or "%" in _LITERALS.sub("", pattern.split(";", maxsplit=1)[0])


def percent_text(number: float) -> str:
    """What a cell with such a format shows, with all its digits."""
    return f"{number_text(number * 100)}%"


def show_percents(rows: Sequence[list[Any]], places: Iterable[tuple[int, int]]) -> None:
    """Put what is shown in place of the numbers of some cells (row and column from 0)."""
    for row, column in places:
        if row < len(rows) and column < len(rows[row]) and type(rows[row][column]) in (int, float):
            rows[row][column] = percent_text(rows[row][column])


def day_of_serial(number: float, *, since_1904: bool = False) -> dt.datetime | float:
    """The moment that a serial number means, to the second; the number itself when it means none."""
    if not (0 <= number < _LAST if since_1904 else _FIRST_SOUND <= number < _LAST):
        return number
    epoch = EPOCH_1904 if since_1904 else EPOCH_1900
    return epoch + dt.timedelta(seconds=round(number * 86_400))


def plain_number(text: str) -> float | None:
    """The number that a file's own notation means; None for anything else."""
    return float(text) if _PLAIN.fullmatch(text) else None


def moment_of(text: str) -> dt.datetime | None:
    """The day or moment that a file's own notation (2017-04-01T08:30:00) means; None for anything else."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "").ljust(6, "0") or 0)
    try:
        return dt.datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001 - files name no zone
    except ValueError:
        return None
