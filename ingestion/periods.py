"""Periods as people write them: 2015年3月, 2015.03, 201503, a date cell, a year in a title."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from ingestion.form import PeriodType, period_bounds

_EXCEL_EPOCH = dt.date(1899, 12, 30)
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_YEAR = r"(?<!\d)((?:19|20)\d{2})"
_MONTH_TEXT = re.compile(
    _YEAR + r"\s*(?:年|[-./_])\s*(1[0-2]|0?[1-9])(?!\d)(?:\s*月)?(?:\s*[-./]?\s*(\d{1,2})日?)?"
)
_MONTH_DIGITS = re.compile(_YEAR + r"(0[1-9]|1[0-2])(?:\d{2})?(?!\d)")
# 2015年1-6月, 2015年1月至6月, 2015年12月—2016年1月: several months are no month.
_MONTH_RANGE = re.compile(
    _YEAR + r"\s*年?\s*(\d{1,2})\s*月?\s*[-~–—至到]+\s*(?:(?:19|20)\d{2}\s*年\s*)?(\d{1,2})\s*月"
)
_QUARTER_TEXT = re.compile(
    _YEAR + r"\s*年?\s*[-_]?(?:(?:第|前|1\s*[-至~—]\s*)?\s*([1-4一二三四])\s*季|[Qq]([1-4]))"
)
_YEAR_TEXT = re.compile(_YEAR + r"(?!\d)")
_DATE_TEXT = re.compile(_YEAR + r"\s*(?:年|[-./])\s*(\d{1,2})\s*(?:月|[-./])\s*(\d{1,2})")
_SERIAL = re.compile(r"(\d{5})(?:\.0*)?")
# Lines of a title that hold dates or numbers that are no period.
_NO_PERIOD = re.compile(
    r"国统|有效期|表\s*号|制定|批准|填报日期|报出日期|报送日期|制表日期|打印|填表日期|文号"
)
_PERIOD_WORD = re.compile(r"统计(?:年月|年度|年份|时间|期|月份)|报告(?:期|年度|年月)|所属期")
_AMBIGUOUS_TENTH = re.compile(r"(?:19|20)\d{2}\.1")


@dataclass(frozen=True)
class Span:
    """First and last day of a period."""

    start: dt.date
    end: dt.date


def read_period(text: str | None, period_type: PeriodType) -> Span | None:
    """Period written in a cell; None when it cannot be told, as for 2015.1 (January or October)."""
    text = unicodedata.normalize("NFKC", text or "").strip()
    if not text or _AMBIGUOUS_TENTH.fullmatch(text):
        return None
    serial = _SERIAL.fullmatch(text)
    if serial and 14_000 < int(serial[1]) < 80_000:
        text = (_EXCEL_EPOCH + dt.timedelta(days=int(serial[1]))).isoformat()
    return _find(text, period_type, whole=True)


def find_period(texts: list[str], period_type: PeriodType) -> Span | None:
    """Period named somewhere in titles or a file name; lines that say so come first."""
    usable = [unicodedata.normalize("NFKC", text) for text in texts if text and not _NO_PERIOD.search(text)]
    for text in sorted(usable, key=lambda text: not _PERIOD_WORD.search(text)):
        span = _find(text, period_type, whole=False)
        if span:
            return span
    return None


def read_date(text: str | None) -> dt.date | None:
    """A day written in a cell."""
    text = unicodedata.normalize("NFKC", text or "").strip()
    serial = _SERIAL.fullmatch(text)
    if serial and 14_000 < int(serial[1]) < 80_000:
        return _EXCEL_EPOCH + dt.timedelta(days=int(serial[1]))
    match = _DATE_TEXT.search(text) or re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})", text)
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _find(text: str, period_type: PeriodType, *, whole: bool) -> Span | None:
    if period_type == "event":
        day = read_date(text)
        return Span(day, day) if day else None
    if period_type == "month":
        return _find_month(text, whole=whole)
    if period_type in ("quarter", "cumulative_quarter"):
        match = _QUARTER_TEXT.search(text)
        if not match:
            return None
        return Span(*period_bounds(period_type, int(match[1]), _QUARTERS[match[2] or match[3]]))
    years = _YEAR_TEXT.findall(text)
    if not years or (whole and not re.match(r"(?:19|20)\d{2}", text)):
        return None
    # A maternal-child year written as a range (2014年10月—2015年9月) is named after its end.
    year = int(years[-1] if period_type == "mch_year" else years[0])
    return Span(*period_bounds(period_type, year))


def _find_month(text: str, *, whole: bool) -> Span | None:
    several = _MONTH_RANGE.search(text)
    if several and int(several[2]) != int(several[3]):
        return None
    match = _MONTH_TEXT.search(text) or _MONTH_DIGITS.search(text)
    if not match or (whole and match.start() > 0):
        return None
    return Span(*period_bounds("month", int(match[1]), int(match[2])))
