"""One number as a clerk may have typed it."""

import re
import unicodedata
from collections.abc import Container
from typing import Generic, NamedTuple, TypeVar

_Value = TypeVar("_Value")

_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[, ][0-9]{3})+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# The special values of a form, in brackets so that nobody takes their sign for a dash. Any other number in
# brackets may be a negative one or a remark.
_SPECIAL = re.compile(r"\(\s*(-[12])\s*\)")
# Marks that lead to a note below the table: 12*, 12①, 12注1, 12[1], 12(注2), 12¹, 12²⁾. A lone ² may be a power.
_FOOTNOTE = re.compile(
    r"\s*(?:[*＊†‡※△▲☆★]+|[①-⑳⑴-⒇㊀-㊉❶-❿]+|注\s*[0-9０-９一二三四五六七八九十]{0,2}"
    r"|¹|⁽?[⁰¹²³⁴-⁹]{1,2}⁾"
    r"|[\[［【]\s*注?\s*[0-9０-９]{1,2}\s*[\]］】]|[(（]\s*注[^()（）]{0,10}[)）])$"
)


class Read(NamedTuple, Generic[_Value]):
    """A value that was read, and the kind of what was left out or goes with it (None: nothing)."""

    value: _Value
    note: str | None = None


def normal_text(text: str) -> str:
    """Full-width forms, odd spaces and minus signs as their plain ones."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def read_number(text: str, null_marks: Container[str]) -> Read[float | None] | None:
    """The number in a cell; a value of None is a mark for nothing; None when the text is no number."""
    written = text.strip()
    if written in null_marks or normal_text(written) in null_marks:
        return Read(None)
    mark = _FOOTNOTE.search(written)
    if mark and mark.start() > 0:
        written = written[: mark.start()]
    # Circled and raised digits turn into plain ones below and would change the number.
    if any(unicodedata.category(character) == "No" for character in written):
        return None
    plain = normal_text(written)
    if special := _SPECIAL.fullmatch(plain):
        plain = special[1]
    note = "footnote" if mark else None
    if plain.endswith(("%", "‰")):
        if mark:
            return None
        note, plain = plain[-1], plain[:-1].rstrip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "").replace(" ", "")
    if not _PLAIN.fullmatch(plain):
        return None
    return Read(float(plain), note)
