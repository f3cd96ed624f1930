"""What the lines around a table say: unit, period, measure, unit of money, and which part it is."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

from ingestion.form import Form, Layout, Part
from ingestion.label_index import LabelIndex
from ingestion.labels import MONEY_UNITS, squeeze

_LABELLED = re.compile(r"\s*([^:\s][^:]{0,24}?)\s*:\s*(.*)")
# Several labelled values in one line are set apart by spaces.
_APART = re.compile(r"\s+(?=[^\s:]{2,20}:)")
_TITLE_UNIT = re.compile(r"(?:^|[^报位])(?:计量|金额|货币)?单位:\s*(" + "|".join(MONEY_UNITS) + r")(?!\w)")
_REPORTER = re.compile(r"(?:填报|报送|填表|编报)(?:单位|机构)(?:\([^)]*\))?:\s*(\S+)")
# Who files for another; a 填报单位 beside it is the other one.
_FILED_FOR_ANOTHER = r"代(?:报|填|填报|报送)(?:单位|机构)"
_PROXY = re.compile(_FILED_FOR_ANOTHER + r"(?:\([^)]*\))?:\s*(\S+)")
_UNIT_NAME = re.compile(
    r"(?:^|[^\w]|_)((?!20)[^\W_][^\W_()]{0,28}(?:医院|卫生院|保健院|门诊部|诊所|卫生室|卫生所|服务中心|服务站|防治所"
    r"|防治站|监督所|控制中心|疾控中心|血站|保健所|急救中心)"
    # 医院一 is numbered only where the name ends there: 医院一季度 and 医院一览表 go on.
    r"(?:[一二三四五六七八九十]{1,3}(?=[\W_]|$|医疗|报表|统计))?)"
)

_PERIODS = re.compile(
    r"(?:19|20)\d{2}(?:\s*[年./-]?\s*\d{1,2}(?!\d)\s*月?)?(?:年度?)?份?"
    r"|(?:二[〇○零]|一九)[〇○零一二三四五六七八九]{2}\s*年度?(?:\s*[一二三四五六七八九十]{1,2}\s*月份?)?"
)


def plain(text: str) -> str:
    """Text with full-width forms as their plain ones."""
    return unicodedata.normalize("NFKC", text)


def lines(rows: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Each different text of some rows, in their order."""
    return tuple(dict.fromkeys(text for row in rows for text in row if text))


def labelled_values(
    rows: Sequence[Sequence[str]], form: Form, index: LabelIndex
) -> dict[str, tuple[str, int, int]]:
    """Values of fields that are no measures, written as 标签：值, with their cell."""
    found: dict[str, tuple[str, int, int]] = {}
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            if not text or (column and row[column - 1] == text):
                continue
            for piece in _APART.split(plain(text)):
                pair = _LABELLED.fullmatch(piece)
                codes = index.lookup(pair[1]).get(form.code, ()) if pair else ()
                if pair is None or len(codes) != 1 or form.by_code[codes[0]].role == "measure":
                    continue
                code = codes[0]
                if pair[2].strip():
                    found.setdefault(code, (pair[2].strip(), number + 1, column + 1))
                    continue
                right = next((n for n in range(column + 1, len(row)) if row[n] and row[n] != text), None)
                if right is not None and not _LABELLED.fullmatch(plain(row[right])):
                    found.setdefault(code, (row[right], number + 1, right + 1))
    return found


def unit_of_money(titles: Iterable[str]) -> str | None:
    """The unit that a line above the table gives for all its money."""
    return next((match[1] for match in map(_TITLE_UNIT.search, map(plain, titles)) if match), None)


def reporter_in(titles: Iterable[str]) -> str | None:
    """The unit that fills in the form, as a line above the table says; first of all one that does so for another."""
    texts = [plain(title) for title in titles]
    # Without its colon a cell may be a heading: the monthly form has one for 代报机构.
    beside = [
        value
        for label, value in pairwise(texts)
        if label.endswith(":") and names_reporter(label[:-1]) and ":" not in value
    ]
    found = (pattern.search(text) for pattern in (_PROXY, _REPORTER) for text in texts)
    return beside[0] if beside else next((match[1] for match in found if match), None)


def names_reporter(label: str) -> bool:
    """Whether a column says who filed each row for the unit that the row is about."""
    return re.fullmatch(_FILED_FOR_ANOTHER + r"(?:名称)?(?:\([^)]*\))?", squeeze(plain(label))) is not None


def unit_named(texts: Iterable[str], form: Form) -> str | None:
    """A name in a title, sheet name or file name that is an institution's by its last word.

    The first text that names one counts; the form's own name is no institution, and who files for another is not
    whom the form is about.
    """
    own = squeeze(plain(form.name_zh))
    for text in texts:
        for match in _UNIT_NAME.finditer(_PERIODS.sub(" ", _PROXY.sub(" ", plain(text)))):
            if squeeze(match[1]) not in own:
                return match[1]
    return None


def part_of(layout: Layout, texts: Sequence[str], file_name: str) -> tuple[Part | None, str]:
    """The part a file is and its name: by words in titles first and the file's name last, or by a pattern."""
    if layout.part_pattern:
        match = re.search(layout.part_pattern, file_name)
        return None, (match[1] or "") if match else ""
    for text in texts:
        lowered = plain(text).casefold()
        hits = [part for part in layout.parts if any(word.casefold() in lowered for word in part.words)]
        if len(hits) == 1:
            return hits[0], hits[0].code
    return None, ""
