"""Units of measure as files write them, held against those that a form asks for."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingestion.bodies import is_numbering
from ingestion.form import Form, FormField
from ingestion.labels import MONEY_UNITS, squeeze, unit_in_label
from ingestion.recognised import Recognised, Spot

_COUNTED = "人 人次 人次数 人份 张 床 床日 个 例 台 件 份 次 户 名 所 家 处 座 套 辆 胎 项 单位"
# What may be written for a unit, by what it measures, in the smallest of them.
_KINDS: dict[str, dict[str, float]] = {
    "money": {"元": 1},
    "share": {
        **dict.fromkeys(("%", "百分比", "百分数", "百分点"), 1e-2),
        **dict.fromkeys(("‰", "千分比"), 1e-3),
        **dict.fromkeys(("/万", "1/万", "万分之一"), 1e-4),
        **dict.fromkeys(("/10万", "1/10万", "10万分之一", "十万分之一"), 1e-5),
    },
    "area": dict.fromkeys(("m2", "平方米"), 1),
    "mass": {"克": 1, "g": 1, "千克": 1000, "kg": 1000, "公斤": 1000, "吨": 1e6},
    "time": {"天": 1, "日": 1, "周": 7, "月": 30, "年": 365, "岁": 365},
    "count": dict.fromkeys(_COUNTED.split(), 1),
}
_KNOWN = {word: (kind, scale) for kind, words in _KINDS.items() for word, scale in words.items()}
_SCALES = {
    **{"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000},
    **{"十万": 100_000, "百万": 1_000_000, "千万": 10_000_000},
}
_SCALED = re.compile(r"(十万|百万|千万|[十百千万亿])(.*)")
_BRACKETED = re.compile(r"\((.*)\)")
_REMARK = re.compile(r"\([^()]*\)$")
_NOTHING = {"", "-", "--", "—", "——", "–", "/", "无"}


@dataclass(frozen=True)
class Differing:
    """A field whose unit is written otherwise than the form asks, and where."""

    item: FormField
    cell: str
    written: str
    asked: str

    @property
    def zh(self) -> str:
        """For the clerk."""
        name, asked = f"“{self.item.name_zh}”（{self.cell}）", self.asked
        return f"{name}的计量单位写的是{self.written}，本表规定为{asked}；请换算后重报"

    @property
    def en(self) -> str:
        """The same in English."""
        return f"{self.item.code} ({self.cell}) is given in {self.written}, the form asks for {self.asked}"


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether a text is a unit of measure and nothing else, in brackets perhaps: 千元, (万人次), %."""
    return _measured(text) is not None


def is_nothing(text: str) -> bool:
    """Whether a cell among units names none."""
    return squeeze(text) in _NOTHING


@lru_cache(maxsize=4096)
def differs(written: str, asked: str | None) -> bool:
    """Whether a written unit cannot be the one that a field is asked in.

    Words for what is counted (人, 人次, 例) are many and say the same; a thousand of them is something else. Money and
    shares in a unit that nobody knows cannot be trusted.
    """
    if is_nothing(written) or asked is None or (ours := _measured(asked)) is None:
        return False
    theirs = _measured(written)
    if theirs is None:
        return ours[0] in ("money", "share")
    same = {ours[0], theirs[0]} <= {"count", "time"} if ours[0] != theirs[0] else True
    if ours[0] == theirs[0] or theirs[0] == "any":
        return ours[1] != theirs[1]
    return not same


def contradicted(written: str, asked: dict[str, str | None]) -> list[str]:
    """Fields whose unit a unit that is written for a whole row contradicts; ``asked``: units of the row's numbers.

    Of several numbers it speaks for those that are measured alike.
    """
    theirs = _measured(written)
    alike = {
        code
        for code, unit in asked.items()
        if len(asked) == 1
        or (theirs and unit and (ours := _measured(unit)) and theirs[0] in (ours[0], "any"))
    }
    return [code for code in asked if code in alike and differs(written, asked[code])]


def differing(found: Recognised) -> list[Differing]:
    """Fields of a recognised table whose unit is another than the form's, each told once.

    A label speaks for its field, else a cell of units does, else a line above the table for all money.
    """
    said = {column.code: column for column in found.units}
    labels: dict[str, Spot] = {block.measure: block for block in reversed(found.blocks)}
    labels |= {column.code: column for column in (*found.fields, *found.pairs)}
    told = []
    for code, label in labels.items():
        item = found.form.by_code[code]
        asked = item.source_unit or item.unit
        if asked is None or item.type not in ("int", "dec"):
            continue
        money, beside = unit_in_label(label.label), said.get(code)
        general = found.title_unit if unit_in_label(item.name_zh) is None and beside is None else None
        if asked in MONEY_UNITS and (money or general) not in (None, asked):
            told.append(Differing(item, label.cell, str(money or general), asked))
        elif beside is not None and differs(beside.label, asked):
            told.append(Differing(item, beside.cell, beside.label, asked))
    return told


def unit_cells(
    rows: Sequence[Sequence[str]], columns: Sequence[tuple[int, str]], form: Form
) -> tuple[int, dict[int, str]]:
    """How many of the rows right below labels belong to a row of units of measure, and the units by column.

    ``rows``: the row of the labels and those below it; ``columns``: where a field of which code stands. A row that
    numbers the columns may stand before the units.
    """
    numbers = {column for column, code in columns if form.by_code[code].type in ("int", "dec")}
    for count, row in enumerate(rows[1:3], start=1):
        cells = {column: row[column] for column, _ in columns if column < len(row) and row[column]}
        if all(
            is_nothing(text) or text == rows[0][column] or is_unit(text)
            if column in numbers
            else not re.search(r"\d", text)
            for column, text in cells.items()
        ):
            units = {column: text for column, text in cells.items() if column in numbers and is_unit(text)}
            return (count, units) if units else (0, {})
        if not is_numbering(tuple(row[column] for column in cells)):
            break
    return 0, {}


@lru_cache(maxsize=4096)
def _measured(text: str) -> tuple[str, float] | None:
    """What a unit measures, and how many of the smallest it is; ``any`` for a mere 万."""
    words = squeeze(unicodedata.normalize("NFKC", text)).replace("人民币", "")
    inner = _BRACKETED.fullmatch(words)
    words = inner[1] if inner else _REMARK.sub("", words)
    if words in _KNOWN:
        return _KNOWN[words]
    # 元/人次 is so much money, for each.
    words = words.partition("/")[0]
    if words in _SCALES:
        return "any", _SCALES[words]
    scaled = _SCALED.fullmatch(words)
    kind, scale = _KNOWN.get(scaled[2] if scaled else words, ("", 1.0))
    if kind not in ("money", "count", "area"):
        return None
    return kind, scale * (_SCALES[scaled[1]] if scaled else 1)
