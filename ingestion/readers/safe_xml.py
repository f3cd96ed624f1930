"""XML read piece by piece: no document type, no entities, no endless nesting, no endless time."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from ingestion.readers.limits import Limits
from ingestion.readers.refusals import damaged, declares_entities, overdue, too_many

PIECE = 1 << 16
_DEPTH = 200
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
# Expat reads these itself; all others are recoded first.
_OWN = {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii"}


class Handlers:
    """What is called for each element, with names and attributes bare of their namespace."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Characters; they may come in several pieces."""


def parse(
    stream: BinaryIO, handlers: Handlers, *, name: str, limits: Limits, kind: tuple[str, str] = ("XML", "XML")
) -> None:
    """Feed a document to the handlers.

    Raises :class:`UnreadableFile` for what is not well formed or declares a document type, and
    :class:`FileTooLarge` for what nests too deep or takes too long.
    """
    head = stream.read(PIECE)
    encoding = _encoding(head, name)
    parser = expat.ParserCreate("utf-8" if encoding else None, namespace_separator=" ")
    parser.buffer_text = True
    depth = 0
    names = _Names()

    def refuse(*_: object) -> None:
        raise declares_entities(name)

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise too_many(name, "XML嵌套层数", "levels of nested XML", _DEPTH)
        handlers.start(names[tag], {names[key]: value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        handlers.end(names[tag])

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handlers.text
    try:
        for piece in _pieces(head, stream, encoding):
            if limits.overdue:
                raise overdue(name, limits.seconds)
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        # An encoding that nobody knows is looked up by the parser itself.
        line = getattr(error, "lineno", None)
        raise damaged(name, *kind, f"line {line}" if line else "its characters") from error


class _Names(dict[str, str]):
    """Names without their namespace, each found out once."""

    def __missing__(self, name: str) -> str:
        bare = self[name] = name.rpartition(" ")[2]
        return bare


def declared_encoding(head: bytes) -> str | None:
    """Encoding that an XML declaration names, as Python knows it; None without one, LookupError when unknown."""
    found = _DECLARED.match(head.removeprefix(codecs.BOM_UTF8))
    return codecs.lookup(found[1].decode()).name if found else None


def _encoding(head: bytes, name: str) -> str | None:
    """Encoding to recode from; None when the parser reads it itself."""
    try:
        encoding = declared_encoding(head)
    except LookupError as error:
        raise damaged(name, "XML", "XML", "an unknown encoding is declared") from error
    if encoding is None or encoding in _OWN:
        return None
    # The national standard contains its predecessors, which senders name without keeping to them.
    return "gb18030" if encoding in ("gb2312", "gbk") else encoding


def _pieces(head: bytes, stream: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    piece = head
    while piece:
        yield decoder.decode(piece).encode() if decoder else piece
        piece = stream.read(PIECE)
    if decoder:
        yield decoder.decode(b"", final=True).encode()
