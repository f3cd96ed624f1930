"""Delimited text: encoding and delimiter found out by content, then read block by block, column by column.

A file is never held as a whole: not while its encoding is found out, and not while its rows are read in batches.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

import polars as pl

from ingestion.errors import UnreadableFile
from ingestion.findings import Finding
from ingestion.readers.blob import Blob
from ingestion.readers.limits import Limits
from ingestion.readers.quotes import (
    LONGEST_CELL,
    closed_late,
    has_stray_quotes,
    last_line,
    may_hold_rows,
    rows_apart,
    swallows,
)
from ingestion.readers.refusals import too_many, unreadable
from ingestion.readers.table import HEAD_ROWS, Table
from ingestion.readers.utf16 import utf16_of

SAMPLE_ROWS = 60
SAMPLE_BYTES = 1 << 16
DELIMITERS = (",", "\t", ";", "|")
CHUNK = 1 << 20
BLOCK = 6 << 20
"""Bytes of text that are split into columns at once: some ten thousand rows. Each block costs a thousand rows more."""
_LONGEST_WORD = 64
# Four or more Chinese characters of UTF-8 alone between other characters. Read as GB18030 they would be characters
# of its last rows, which hardly ever stand side by side.
_UTF8_WORD = re.compile(rb"(?<![\x80-\xff])(?:[\xe4-\xe9][\x80-\xbf]{2}){4,21}(?![\x80-\xff])")
_BOTH, _NEITHER = "both", "neither"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def read_delimited(source: bytes | Blob, name: str) -> list[Table]:
    """The one table of a delimited text."""
    blob = Blob(name, data=source) if isinstance(source, bytes) else source
    encoding = _encoding(blob, name)
    sample = _sample(blob, encoding)
    if _CONTROL.search(sample):
        raise UnreadableFile(
            f"{name} is neither text nor a workbook.",
            message_zh=f"文件“{name}”既不是文本也不是工作簿，无法读取；请用 .xlsx 或 CSV 重新报送。",
            mend="Send it as .xlsx or CSV.",
            file=name,
        )
    delimiter, widths = _delimiter(sample)
    width = max(*widths, 1, 1)
    if width > Limits.of().columns:
        raise too_many(name, "列数", "columns", Limits.of().columns)
    text = _Text(blob, encoding, delimiter, width)
    return [Table("", text.top(), text.rows_below, stream=text.batches, told=text.told, widths=widths)]


def read_head(head: bytes) -> Iterator[list[str]]:
    """Rows of the first bytes of a delimited text, read in Python alone; raises UnicodeError and csv.Error."""
    utf16 = utf16_of(head)
    for encoding in (utf16,) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            if encoding != "utf-8-sig":
                raise
        else:
            break
    delimiter, _ = _delimiter(text)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


@dataclass(frozen=True)
class _Text:
    """A delimited text; each reading starts from the beginning of the file."""

    blob: Blob
    encoding: str
    delimiter: str
    width: int
    told: dict[int, Finding] = field(default_factory=dict)

    def top(self) -> list[tuple[object, ...]]:
        """The first rows; few blocks are read for them."""
        rows: list[tuple[object, ...]] = []
        for frame in self._frames(SAMPLE_BYTES):
            rows += frame.head(HEAD_ROWS - len(rows)).rows()
            if len(rows) == HEAD_ROWS:
                break
        return rows

    def rows_below(self, first: int) -> pl.DataFrame:
        """All rows from one on."""
        frames = list(self.batches(first, BLOCK))
        if not frames:
            return pl.DataFrame(schema={f"c{index}": pl.String for index in range(self.width)})
        return pl.concat(frames, how="diagonal", rechunk=False)

    def batches(self, first: int, size: int) -> Iterator[pl.DataFrame]:
        """Rows from one on, a block or ``size`` rows at a time; rows of uneven length may widen a frame."""
        for frame in self._frames(BLOCK):
            skipped = min(first, frame.height)
            first -= skipped
            if skipped < frame.height:
                yield from frame.slice(skipped).iter_slices(size)

    def _frames(self, block: int) -> Iterator[pl.DataFrame]:
        with self.blob.open() as stream:
            pieces = _utf8_pieces(stream, self.encoding, block)
            rest, row = b"", 1
            for piece in pieces:
                cut = last_line(rest, piece)
                if cut:
                    frame = self._frame(b"".join((rest, memoryview(piece)[:cut])), row)
                    yield frame
                    row += frame.height
                    rest = bytes(memoryview(piece)[cut:])
                    continue
                rest += piece
                if len(rest) > LONGEST_CELL:
                    # No line seems to end: quotes that are never closed. The patient reader tells.
                    yield from self._slowly(_decoded(rest, pieces), row)
                    return
            if rest:
                self._refuse_open_quotes(rest)
                yield self._frame(rest, row)

    def _refuse_open_quotes(self, rest: bytes) -> None:
        """Refuse a text whose last quotes are never closed: all lines below them would be one cell."""
        if rest.count(b'"') % 2 == 0 or not swallows(rest.decode(), self.delimiter):
            return
        raise unreadable(
            self.blob.name,
            "中有一处双引号没有闭合，其后的各行无法分开",
            "has a quote that is never closed, so the lines below it cannot be told apart",
            "请检查引号，或用 .xlsx 重新报送",
            "Mend its quotes or send it as .xlsx",
        )

    def _frame(self, utf8: bytes, first_row: int) -> pl.DataFrame:
        """Whole lines as rows; ``first_row`` is the spreadsheet row of the first of them."""
        most = Limits.of().columns
        # Polars makes a column of whatever its first line holds.
        if utf8.count(self.delimiter.encode(), 0, utf8.find(b"\n")) > most:
            raise too_many(self.blob.name, "列数", "columns", most)
        if not has_stray_quotes(utf8, self.delimiter):
            try:
                frame = pl.read_csv(
                    utf8,
                    has_header=False,
                    schema={f"c{index}": pl.String for index in range(self.width)},
                    separator=self.delimiter,
                    missing_columns="insert",
                )
            except pl.exceptions.PolarsError:
                pass
            else:
                if b'"' not in utf8 or not may_hold_rows(frame, self.delimiter):
                    return frame
        frames = list(self._slowly(iter([utf8.decode()]), first_row))
        return pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]

    def _slowly(self, texts: Iterator[str], first_row: int = 1) -> Iterator[pl.DataFrame]:
        """Rows of uneven length or with stray quotes: what Polars refuses, cell by cell.

        Where a quote was opened and closed only rows below, each of the lines between is a row as it stands.
        """
        csv.field_size_limit(LONGEST_CELL)
        rows: list[list[str]] = []
        width, most, number = self.width, Limits.of().columns, first_row
        try:
            for row in csv.reader(_lines(texts), delimiter=self.delimiter):
                if len(row) > most:
                    raise too_many(self.blob.name, "列数", "columns", most)
                apart = rows_apart(row, self.delimiter, self.width)
                if len(apart) > 1:
                    self.told[number] = closed_late(number, number + len(apart) - 1)
                rows += apart
                number += len(apart)
                width = max(width, *map(len, apart))
                if len(rows) * width >= SLOW_CELLS:
                    yield self._frame_of(rows)
                    rows = []
        except csv.Error as error:
            raise UnreadableFile(
                f"The text cannot be split into columns: {error}.",
                message_zh=f"文本无法分列（{error}）；请检查引号，或用 .xlsx 重新报送。",
                mend="Mend its quotes or send it as .xlsx.",
            ) from error
        yield self._frame_of(rows)

    def _frame_of(self, rows: list[list[str]]) -> pl.DataFrame:
        width = max([self.width, *map(len, rows)])
        columns: list[list[str | None]] = [[None] * len(rows) for _ in range(width)]
        for number, row in enumerate(rows):
            for index, text in enumerate(row):
                columns[index][number] = text or None
        return pl.DataFrame({f"c{i}": pl.Series(column, dtype=pl.String) for i, column in enumerate(columns)})


SLOW_CELLS = 1_000_000


def _encoding(blob: Blob, name: str) -> str:
    """Encoding of the whole text: strict UTF-8 first, since GB18030 takes almost any bytes."""
    head = blob.head(SAMPLE_BYTES)
    if utf16 := utf16_of(head):
        _undecodable(blob, utf16, name, refuse=True)
        return utf16
    if _is_utf8(blob):
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if _undecodable(blob, "gb18030", name):
        raise _in_no_encoding(blob, name)
    _refuse_mixture(blob, name)
    return "gb18030"


def _refuse_mixture(blob: Blob, name: str) -> None:
    """GB18030 takes almost any bytes: words of UTF-8 among them would become other words without a sound."""
    rest = b""
    with blob.open() as stream:
        while chunk := stream.read(CHUNK):
            text = rest + chunk
            if _UTF8_WORD.search(text):
                raise _in_no_encoding(blob, name)
            rest = text[-_LONGEST_WORD:]


def _in_no_encoding(blob: Blob, name: str) -> UnreadableFile:
    """The refusal of a text in two encodings, which names the first line of each, the rarer first; or in none."""
    first: dict[str, int] = {}
    counted = Counter[str]()
    number = 1
    with blob.open() as stream:
        for line in iter(partial(stream.readline, CHUNK), b""):
            if not line.isascii():
                encoding = _encoding_of(line)
                counted[encoding] += 1
                first.setdefault(encoding, number)
            number += line.endswith(b"\n")
    both = first.pop(_BOTH, 0)
    if _NEITHER in first or not (both or len(first) == 2):
        return _no_text(name, first.get(_NEITHER, 1))
    if len(first) == 2:
        (rare, line_no), (usual, other) = sorted(first.items(), key=lambda one: (counted[one[0]], -one[1]))
        zh = f"第{line_no}行是 {rare}，第{other}行是 {usual}"
        en = f"line {line_no} is {rare}, line {other} is {usual}"
    else:
        line_no, zh, en = both, f"第{both}行两种都有", f"line {both} has both"
    return unreadable(
        name,
        f"混有两种文字编码（{zh}）",
        f"mixes two encodings ({en})",
        "请把全部内容放入同一个工作簿，另存为 .xlsx 或 UTF-8 编码的 CSV 后报送",
        "Put everything into one workbook and save it as .xlsx or as CSV in UTF-8",
        line=line_no,
    )


def _encoding_of(line: bytes) -> str:
    if _decodes(line, "utf-8"):
        return "UTF-8"
    if _UTF8_WORD.search(line):
        return _BOTH
    return "GB18030" if _decodes(line, "gb18030") else _NEITHER


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeError:
        return False
    return True


def _undecodable(blob: Blob, encoding: str, name: str, *, refuse: bool = False) -> bool:
    """Whether the text holds bytes that the encoding has not; ``refuse`` raises then."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 0
    with blob.open() as stream:
        chunk = b""
        try:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
                lines += chunk.count(b"\n") if refuse else 0
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            if refuse:
                line = lines + chunk.count(b"\n", 0, getattr(error, "start", 0)) + 1
                raise _no_text(name, line) from error
            return True
    return False


