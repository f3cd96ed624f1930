"""Columns that stand beside the period's own: accumulated numbers, last year's, sums over several periods, changes."""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from ingestion.labels import squeeze
from ingestion.periods import read_period
from ingestion.spans import PeriodType
from ingestion.vocabulary import VALUES

Time = Literal["own", "other"]

_OF = r"(?:数|值|实际数?|发生数|完成数?)?"
_CURRENT = re.compile(r"[本当](月|季|年|期)度?" + _OF)
_ACCUMULATED = re.compile(
    r"(?:本年度?|今年|年初至今|自?年初|年内|年|1月?[-至到~—–]\d{1,2}月)?(?:累计|累积)" + _OF
)
_EARLIER = r"(?:上年度?|去年|上一年|上个?月|上个?季度?|上期)"
_COMPARED = re.compile(
    rf"(?:{_EARLIER}(?:同期|同月|同季度?)?|同期)(?:累计)?{_OF}"
    rf"|[与比较]?(?:{_EARLIER})?(?:同期)?(?:相比)?(?:同比|环比|增减|增长|增幅|升降)(?:增减|增长|升降)?[数量额率幅]?"
    r"(?:\([±+\-/%‰百分比]+\)|[±%]+)?"
)
_UNITS: dict[PeriodType, str] = {"month": "月", "quarter": "季", "year": "年", "mch_year": "年"}
_ACCUMULATING: tuple[PeriodType, ...] = ("cumulative_quarter", "year", "mch_year")
# Periods that hold several of a kind.
_LONGER: dict[PeriodType, tuple[PeriodType, ...]] = {
    "month": ("quarter", "cumulative_quarter", "year"),
    "quarter": ("cumulative_quarter", "year"),
}
_WHOLES = re.compile(r"[上下]半年度?|全年度?")
_ANY_YEAR = 2000


@lru_cache(maxsize=1 << 12)
def time_of(text: str, period_type: PeriodType) -> Time | None:
    """Whether a heading says that its numbers are the period's own, or of another time; None when it says neither."""
    if read_period(text, period_type, _ANY_YEAR):
        return None
    word = squeeze(unicodedata.normalize("NFKC", text))
    if _COMPARED.fullmatch(word):
        return "other"
    if _ACCUMULATED.fullmatch(word):
        return "own" if period_type in _ACCUMULATING else "other"
    if current := _CURRENT.fullmatch(word):
        return "own" if current[1] in ("期", _UNITS.get(period_type)) else "other"
    return "own" if word in VALUES else None


@lru_cache(maxsize=1 << 12)
def holds_several(text: str, period_type: PeriodType) -> bool:
    """Whether a heading among periods names a longer one, whose numbers sum up or repeat theirs."""
    if text.isdecimal() or read_period(text, period_type, _ANY_YEAR):
        return False
    longer = _LONGER.get(period_type, ())
    whole = bool(longer) and _WHOLES.fullmatch(squeeze(text)) is not None
    return whole or any(read_period(text, kind, _ANY_YEAR) for kind in longer)
