"""Periods and days as people write them: 2015年3月, 2015.03, 201503, 二〇一五年三月, 一季度, 1-3月, a date cell."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.form import PeriodType, period_bounds
from ingestion.numbers import Read

_EXCEL_EPOCH = dt.date(1899, 12, 30)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTH_NUMBERS = {name: n for n, full in enumerate(_MONTHS, 1) for name in (full, full[:3], f"{full[:3]}.")}
_MONTH_NUMBERS["sept"] = 9
_DIGITS = {"〇": "0", "○": "0", "零": "0", **{c: str(n) for n, c in enumerate("一二三四五六七八九", 1)}}

_YEAR = r"(?<!\d)((?:19|20)\d{2})"
_DASH = r"\s*[-~—–至到]+\s*"
_MONTH = r"(1[0-2]|0[1-9]|[1-9](?![A-Za-z]))(?!\d)"
_CHINESE_YEAR = re.compile(r"[〇○零一二三四五六七八九]{4}(?=\s*年)")
_CHINESE_NUMBER = re.compile(r"([二三]?十[一二三四五六七八九]?|[一二三四五六七八九])(?=\s*[月日号])")
_ENGLISH_MONTH = re.compile(
    r"(?<![A-Za-z])("
    + "|".join(map(re.escape, sorted(_MONTH_NUMBERS, key=len, reverse=True)))
    + r")(?![A-Za-z])",
    re.I,
)

_MONTH_TEXT = re.compile(_YEAR + r"\s*(?:年度?\s*|[-./_]\s*|\s)" + _MONTH + r"(?:\s*月份?)?")
_MONTH_YEAR = re.compile(r"(?<!\d)" + _MONTH + r"\s*(?:[-/]|月\s*,?|,|\s)\s*((?:19|20)\d{2})(?!\d)")
_MONTH_DIGITS = re.compile(_YEAR + r"(0[1-9]|1[0-2])(?:\d{2})?(?!\d)")
# 2015年1-6月, 2015年1月至6月, 2015年12月—2016年1月: several months are no month.
_MONTH_RANGE = re.compile(
    _YEAR + r"\s*[年./-]?\s*(\d{1,2})\s*月?" + _DASH + r"(?:((?:19|20)\d{2})\s*[年./-]\s*)?(\d{1,2})\s*月"
)
# 2014.10-2015.9: both ends have their year, so the last needs no 月.
_YEARS_MONTHS = re.compile(
    _YEAR + r"\s*[年./-]?\s*(\d{1,2})\s*月?" + _DASH + r"((?:19|20)\d{2})\s*[年./-]?\s*(\d{1,2})(?!\d)\s*月?"
)
# 截至2015年6月底, 2015年6月累计: all from the beginning of the period to the end of a month.
_UP_TO = re.compile(
    r"(截[至止]到?\s*)?"
    + _YEAR
    + r"\s*[年./-]\s*(\d{1,2})(?!\d)(?:\s*[月./-]\s*(\d{1,2})(?!\d)\s*日?|\s*月?\s*[底末]?)(?:\s*为?止)?(\s*累计数?)?"
)
_ACCUMULATED = re.compile(r"\s*累计数?$")
_YEAR_END = re.compile(r"(?:截[至止]到?\s*)?((?:19|20)\d{2})\s*年?[底末]")
# The year of maternal and child health, beside or around its number.
_MCH_WORDS = re.compile(r"\(?\s*妇幼(?:卫生|健康|保健)?(?:统计)?(?:年度?)?\s*\)?")
_DAY_RANGE = re.compile(
    _YEAR
    + r"\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?"
    + _DASH
    + r"(?:((?:19|20)\d{2})\s*[年./-]\s*)?(?:(\d{1,2})\s*[月./-]\s*)?(\d{1,2})(?!\d)\s*日?"
)
_QUARTER = r"(?:第?\s*([1一])\s*(?:季度?)?\s*[-至到~—–]\s*)?第?\s*([1-4一二三四])\s*个?季度?"
_QUARTER_TEXT = re.compile(_YEAR + r"\s*年?度?\s*[-_]?(前?)\s*" + _QUARTER)
_QUARTER_LATIN = re.compile(
    _YEAR + r"\s*[-_年]?\s*[Qq]([1-4])(?!\d)|[Qq]([1-4])\s*[-_/]?\s*((?:19|20)\d{2})(?!\d)"
)
_HALF_YEAR = re.compile(_YEAR + r"\s*年?度?\s*(上半年|全年)")
_YEAR_TEXT = re.compile(_YEAR + r"(?!\d)")
_YEAR_ONLY = re.compile(r"((?:19|20)\d{2})\s*(?:年度?|年报|全年|年全年)?")
_YEAR_PAIR = re.compile(r"((?:19|20)\d{2})\s*年?度?\s*[-—–/至]\s*((?:19|20)\d{2})\s*年?度?")
_DATE_TEXT = re.compile(
    r"((?:19|20)\d{2})\s*(?:年|[-./])\s*(\d{1,2})\s*(?:月|[-./])\s*(\d{1,2})\s*[日号]?|((?:19|20)\d{2})(\d{2})(\d{2})"
)
_TIME_TEXT = re.compile(
    r"[T\s]*(\d{1,2})\s*(?:[:时点])\s*(?:(\d{1,2})\s*(?::|分)?\s*(?:(\d{1,2})(?:\.\d+)?\s*秒?)?)?"
)
_SERIAL = re.compile(r"(\d{5})(\.\d*)?")
# Lines of a title that hold dates or numbers that are no period.
_NO_PERIOD = re.compile(
    r"国统|有效期|表\s*号|制定|批准|填报日期|报出日期|报送日期|制表日期|打印|填表日期|文号"
)
_PERIOD_WORD = re.compile(r"统计(?:年月|年度|年份|时间|期|月份)|报告(?:期|年度|年月)|所属期")
# A number that only a space parts from the month is none of its days: it may number the file.
_DAY_BEHIND = re.compile(r"(?:\s*[月./-]\s*)?(\d{1,2})(?!\d)")
_AMBIGUOUS_TENTH = re.compile(r"(?:19|20)\d{2}\.1")
_CLOCK_AT_MIDNIGHT = re.compile(r"[T\s]00?:00(?::00(?:\.0+)?)?$")


@dataclass(frozen=True)
class Span:
    """First and last day of a period."""

    start: dt.date
    end: dt.date


def read_period(text: str | None, period_type: PeriodType, year: int | None = None) -> Span | None:
    """Period written in a cell, the whole of it; None when it cannot be told.

    2015.1 cannot (January or October), nor 2015-1x. With a year known from elsewhere 3月, 一季度 and January do.
    """
    text = _plain(text)
    if not text or _AMBIGUOUS_TENTH.fullmatch(text):
        return None
    serial = _serial(text)
    if serial:
        text = serial.date().isoformat()
    span = _whole(_CLOCK_AT_MIDNIGHT.sub("", text), period_type)
    if span is None and year is not None and not re.search(r"(?:19|20)\d{2}", text):
        span = _whole(_with_year(text, year, period_type), period_type)
    return span


def find_period(texts: Sequence[str], period_type: PeriodType) -> Span | None:
    """Period named somewhere in titles or a file name; lines that say so come first.

    A line that says only the month (a sheet called 3月) is read with the one year that the others name.
    """
    usable = [_plain(text) for text in texts if text and not _NO_PERIOD.search(text)]
    for text in sorted(usable, key=lambda text: not _PERIOD_WORD.search(text)):
        span = _find(text, period_type)
        if span:
            return span
    years = {int(year) for text in usable for year in _YEAR_TEXT.findall(text)}
    if len(years) != 1 or period_type in ("year", "mch_year", "event"):
        return None
    (year,) = years
    # A bare number may be anything; a name of a month is one.
    bare = [text for text in texts if (text and not _plain(text).isdecimal()) or text[:1].isalpha()]
    spans = {read_period(text, period_type, year) for text in bare} - {None}
    return spans.pop() if len(spans) == 1 else None


def year_of(texts: Iterable[str]) -> int | None:
    """The one year that some texts mention; None when they mention several or none."""
    years = {int(year) for text in texts for year in _YEAR_TEXT.findall(_plain(text))}
    return years.pop() if len(years) == 1 else None


def read_date(text: str | None) -> dt.date | None:
    """A day written in a cell, without a time of day."""
    read = read_day(text)
    return read.value if read and read.note is None else None


def read_day(text: str | None) -> Read[dt.date] | None:
    """A day written in a cell; the note ``time`` says that a time of day was left out."""
    moment = read_datetime(text)
    if moment is None:
        return None
    return Read(moment.date(), "time" if moment.time() != dt.time() else None)


def read_datetime(text: str | None) -> dt.datetime | None:
    """A moment written in a cell; a bare day is its beginning."""
    text = _plain(text)
    serial = _serial(text)
    if serial:
        return serial
    day = _DATE_TEXT.match(text)
    if not day:
        return None
    rest = text[day.end() :].strip()
    time = _TIME_TEXT.fullmatch(rest) if rest else None
    if rest and not time:
        return None
    hour, minute, second = (int(part or 0) for part in time.groups()) if time else (0, 0, 0)
    try:
        parts = [int(part) for part in day.groups() if part is not None]
        return dt.datetime(parts[0], parts[1], parts[2], hour, minute, second)  # noqa: DTZ001 - forms say local time
    except ValueError:
        return None


def _plain(text: str | None) -> str:
    """Full-width, Chinese and English spellings of numbers as digits."""
    text = unicodedata.normalize("NFKC", text or "").strip()
    if text.isascii() and not re.search(r"[A-Za-z]{3}", text):
        return text
    text = _CHINESE_YEAR.sub(lambda match: "".join(_DIGITS[c] for c in match[0]), text)
    text = _CHINESE_NUMBER.sub(lambda match: str(_chinese_number(match[1])), text)
    return _ENGLISH_MONTH.sub(lambda match: f"{_MONTH_NUMBERS[match[1].lower()]:02}", text)


def _chinese_number(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    unit = int(_DIGITS[ones]) if ones else 0
    return (int(_DIGITS[tens]) if tens else 1) * 10 + unit if ten else unit


def _serial(text: str) -> dt.datetime | None:
    """The moment of a spreadsheet's day number between 1938 and 2118."""
    match = _SERIAL.fullmatch(text)
    if not match or not 14_000 < int(match[1]) < 80_000:
        return None
    seconds = round(float(match[2] or 0) * 86_400) if match[2] and match[2] != "." else 0
    return dt.datetime.combine(_EXCEL_EPOCH, dt.time()) + dt.timedelta(days=int(match[1]), seconds=seconds)


