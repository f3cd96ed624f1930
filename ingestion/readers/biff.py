"""Records of old workbooks, and what those before the first sheet say of all of them."""

import struct
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from ingestion.readers.number_formats import shows_percent

END, SHEET, START = 0x0A, 0x85, 0x809
FORMULA = {0x06, 0x206, 0x406}
SEVERAL = {0xBD}
"""Several numbers side by side, each with its style."""

_DATE_MODE, _FONT, _PATTERN, _STYLE = 0x22, 0x31, 0x41E, 0xE0
# No font has this number.
_NO_FONT = 4
_NEWEST = 0x600
_BUILT_IN = {9: "0%", 10: "0.00%"}
# Cells of one number; its style stands behind its place.
_NUMBERS = {0x03, 0x203, 0x27E, *FORMULA}

Percents = dict[int, list[tuple[int, int]]]


@dataclass
class Book:
    """``percent_styles``: numbers of the styles that show percentages; ``raised_fonts``: of fonts above the line.

    ``since_1904``: what days count from.
    """

    percent_styles: set[int] = field(default_factory=set)
    raised_fonts: set[int] = field(default_factory=set)
    since_1904: bool = False


def records_of(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Place, kind and body of each record."""
    place = 0
    while place + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, place)
        yield place, kind, data[place + 4 : place + 4 + length]
        place += 4 + length


def book_of(data: bytes) -> Book:
    """What stands before the first sheet."""
    book = Book()
    patterns = dict(_BUILT_IN)
    styles, fonts, is_newest = 0, 0, True
    for _, kind, body in records_of(data):
        if kind == START:
            is_newest = body[:2] == struct.pack("<H", _NEWEST)
        elif kind == _DATE_MODE:
            book.since_1904 = body[:1] == b"\x01"
        elif kind == _FONT:
            fonts += fonts == _NO_FONT
            if body[8:10] == b"\x01\x00":
                book.raised_fonts.add(fonts)
            fonts += 1
        elif kind == _PATTERN:
            patterns[struct.unpack_from("<H", body)[0]] = _pattern(body, is_newest=is_newest)
        elif kind == _STYLE:
            if shows_percent(patterns.get(struct.unpack_from("<H", body, 2)[0], "")):
                book.percent_styles.add(styles)
            styles += 1
        elif kind == END:
            break
    return book


def percents_of(data: bytes, styles: Set[int], sheets: Mapping[int, int]) -> Percents:
    """Cells of numbers in some styles, row and column from 0, by number of the sheet; ``sheets``: these by place."""
    found: Percents = {}
    if not styles:
        return found
    sheet = -1
    for place, kind, body in records_of(data):
        if kind == START:
            sheet = sheets.get(place, -1)
        elif kind in _NUMBERS or kind in SEVERAL:
            row, column = struct.unpack_from("<HH", body)
            # Where there are several, each takes six bytes, and the last column follows them.
            places = range(4, len(body) - 2, 6) if kind in SEVERAL else (4,)
            found.setdefault(sheet, []).extend(
                (row, column + number)
                for number, at in enumerate(places)
                if struct.unpack_from("<H", body, at)[0] in styles
            )
    return found


def _pattern(body: bytes, *, is_newest: bool) -> str:
    if not is_newest:
        return body[3:].decode("latin-1")
    wide = len(body) > 4 and body[4] & 1
    return body[5:].decode("utf-16-le" if wide else "latin-1", "replace")
