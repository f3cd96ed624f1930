"""Persons inside texts that are kept or told: names of files and sheets, cells that findings quote.

Such a text should not say who somebody is, but people type it there. What has the shape of a citizen number, a
telephone or an e-mail address, and a name behind a word that announces one, is replaced; the rest stays readable.
"""

import re
from collections import Counter
from collections.abc import Iterable

from ingestion.identifiers import is_uscc

MASK = "***"

# What holds none of this says nobody's number, address or name.
_WORTH_A_LOOK = re.compile(r"[0-9０-９]{7}|[0-9]{3}[- ][0-9]{4}|[@＠]|[名人者妇长]\s*[:：]")
# Region, day of birth and running number, whether or not the check digit is right: a slip still leads to a person.
_CITIZEN = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
    r"(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z.])[1-9][0-9]{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}(?![0-9A-Za-z]|\.[0-9])"
)
_TELEPHONE = re.compile(
    r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9][0-9](?:[0-9]{8}|[- ][0-9]{4}[- ][0-9]{4})(?![0-9A-Za-z]|\.[0-9])"
    # Behind the dialling code of a place; a day there means that something else is numbered.
    r"|(?<![0-9A-Za-z])0[1-9][0-9]{1,2}[- ](?!(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2]))[1-9][0-9]{6,7}(?![0-9])"
)
_ADDRESS = re.compile(r"[0-9A-Za-z._%+-]+[@＠][0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+")
_NAMED = re.compile(
    r"((?:姓\s*名|联系人|经办人|填表人|制表人|填报人|审核人|患\s*者|病\s*人|产\s*妇|死\s*者|家\s*长)\s*[:：]\s*)"
    r"[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])"
)
_FULL_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ－＋", "0123456789Xx-+")


def masked(text: str) -> str:
    """The text without what says who somebody is; most texts come back as they are."""
    if not _WORTH_A_LOOK.search(text):
        return text
    # Digits in full width keep their place, so what is found among plain ones is cut out of the text itself.
    plain = text.translate(_FULL_WIDTH)
    spans = [found.span() for found in _CITIZEN.finditer(plain) if not is_uscc(found[0].upper())]
    spans += [found.span() for pattern in (_TELEPHONE, _ADDRESS) for found in pattern.finditer(plain)]
    spans += [(found.end(1), found.end()) for found in _NAMED.finditer(plain)]
    if not spans:
        return text
    pieces, last = [], 0
    for start, end in sorted(spans):
        if start >= last:
            pieces += [text[last:start], MASK]
            last = end
    return "".join([*pieces, text[last:]])


def masked_names(names: Iterable[str]) -> list[str]:
    """Names without persons; of several that become the same, the later ones are numbered."""
    told: Counter[str] = Counter()
    found = []
    for name in names:
        shown = masked(name)
        if shown != name:
            told[shown] += 1
            shown = f"{shown}({told[shown]})" if told[shown] > 1 else shown
        found.append(shown)
    return found