def _with_year(text: str, year: int, period_type: PeriodType) -> str:
    if period_type == "month":
        bare = re.fullmatch(r"(1[0-2]|0?[1-9])(?:\s*月份?)?", text)
        return f"{year}-{int(bare[1]):02}" if bare else ""
    if text.startswith("截"):
        return re.sub(r"^(截[至止]到?\s*)", rf"\g<1>{year}年", text)
    if period_type in ("quarter", "cumulative_quarter"):
        return f"{year}Q{text}" if re.fullmatch(r"[1-4]", text) else f"{year}年{text}"
    return ""


def _whole(text: str, period_type: PeriodType) -> Span | None:
    """A text that is a period and nothing else."""
    day = read_date(text)
    if day:
        span = Span(day, day) if period_type == "event" else _around(day, period_type)
        # A month is told by any of its days, a longer period only by its first or last.
        return span if span and (period_type == "month" or day in (span.start, span.end)) else None
    if period_type == "mch_year":
        text = _MCH_WORDS.sub("", text).strip()
    up_to = _up_to(_UP_TO.fullmatch(text), period_type)
    if up_to:
        return up_to
    if period_type in ("cumulative_quarter", "year"):
        text = _ACCUMULATED.sub("", text)
    days = _days(_DAY_RANGE.fullmatch(text)) or _months(
        _MONTH_RANGE.fullmatch(text) or _YEARS_MONTHS.fullmatch(text)
    )
    if days:
        return _of_type(days, period_type)
    if period_type == "month":
        digits = re.fullmatch(_MONTH_DIGITS.pattern, text)
        return _month(_MONTH_TEXT.fullmatch(text), _MONTH_YEAR.fullmatch(text), digits)
    if period_type in ("quarter", "cumulative_quarter"):
        named, latin = _QUARTER_TEXT.fullmatch(text), _QUARTER_LATIN.fullmatch(text)
        return _quarter(named, latin, _HALF_YEAR.fullmatch(text), period_type)
    return _year(text, period_type) if period_type != "event" else None


