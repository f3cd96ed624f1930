"""Which kind of file it is, told by its first bytes and never by its name."""

import codecs
import re
import tarfile
from typing import Literal

from ingestion.readers.compound import MAGIC as COMPOUND
from ingestion.readers.spreadsheetml import MARK as SPREADSHEETML
from ingestion.readers.utf16 import utf16_of

Kind = Literal[
    "delimited",
    "zip",
    "compound",
    "spreadsheetml",
    "xml",
    "html",
    "json",
    "parquet",
    "tar",
    "gzip",
    "bzip2",
    "xz",
]

HEAD = 1 << 16
"""How many first bytes tell."""

REFUSED = {
    b"%PDF": ("PDF", "a PDF"),
    b"\x89PNG": ("图片", "a picture"),
    b"\xff\xd8\xff": ("图片", "a picture"),
    b"GIF8": ("图片", "a picture"),
    b"II*\x00": ("图片", "a picture"),
    b"MM\x00*": ("图片", "a picture"),
    b"RIFF": ("图片、音频或视频", "a picture, sound or film"),
    b"Rar!": ("RAR 压缩包", "a RAR archive"),
    b"7z\xbc\xaf\x27\x1c": ("7z 压缩包", "a 7z archive"),
    b"{\\rtf": ("RTF 文档", "an RTF document"),
    b"MZ\x90": ("程序", "a program"),
    b"\x7fELF": ("程序", "a program"),
    b"SQLite format 3\x00": ("SQLite 数据库", "an SQLite database"),
}
"""Formats that are told apart only so that the sender learns what to do."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (COMPOUND[:4], "compound"),
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_HTML = re.compile(
    r"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body|meta|style|table)\b",
    re.DOTALL | re.IGNORECASE,
)
_XML = re.compile(r"\s*<(?:\?xml|[A-Za-z_\u00c0-\uffff!])")
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\-\d\]tfn])")


def kind_of(head: bytes) -> Kind:
    """Kind of a file that begins so; what is nothing else is delimited text."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if is_tar(head[:512]):
        return "tar"
    text = _text(head)
    if _HTML.match(text):
        return "html"
    if _XML.match(text):
        mark = SPREADSHEETML.decode()
        if mark in text:
            return "spreadsheetml"
        return "html" if re.search(r"<html\b", text[:2000], re.IGNORECASE) else "xml"
    return "json" if _JSON.match(text) else "delimited"


def refused(head: bytes) -> tuple[str, str] | None:
    """What the file is, in Chinese and English, when it is of a kind that is not read."""
    return next((names for magic, names in REFUSED.items() if head.startswith(magic)), None)


def _text(head: bytes) -> str:
    if utf16 := utf16_of(head):
        return head.decode(utf16, errors="replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")


def is_tar(block: bytes) -> bool:
    """Whether the first block is the header of a tar file, whose checksum tells."""
    if len(block) < 512 or not block.strip(b"\0"):
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True
