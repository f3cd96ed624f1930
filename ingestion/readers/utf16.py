"""Text in UTF-16, with a mark at its beginning or without one."""

import codecs
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def utf16_of(head: bytes) -> str | None:
    """The encoding of a text in UTF-16 that begins so; None for any other.

    Without a mark the zeros tell: one in each digit, comma and line end, in the same place of the pair.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" not in head:
        return None
    pairs = head[: len(head) // 2 * 2]
    little, big = pairs[1::2].count(0), pairs[::2].count(0)
    if max(little, big) < max(len(pairs) // 40, 4 * min(little, big), 1):
        return None
    encoding = "utf-16-le" if little > big else "utf-16-be"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(pairs)
    except UnicodeError:
        return None
    return None if _CONTROL.search(text) else encoding