def _year(text: str, period_type: PeriodType) -> Span | None:
    pair = _YEAR_PAIR.fullmatch(text)
    if pair and period_type == "mch_year" and int(pair[2]) == int(pair[1]) + 1:
        return Span(*period_bounds(period_type, int(pair[2])))
    only = _YEAR_ONLY.fullmatch(text) or (_YEAR_END.fullmatch(text) if period_type == "year" else None)
    return Span(*period_bounds(period_type, int(only[1]))) if only else None


def _find(text: str, period_type: PeriodType) -> Span | None:
    """The first period of a type inside a longer text."""
    if period_type == "event":
        day = read_date(text)
        return Span(day, day) if day else None
    days = _days(_DAY_RANGE.search(text)) or _months(_MONTH_RANGE.search(text) or _YEARS_MONTHS.search(text))
    if days:
        span = _of_type(days, period_type)
        if span or period_type == "month":
            return span
    if period_type == "month":
        return _month_in(text)
    if period_type in ("quarter", "cumulative_quarter"):
        up_to = next(filter(None, (_up_to(match, period_type) for match in _UP_TO.finditer(text))), None)
        return up_to or _quarter(
            _QUARTER_TEXT.search(text), _QUARTER_LATIN.search(text), _HALF_YEAR.search(text), period_type
        )
    years = _YEAR_TEXT.findall(text)
    if not years:
        return None
    # A maternal-child year written as a range (2014年10月—2015年9月) is named after its end.
    return Span(*period_bounds(period_type, int(years[-1] if period_type == "mch_year" else years[0])))


