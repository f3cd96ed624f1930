"""Delimited text: encoding and delimiter found out by content, then read column by column."""

import codecs
import csv
import io
import re

import polars as pl

from ingestion.errors import UnreadableFile
from ingestion.readers.table import HEAD_ROWS, Table

SAMPLE_ROWS = 60
DELIMITERS = (",", "\t", ";", "|")
CHUNK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")


def read_delimited(data: bytes, name: str) -> list[Table]:
    """The one table of a delimited text."""
    utf8 = _as_utf8(data, name)
    sample = _sample(utf8)
    if _CONTROL.search(sample):
        raise UnreadableFile(
            f"{name} is neither text nor a workbook.",
            message_zh=f"文件“{name}”既不是文本也不是工作簿，无法读取；请用 .xlsx 或 CSV 重新报送。",
            mend="Send it as .xlsx or CSV.",
            file=name,
        )
    delimiter, width = _delimiter(sample)
    schema = {f"c{index}": pl.String for index in range(width)}
    try:
        frame = pl.read_csv(
            utf8,
            has_header=False,
            schema=schema,
            separator=delimiter,
            missing_columns="insert",
        )
    except pl.exceptions.PolarsError:
        frame = _slowly(utf8, delimiter)
    return [Table("", frame.head(HEAD_ROWS).rows(), frame.slice)]


def _as_utf8(data: bytes, name: str) -> bytes:
    """The text in UTF-8: strict UTF-8 first, since GB18030 takes almost any bytes."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recode(data, "utf-16", name)
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    if _is_utf8(data):
        return data
    return _recode(data, "gb18030", name)


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK):
            decoder.decode(data[start : start + CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _recode(data: bytes, encoding: str, name: str) -> bytes:
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        line = data.count(b"\n", 0, place) + 1
        raise UnreadableFile(
            f"{name} is neither UTF-8 nor GB18030 text nor a workbook (line {line}).",
            message_zh=f"文件“{name}”既不是 UTF-8 也不是 GB18030 编码的文本（第{line}行），也不是 .xlsx 工作簿；"
            "请用 .xlsx 或 CSV 重新保存后报送。",
            mend="Save it again as .xlsx or CSV.",
            file=name,
            line=line,
        ) from error


def _sample(utf8: bytes) -> str:
    return utf8[: 1 << 16].decode(errors="ignore")


def _delimiter(sample: str) -> tuple[str, int]:
    """Delimiter that splits most rows into the same number of columns, and the widest row."""
    best = (0, 0, ",", 1)
    for preference, delimiter in enumerate(reversed(DELIMITERS)):
        widths = []
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            widths.append(len(row))
            if len(widths) == SAMPLE_ROWS:
                break
        split = [width for width in widths if width > 1]
        usual = max(set(split), key=split.count, default=1)
        best = max(best, (split.count(usual) * (usual > 1), preference, delimiter, max(widths, default=1)))
    return best[2], max(best[3], 1)


def _slowly(utf8: bytes, delimiter: str) -> pl.DataFrame:
    """Rows of uneven length or with stray quotes: what Polars refuses, cell by cell."""
    csv.field_size_limit(1 << 24)
    try:
        rows = list(csv.reader(io.StringIO(utf8.decode(), newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFile(
            f"The text cannot be split into columns: {error}.",
            message_zh=f"文本无法分列（{error}）；请检查引号，或用 .xlsx 重新报送。",
            mend="Mend its quotes or send it as .xlsx.",
        ) from error
    width = max((len(row) for row in rows), default=1)
    columns: list[list[str | None]] = [[None] * len(rows) for _ in range(width)]
    for number, row in enumerate(rows):
        for index, text in enumerate(row):
            columns[index][number] = text or None
    return pl.DataFrame({f"c{i}": pl.Series(column, dtype=pl.String) for i, column in enumerate(columns)})
