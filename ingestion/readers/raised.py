"""Raised characters of rich text: the 1 of a footnote behind 1200 must not make 12001 of it."""

import html
import re

_RAISED = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")
# What would be read as part of a number; 注1 and [1] are marks as they stand.
_LIKE_A_NUMBER = re.compile(r"[\d\s.,，、()+-]+")
_RUN = re.compile(
    rb"(<(?:\w+:)?rPr>(?:(?!</(?:\w+:)?rPr>).)*?vertAlign\s+val\s*=\s*[\"']superscript[\"']"
    rb"(?:(?!</(?:\w+:)?rPr>).)*</(?:\w+:)?rPr>\s*<(?:\w+:)?t(?:\s[^>]*)?>)([^<]*)",
    re.DOTALL,
)

MARK = b"superscript"
"""What stands in the XML of a workbook (.xlsx) that has raised characters."""


def raised(text: str) -> str:
    """The text with raised digits in place of plain ones."""
    return text.translate(_RAISED) if _LIKE_A_NUMBER.fullmatch(text) else text


def raised_in(xml: bytes) -> bytes:
    """The XML of texts of a workbook (.xlsx), or of a sheet that holds some, with raised digits where they show so."""

    def run(found: re.Match[bytes]) -> bytes:
        return found[1] + html.escape(raised(html.unescape(found[2].decode())), quote=False).encode()

    return _RUN.sub(run, xml) if MARK in xml else xml