def _month_in(text: str) -> Span | None:
    """The first month in a text; a day in the middle of one is when something was written, not what it is for."""
    for pattern in (_MONTH_TEXT, _MONTH_DIGITS):
        for match in pattern.finditer(text):
            span = Span(*period_bounds("month", int(match[1]), int(match[2])))
            day = _DAY_BEHIND.match(text, match.end(2))
            if day is None or int(day[1]) == span.end.day:
                return span
    turned = _MONTH_YEAR.search(text)
    return _month(None, turned, None)


def _days(match: re.Match[str] | None) -> Span | None:
    """Days from one to another, which may leave out their year and month."""
    if match is None:
        return None
    year, month = int(match[1]), int(match[2])
    try:
        start = dt.date(year, month, int(match[3]))
        return Span(start, dt.date(int(match[4] or year), int(match[5] or month), int(match[6])))
    except ValueError:
        return None


def _months(match: re.Match[str] | None) -> Span | None:
    if match is None:
        return None
    first, last = int(match[2]), int(match[4])
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    start, _ = period_bounds("month", int(match[1]), first)
    _, end = period_bounds("month", int(match[3] or match[1]), last)
    return Span(start, end) if start <= end else None


def _up_to(match: re.Match[str] | None, period_type: PeriodType) -> Span | None:
    """The period that ends with the month, where the text says that it is all up to then."""
    if match is None or not (match[1] or match[5]) or not 1 <= int(match[3]) <= 12:
        return None
    if match[5] and period_type == "month":
        return None
    _, end = period_bounds("month", int(match[2]), int(match[3]))
    span = _around(end, period_type)
    return span if span and span.end == end and int(match[4] or end.day) == end.day else None


def _of_type(days: Span, period_type: PeriodType) -> Span | None:
    """The days when they are just one period of the type."""
    span = _around(days.end, period_type)
    return span if span == days else None


def _around(day: dt.date, period_type: PeriodType) -> Span | None:
    """The period of a type that a day lies in."""
    if period_type == "month":
        return Span(*period_bounds("month", day.year, day.month))
    if period_type in ("quarter", "cumulative_quarter"):
        return Span(*period_bounds(period_type, day.year, (day.month + 2) // 3))
    year = day.year + 1 if period_type == "mch_year" and day.month >= 10 else day.year
    return Span(*period_bounds(period_type, year))


def _month(
    named: re.Match[str] | None, turned: re.Match[str] | None, digits: re.Match[str] | None
) -> Span | None:
    match = named or digits
    if match:
        return Span(*period_bounds("month", int(match[1]), int(match[2])))
    return Span(*period_bounds("month", int(turned[2]), int(turned[1]))) if turned else None


def _quarter(
    named: re.Match[str] | None,
    latin: re.Match[str] | None,
    half: re.Match[str] | None,
    period_type: PeriodType,
) -> Span | None:
    if named:
        number = int(_DIGITS.get(named[4], named[4]))
        # 1-3季度 and 前三季度 are several quarters, which is no quarter.
        if period_type == "quarter" and (named[3] or named[2]) and number > 1:
            return None
        return Span(*period_bounds(period_type, int(named[1]), number))
    if latin:
        return Span(*period_bounds(period_type, int(latin[1] or latin[4]), int(latin[2] or latin[3])))
    if half and period_type == "cumulative_quarter":
        return Span(*period_bounds(period_type, int(half[1]), 2 if half[2] == "上半年" else 4))
    return None