def _is_utf8(blob: Blob) -> bool:
    """Whether the whole text is UTF-8. Polars looks at its bytes ten times as fast as Python makes text of them."""
    with blob.open() as stream:
        rest = b""
        while text := rest + (chunk := stream.read(CHUNK)):
            # A character that the end of a chunk may cut in two, of at most four bytes, waits for the next one.
            begun = next((n for n in (1, 2, 3) if chunk and text[-n:] >= b"\xc0"), 0)
            whole, rest = text[: len(text) - begun], text[len(text) - begun :]
            try:
                pl.Series([whole], dtype=pl.Binary).cast(pl.String)
            except pl.exceptions.PolarsError:
                return False
            if not chunk:
                break
    return True


def _no_text(name: str, line: int) -> UnreadableFile:
    return UnreadableFile(
        f"{name} is neither UTF-8 nor GB18030 text nor a workbook (line {line}).",
        message_zh=f"文件“{name}”既不是 UTF-8 也不是 GB18030 编码的文本（第{line}行），也不是 .xlsx 工作簿；"
        "请用 .xlsx 或 CSV 重新保存后报送。",
        mend="Save it again as .xlsx or CSV.",
        file=name,
        line=line,
    )


def _utf8_pieces(stream: BinaryIO, encoding: str, block: int) -> Iterator[bytearray]:
    """The text in UTF-8 without a mark at its beginning; a piece is good until the next one is asked for."""
    if encoding in ("utf-8", "utf-8-sig"):
        if encoding == "utf-8-sig":
            stream.read(len(codecs.BOM_UTF8))
        # One piece of memory for all of them: fresh memory costs as much as splitting what it holds.
        piece = bytearray(block)
        while size := stream.readinto(piece):  # type: ignore[attr-defined]
            yield piece if size == block else piece[:size]
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    for chunk in iter(partial(stream.read, block), b""):
        yield bytearray(decoder.decode(chunk).encode())
    yield bytearray(decoder.decode(b"", final=True).encode())


