"""Findings in the words of reporting units: likely causes, which probes tell in English, and periods."""

import re
from collections.abc import Mapping
from typing import Any

_WORDS = {
    "sign": "正负号错误",
    "1,000 times": "约为预期的 1,000 倍，疑为元与千元混淆",
    "10,000 times": "约为预期的 10,000 倍，疑为元与万元混淆",
    "100 times": "约为预期的 100 倍",
    "10 times, or a digit too many": "约为预期的 10 倍，或多录一位",
    "a thousandth": "约为预期的千分之一",
    "a ten-thousandth": "约为预期的万分之一",
    "a tenth, or a digit too few": "约为预期的十分之一，或少录一位",
    "nothing where there is much": "应有较大数值处为 0",
    "two digits swapped": "疑为相邻两位数字颠倒",
    "those of the period before": "与上期数据相同",
    "every other report has a number here": "其他各期此处均有数",
    "one value four times over where it used to change": "历来变动的数连续四期相同",
    "a higher level from here on": "自本期起水平升高",
    "a lower level from here on": "自本期起水平降低",
    "more numbers than chance end in 0 or 5": "末位为 0 或 5 的数过多",
    "against the same period of the year before": "与上年同期相比",
    "the last month says something else": "与 12 月月报不符",
    "the months add up to something else": "与各月之和不符",
    "a hospital without beds": "医院没有床位",
}

_PATTERNS = (
    (re.compile(r"out of step with (\w+)(.*)"), "与“{0}”{1}不同步"),
    (re.compile(r"in each other's place with (\w+)(.*)"), "疑与“{0}”{1}填反"),
    (re.compile(r"the numbers are those of (\d+) periods before"), "与 {0} 期前的数据相同"),
    (re.compile(r"of the last (\d+) reports"), "最近 {0} 份报表中"),
)


def in_chinese(cause: str | None, names: Mapping[str, str]) -> str | None:
    """The cause in Chinese, with fields by their printed ``names``; as it is where there is no translation."""
    if cause is None or cause in _WORDS:
        return _WORDS.get(cause or "")
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(cause)
        if found:
            return words.format(*(names.get(part, part.strip()) for part in found.groups()))
    return cause


def period(finding: Mapping[str, Any]) -> str:
    """The period of a finding as people write it."""
    start, end, kind = finding["period_start"], finding["period_end"], finding["period_type"]
    if start is None:
        return ""
    if kind == "month":
        return f"{start:%Y-%m}"
    if kind == "quarter":
        return f"{start.year}年第{(start.month + 2) // 3}季度"
    if kind == "cumulative_quarter":
        return f"{start.year}年累计" if end is None else f"{end.year}年1–{end.month}月"
    return {"year": f"{start.year}年", "mch_year": f"{start.year + 1}妇幼年度"}.get(kind, str(start))
