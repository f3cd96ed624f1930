"""Labels as keys: the same words match whatever their spaces, width, numbering or unit in brackets."""

import re
import unicodedata
from functools import lru_cache

MONEY_UNITS = ("元", "百元", "千元", "万元", "百万元", "亿元")
UNITS = (
    *MONEY_UNITS,
    *("人", "人次", "人次数", "张", "床日", "个", "例", "台", "次", "天", "日", "m2", "平方米", "%", "‰"),
    *("/10万", "1/10万", "10万分之一"),
)

_SPACE = re.compile(r"[\s\u200b\ufeff>]+")
_NUMBER = re.compile(
    r"^(?:(\d+(?:\.\d+)+)[.、)]?(?=[^\d.])|(\d+)[.、)\s]+(?!\d)"
    r"|[一二三四五六七八九十]+[、.]|\([一二三四五六七八九十\d]+\))\s*"
)
_OF_WHICH = re.compile(r"^(?:其中|内)[::]\s*|^其中\s*")
_UNIT = re.compile(r"\(([^()]*)\)$")
_TRAILING = re.compile(r"[:*]+$")
_TOTAL = re.compile(r"(?:(?:合|总|小|累|共)计|总数|全部|.{0,6}(?:合计|总计|小计|累计))")


# What templates put before and behind a label: required, explained below, numbered. No part of its words.
_MARK = "[*＊※★☆▲△●◆■†‡①-⑳❶-❿]"
_BEHIND = (
    rf"(?:{_MARK}|(?<![mM米])[¹²³⁴-⁹]|(?<!备)注\d{{1,2}}|[\[［]\d{{1,2}}[\]］]"
    r"|[(（【\[［]\s*(?:必填项?|选填项?|注\s*\d{0,2}|[*＊※]+)\s*[)）】\]］])"
)
# Longer texts are no labels.
_LONGEST = 160
_MAY_BE_MARKED = re.compile(rf"{_MARK}|[¹²³⁴-⁹注填选\]］]")
_MARKED = re.compile(rf"^(?:\s*{_MARK})*\s*(.*?)(?:\s*{_BEHIND})*\s*$", re.S)
_MARKED_UNIT = re.compile(rf"(?:\s*{_BEHIND})+(\s*[(（][^()（）]*[)）])$")


@lru_cache(maxsize=1 << 16)
def unmarked(text: str) -> str:
    """A label without the marks of a template around it; labels without any, and marks alone, come back as they are."""
    if len(text) > _LONGEST or not _MAY_BE_MARKED.search(text):
        return text
    words = _MARKED.sub(r"\1", text)
    return _MARKED_UNIT.sub(r"\1", words) or text


@lru_cache(maxsize=1 << 16)
def label_keys(text: str) -> tuple[str, str]:
    """Two keys of a label: with its number on the form, and its bare words without number and 其中."""
    words = _TRAILING.sub("", unicodedata.normalize("NFKC", text).strip())
    unit = _UNIT.search(words)
    if unit and unit.start() > 0 and unit[1].replace(" ", "") in UNITS:
        words = words[: unit.start()].strip()
    numbers = ""
    while True:
        number = _NUMBER.match(words)
        shorter = _OF_WHICH.sub("", words[number.end() :] if number else words).lstrip("#")
        if shorter == words or not shorter:
            break
        numbers += (number[1] or number[2] or "") if number else ""
        words = shorter
    bare = squeeze(words)
    return (f"{numbers} {bare}" if numbers else bare), bare


def squeeze(text: str) -> str:
    """Text without spaces and in lower case, for comparing."""
    return _SPACE.sub("", text).casefold()


def unit_in_label(text: str) -> str | None:
    """Unit of money written in brackets behind a label."""
    unit = _UNIT.search(unicodedata.normalize("NFKC", unmarked(text)).strip())
    return unit[1].strip() if unit and unit[1].strip() in MONEY_UNITS else None


def is_total(text: str) -> bool:
    """Whether a label or name is that of a sum over others."""
    return _TOTAL.fullmatch(squeeze(unicodedata.normalize("NFKC", text))) is not None