def _decoded(rest: bytes, pieces: Iterator[bytearray]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    yield decoder.decode(rest)
    for piece in pieces:
        yield decoder.decode(piece)


def _lines(texts: Iterator[str]) -> Iterator[str]:
    """Lines with their ends, from pieces of text."""
    rest = ""
    for piece in texts:
        lines = io.StringIO(rest + piece, newline="").readlines()
        rest = lines.pop() if lines and not lines[-1].endswith(("\n", "\r")) else ""
        yield from lines
    if rest:
        yield rest


def _sample(blob: Blob, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors="ignore")
    return decoder.decode(blob.head(SAMPLE_BYTES))


def _delimiter(sample: str) -> tuple[str, tuple[int, ...]]:
    """Delimiter that splits most rows into the same number of columns, and how many each of the first rows has."""
    best: tuple[int, int, str, tuple[int, ...]] = (0, 0, ",", ())
    for preference, delimiter in enumerate(reversed(DELIMITERS)):
        widths = []
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            widths.append(len(row))
            if len(widths) == SAMPLE_ROWS:
                break
        split = [width for width in widths if width > 1]
        usual = max(set(split), key=split.count, default=1)
        best = max(best, (split.count(usual) * (usual > 1), preference, delimiter, tuple(widths)))
    return best[2], best[3]
