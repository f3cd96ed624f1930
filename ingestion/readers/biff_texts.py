"""Texts that the cells of an old workbook share, and which of their characters are raised."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from ingestion.readers.biff import START, records_of
from ingestion.readers.raised import raised

TEXTS, CONTINUED, SHARED_TEXT = 0xFC, 0x3C, 0xFD

Span = tuple[int, int]
"""First character and the one behind the last."""
Rich = dict[int, list[tuple[int, int, list[Span]]]]
"""By number of the sheet: row, column and raised characters of a cell."""


def shared_texts(parts: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Characters of each text and where its fonts begin, as it is written.

    A text may go on in the next record, which then repeats how it is written.
    """
    part, place = 0, 8
    try:
        while part < len(parts):
            if place >= len(parts[part]):
                part, place = part + 1, 0
                continue
            length, flags = struct.unpack_from("<HB", parts[part], place)
            left = length
            place += 3
            runs = rest = 0
            if flags & 8:
                runs = 4 * struct.unpack_from("<H", parts[part], place)[0]
                place += 2
            if flags & 4:
                rest = struct.unpack_from("<L", parts[part], place)[0]
                place += 4
            while left:
                if place >= len(parts[part]):
                    part, place, flags = part + 1, 1, parts[part + 1][0]
                width = 2 if flags & 1 else 1
                taken = min(left, max((len(parts[part]) - place) // width, 1))
                left, place = left - taken, place + taken * width
            tail, fonts = runs + rest, b""
            while tail:
                if place >= len(parts[part]):
                    part, place = part + 1, 0
                taken = min(tail, len(parts[part]) - place)
                fonts += parts[part][place : place + min(taken, runs - len(fonts))]
                tail, place = tail - taken, place + taken
            yield length, fonts
    except (struct.error, IndexError):
        return


def raised_of(data: bytes, fonts: Set[int], sheets: Mapping[int, int]) -> Rich:
    """Cells with raised characters, which are written in one of some fonts; ``sheets``: these by place."""
    found: Rich = {}
    if not fonts:
        return found
    parts: list[bytes] = []
    texts: dict[int, list[Span]] | None = None
    sheet, before = -1, 0
    for place, kind, body in records_of(data):
        if kind == TEXTS or (kind == CONTINUED and before in (TEXTS, CONTINUED) and parts):
            parts.append(body)
        elif kind == START:
            sheet = sheets.get(place, -1)
        elif kind == SHARED_TEXT and len(body) >= 10:
            texts = _raised_texts(parts, fonts) if texts is None else texts
            row, column, _, number = struct.unpack_from("<HHHL", body)
            if number in texts:
                found.setdefault(sheet, []).append((row, column, texts[number]))
        before = kind
    return found


def show_raised(rows: Sequence[list[Any]], cells: Iterable[tuple[int, int, list[Span]]]) -> None:
    """Put raised digits in place of those that are shown so."""
    for row, column, spans in cells:
        if row < len(rows) and column < len(rows[row]) and isinstance(text := rows[row][column], str):
            # Places count characters of 16 bits.
            wide = text.encode("utf-16-le")
            for start, end in reversed(spans):
                piece = raised(wide[2 * start : 2 * end].decode("utf-16-le", "replace"))
                wide = wide[: 2 * start] + piece.encode("utf-16-le") + wide[2 * end :]
            rows[row][column] = wide.decode("utf-16-le", "replace")


def _raised_texts(parts: Sequence[bytes], fonts: Set[int]) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = {}
    for number, (length, written) in enumerate(shared_texts(parts)):
        runs = [*struct.iter_unpack("<HH", written[: len(written) // 4 * 4]), (length, -1)]
        spans = [(start, runs[n + 1][0]) for n, (start, font) in enumerate(runs[:-1]) if font in fonts]
        if spans:
            found[number] = spans
    return found
