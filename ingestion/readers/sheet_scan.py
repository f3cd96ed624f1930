"""What a worksheet's XML would cost a reader that holds every cell of its rectangle, found out beforehand.

Plain XML, as spreadsheet programs write it, is looked over by patterns, far faster than it is parsed; anything
else is parsed. A sheet says how large it is, but need not tell the truth.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO

from ingestion.readers.limits import Limits
from ingestion.readers.raised import MARK
from ingestion.readers.safe_xml import Handlers, parse
from ingestion.readers.streams import stream_of
from ingestion.readers.table import HEAD_ROWS, Merge

_KIND = ("工作簿", "a workbook")
_FIRST_PART, _PART, _LONGEST_ROW = 1 << 17, 4 << 20, 64 << 20
_MOST_KEPT = 64 << 20
_ROW_END = b"</row>"
_CELL = b'<c r="'
_ROW_OF_CELL = re.compile(rb"[A-Z]{1,3}([0-9]{1,7})")
_MERGE = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ANY_CELL = re.compile(rb"<c(?=[\s>/])")
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
# A cell that is closed at once holds nothing but its format.
_FILLED_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"(?:\s[^>]*[^>/])?>')
_PREFIXED = re.compile(rb":(?:c|row|sheetData)[\s>/]")
_ERROR, _FLAG = b't="e"', b't="b"'
# A formula without a value. One whose value is a text may well show an empty one.
_UNCALCULATED = re.compile(
    rb'<c r="[A-Z]{1,3}\d{1,7}"(?: s="\d+")?(?: t="n")?><f(?:[^<>]*/>|[^<>]*>[^<]*</f>)(?:<v></v>|<v ?/>)?</c>'
)
_MOST_TOLD = 40
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


class _NotPlain(Exception):
    """The XML is not written as spreadsheet programs write it."""


@dataclass
class Scan:
    """Bounds of a sheet's cells, and what a reader of values does not say.

    ``errors`` are formula errors and ``percents`` cells of a style that shows percentages (row and column from 0),
    ``head`` is the XML of the first rows, ``parts`` all of it unless it is very long, cut where rows end.
    """

    height: int = 0
    width: int = 0
    plain: bool = True
    has_errors: bool = False
    has_flags: bool = False
    has_raised: bool = False
    errors: list[tuple[int, int, str]] = field(default_factory=list)
    percents: list[tuple[int, int]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    head: bytes | None = None
    parts: list[bytes] | None = None

    def meet(self, row: int, column: int) -> None:
        """Widen the bounds to a cell, counted from 1."""
        self.height = max(self.height, row)
        self.width = max(self.width, column)


def scan(
    pieces: Callable[[], Iterator[bytes]], *, name: str, limits: Limits, percents: tuple[int, ...] = ()
) -> Scan:
    """Look over a sheet, whose XML ``pieces`` gives anew each time it is called; ``percents`` are numbers of styles.

    The bounds are upper ones, of rows to the next power of ten: they are found exactly only when it matters.
    """
    found = Scan()
    try:
        _look_over(pieces(), found, percents)
    except _NotPlain:
        found = Scan(plain=False)
        parse(stream_of(pieces()), _Cells(found, percents), name=name, limits=limits, kind=_KIND)
        return found
    if (
        found.height > limits.rows
        or found.width > limits.columns
        or found.height * found.width > limits.cells
    ):
        found.height = found.width = 0
        for part in _parts(pieces()):
            for letters, row in _FILLED_CELL.findall(part):
                found.meet(int(row), column_number(letters))
    return found


def parse_errors(stream: BinaryIO, *, name: str, limits: Limits) -> list[tuple[int, int, str]]:
    """Formula errors of a sheet, and formulas without a value: row and column from 0, and what the cell shows."""
    found = Scan()
    parse(stream, _Cells(found), name=name, limits=limits, kind=_KIND)
    return found.errors


def column_number(letters: bytes | str) -> int:
    """Column from its letters: A is 1."""
    number = 0
    for letter in letters.encode() if isinstance(letters, str) else letters:
        number = number * 26 + letter - 64
    return number


def _look_over(pieces: Iterator[bytes], found: Scan, percents: tuple[int, ...]) -> None:
    """Bounds by pattern; raises :class:`_NotPlain`."""
    head: list[bytes] = []
    rows, size, last = 0, 0, b""
    found.parts = []
    for part in _parts(pieces):
        last = part
        size += len(part)
        if found.parts is not None:
            found.parts = [*found.parts, part] if size <= _MOST_KEPT else None
        if b":" in part and _PREFIXED.search(part):
            raise _NotPlain
        digits = _digits_of_last(part)
        if not found.width or not digits or _outside(found.width, digits).search(part):
            height = _by_cells(part, found)
            digits = len(str(height)) if height else 0
        found.meet(10**digits - 1, 0)
        if not (found.has_errors and found.has_flags):
            found.has_errors = found.has_errors or _ERROR in part or _has_uncalculated(part)
            found.has_flags = found.has_flags or _FLAG in part
        found.has_raised = found.has_raised or MARK in part
        if percents:
            found.percents += [
                (int(row) - 1, column_number(letters) - 1)
                for letters, row in _filled_in(percents).findall(part)
            ]
        if found.head is None:
            head.append(part)
            rows += part.count(_ROW_END)
            if rows >= HEAD_ROWS:
                found.head = _cut(b"".join(head))
    for left, top, right, bottom in _MERGE.findall(last):
        if int(top) <= HEAD_ROWS or int(bottom) > int(top):
            found.merges.append(
                ((int(top) - 1, column_number(left) - 1), (int(bottom) - 1, column_number(right) - 1))
            )


def _has_uncalculated(part: bytes) -> bool:
    return b"<f" in part and _UNCALCULATED.search(part) is not None


def _digits_of_last(part: bytes) -> int:
    """Digits of the row of the part's last cell, which has the most; 0 where none is written plainly."""
    start = part.rfind(_CELL)
    last = _ROW_OF_CELL.match(part, start + len(_CELL)) if start >= 0 else None
    return len(last[1]) if last else 0


