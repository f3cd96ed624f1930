"""Text documents as characters: encoding found out as for delimited text, size bounded."""

from ingestion.errors import UnreadableFile
from ingestion.readers.blob import Blob
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import too_large, unreadable
from ingestion.readers.utf16 import utf16_of

# How many first bytes tell the encoding.
_HEAD = 1 << 16


def text_of(blob: Blob, limits: Limits, advice: tuple[str, str]) -> str:
    """The whole text: UTF-16 by its mark or its zeros, else strict UTF-8, else GB18030.

    Raises :class:`FileTooLarge` beyond the size of a document, with advice in Chinese and English, and
    :class:`UnreadableFile` when it is in no such encoding.
    """
    check_size(blob, limits, advice)
    data = blob.read()
    for encoding in encodings(data):
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    raise no_encoding(blob.name)


def check_size(blob: Blob, limits: Limits, advice: tuple[str, str]) -> None:
    """Raise :class:`FileTooLarge` beyond the size of a document, with advice in Chinese and English."""
    if blob.size > limits.document_bytes:
        megabytes = limits.document_bytes >> 20
        raise too_large(blob.name, f"超过{megabytes} MB", f"is larger than {megabytes} MiB", *advice)


def no_encoding(name: str) -> UnreadableFile:
    """Text in no encoding that is known here, or in several."""
    return unreadable(
        name,
        "的文字既不是 UTF-8 也不是 GB18030 编码",
        "is text in neither UTF-8 nor GB18030",
        "请用 UTF-8 重新保存后报送",
        "Save it again in UTF-8",
    )


def encodings(head: bytes) -> tuple[str, ...]:
    """Encodings to try, the strictest first, for a text that begins so."""
    if utf16 := utf16_of(head[:_HEAD]):
        return (utf16,)
    return ("utf-8-sig", "gb18030")
