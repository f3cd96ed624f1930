"""Readers: a file becomes tables of cells, whatever its format, encoding or extension."""

from pathlib import Path

from ingestion.errors import UnreadableFile
from ingestion.readers.delimited import read_delimited
from ingestion.readers.table import Table
from ingestion.readers.workbook import read_workbook

__all__ = ["Table", "read_tables"]

_ZIP = b"PK\x03\x04"
# Formats told apart by their first bytes so that the sender learns what to do.
_KNOWN = {
    b"\xd0\xcf\x11\xe0": ("旧版 .xls 或加密的工作簿", "an old .xls or an encrypted workbook"),
    b"%PDF": ("PDF", "a PDF"),
    b"\x89PNG": ("图片", "a picture"),
    b"\xff\xd8\xff": ("图片", "a picture"),
    b"Rar!": ("RAR 压缩包", "a RAR archive"),
    b"7z\xbc\xaf": ("7z 压缩包", "a 7z archive"),
    b"\x1f\x8b": ("gzip 压缩包", "a gzip archive"),
}


def read_tables(path: Path, name: str | None = None) -> list[Table]:
    """Tables of a file, told by its content and never by its extension."""
    name = name or path.name
    data = path.read_bytes()
    if not data.strip():
        raise UnreadableFile(
            f"{name} is empty.",
            message_zh=f"文件“{name}”是空的；请重新导出后报送。",
            mend="Export it again.",
            file=name,
        )
    if data.startswith(_ZIP):
        return read_workbook(data, name)
    for magic, (kind_zh, kind_en) in _KNOWN.items():
        if data.startswith(magic):
            raise UnreadableFile(
                f"{name} is {kind_en}, which is not read.",
                message_zh=f"文件“{name}”是{kind_zh}，不能读取；请另存为 .xlsx 或 CSV 后报送。",
                mend="Save it as .xlsx or CSV.",
                file=name,
            )
    return read_delimited(data, name)