def _by_cells(part: bytes, found: Scan) -> int:
    """The last row that a cell of the part names, and the widest column; raises :class:`_NotPlain`."""
    cells = _PLAIN_CELL.findall(part)
    if len(cells) != len(_ANY_CELL.findall(part)):
        raise _NotPlain
    for letters in {letters for letters, _ in cells}:
        found.meet(0, column_number(letters))
    return max({int(row) for _, row in cells}, default=0)


def _parts(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The XML in parts that end where a row ends; the last one holds what stands below the rows.

    Raises :class:`_NotPlain` when no row ends for longer than any row of a spreadsheet is.
    """
    held: list[bytes] = []
    size, enough = 0, _FIRST_PART
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size < enough or _ROW_END not in piece:
            if size > _LONGEST_ROW:
                raise _NotPlain
            continue
        whole = b"".join(held)
        end = whole.rfind(_ROW_END) + len(_ROW_END)
        yield whole[:end]
        held, size, enough = [whole[end:]], len(whole) - end, _PART
    yield b"".join(held)


def _cut(xml: bytes) -> bytes:
    """The sheet up to the end of the last row of its head."""
    end = 0
    for _ in range(HEAD_ROWS):
        end = xml.index(_ROW_END, end) + len(_ROW_END)
    return xml[:end] + b"</sheetData></worksheet>"


@lru_cache(maxsize=64)
def _outside(width: int, digits: int) -> re.Pattern[bytes]:
    """A cell that is not written plainly, or lies beyond the column, or in a row of more digits."""
    return re.compile(rf'<c(?! r="(?:{_letters_to(width)})\d{{1,{digits}}}"|[A-Za-z])'.encode())


@lru_cache(maxsize=64)
def _filled_in(styles: tuple[int, ...]) -> re.Pattern[bytes]:
    """A cell of one of some styles that holds something."""
    numbers = "|".join(map(str, styles))
    return re.compile(
        rf'<c r="([A-Z]{{1,3}})(\d{{1,7}})"(?=[^>]*\ss=["\'](?:{numbers})["\'])[^>]*[^>/]>'.encode()
    )


def _letters_to(width: int) -> str:
    """Pattern of the column letters from A to the widest."""
    text = ""
    number = width
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    ways = [f"[A-Z]{{1,{len(text) - 1}}}"] if len(text) > 1 else []
    for place, letter in enumerate(text):
        if letter > "A":
            rest = len(text) - place - 1
            ways.append(f"{text[:place]}[A-{chr(ord(letter) - 1)}]" + (f"[A-Z]{{{rest}}}" if rest else ""))
    return "|".join([*ways, text])


class _Cells(Handlers):
    """Bounds and errors of a sheet that is parsed; a cell without a place follows the one before.

    A formula that no program has calculated yet is an error too: nobody can say what it shows.
    """

    def __init__(self, found: Scan, percents: tuple[int, ...] = ()) -> None:
        self._found = found
        self._percents = {str(style) for style in percents}
        self._style = ""
        self._row = self._column = 0
        self._kind = ""
        self._filled = False
        self._inside = ""
        self._texts: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A row or cell begins."""
        if tag == "vertAlign":
            self._found.has_raised = True
        elif tag == "row":
            self._row = int(attributes["r"]) if attributes.get("r", "").isdecimal() else self._row + 1
            self._column = 0
        elif tag == "c":
            place = _PLACE.fullmatch(attributes.get("r", ""))
            if place:
                self._column, self._row = column_number(place[1]), int(place[2])
            else:
                self._column += 1
            self._kind, self._filled, self._texts = attributes.get("t", "n"), False, {}
            self._style = attributes.get("s", "")
        elif tag in ("v", "is", "f"):
            self._filled = True
            self._inside = tag
            self._texts[tag] = ""

    def end(self, tag: str) -> None:
        """A cell ends."""
        if tag == self._inside:
            self._inside = ""
        if tag != "c":
            return
        if self._filled:
            self._found.meet(self._row, self._column)
            if self._style in self._percents:
                self._found.percents.append((self._row - 1, self._column - 1))
        shown = self._texts.get("v", "")
        if self._kind == "e" or (self._kind == "n" and "f" in self._texts and not shown.strip()):
            shown = shown if self._kind == "e" else f"={self._texts['f']}"
            self._found.errors.append((self._row - 1, self._column - 1, shown))
        self._texts = {}

    def text(self, data: str) -> None:
        """Text of a value or a formula, as much of it as is told."""
        if self._inside and len(self._texts[self._inside]) < _MOST_TOLD:
            self._texts[self._inside] += data[:_MOST_TOLD]
