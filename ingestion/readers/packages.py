"""Zip packages that were looked through before anything is unpacked: sizes, overlaps, passwords, lies."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from ingestion.readers.blob import Blob
from ingestion.readers.limits import SMALL, Limits
from ingestion.readers.refusals import damaged, overdue, too_many, unpacks_too_far
from ingestion.readers.streams import stream_of

PIECE = 1 << 20
_KIND = ("压缩包或工作簿", "an archive or a workbook")
_ENCRYPTED = 0x1
_DIRECTORY_END = b"PK\x05\x06"
_LONGEST_END = 22 + 65_535
# Room that a member's entry in the directory may take on average, in bytes.
_ENTRY = 512
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    LookupError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class Package:
    """The members of a zip file; each is unpacked to exactly the size that the directory says, or not at all.

    Raises :class:`UnreadableFile` for a damaged or encrypted package, :class:`FileTooLarge` beyond the limits.
    """

    def __init__(self, blob: Blob, limits: Limits) -> None:
        self.name = blob.name
        self.limits = limits
        self._blob = blob
        try:
            with blob.open() as stream:
                _check_directory(stream, blob.size, limits, self.name)
                members = zipfile.ZipFile(stream).infolist()
        except _DAMAGE as error:
            raise damaged(self.name, *_KIND, type(error).__name__) from error
        unpacked = sum(member.file_size for member in members)
        if unpacked > SMALL and unpacked > limits.ratio * blob.size:
            raise unpacks_too_far(self.name, limits.unpacked_bytes)
        limits.spend(self.name, unpacked=unpacked, members=len(members))
        _check_overlaps(members, blob.size, self.name)
        self.members = {member.filename: member for member in members}
        if len(self.members) != len(members):
            raise damaged(self.name, *_KIND, "two members have the same name")

    def __contains__(self, member: str) -> bool:
        return member in self.members

    def read(self, member: str) -> bytes:
        """A member as a whole."""
        return b"".join(self.pieces(member))

    def open(self, member: str) -> BinaryIO:
        """A member as a stream."""
        return stream_of(self.pieces(member))

    @property
    def is_encrypted(self) -> bool:
        """Whether any member needs a password."""
        return any(member.flag_bits & _ENCRYPTED for member in self.members.values())

    def pieces(self, member: str) -> Iterator[bytes]:
        """A member piece by piece; it ends where the directory says, with the sum that it says."""
        info = self.members[member]
        try:
            yield from self._unpack(info)
        except _DAMAGE as error:
            raise damaged(self.name, *_KIND, type(error).__name__) from error

    def _unpack(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        total = checksum = 0
        stored = _stored(self._blob, info)
        for piece in stored if info.compress_type == zipfile.ZIP_STORED else _inflated(stored, info):
            total += len(piece)
            if total > info.file_size:
                raise zipfile.BadZipFile
            if self.limits.overdue:
                raise overdue(self.name, self.limits.seconds)
            checksum = zlib.crc32(piece, checksum)
            yield piece
        if total != info.file_size or checksum != info.CRC:
            raise zipfile.BadZipFile


def _inflated(stored: Iterator[bytes], info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"compression method {info.compress_type} is not read")
    unpacker = zlib.decompressobj(-15)
    for packed in stored:
        rest = packed
        while rest:
            piece = unpacker.decompress(rest, PIECE)
            rest = unpacker.unconsumed_tail
            if unpacker.unused_data:
                raise zipfile.BadZipFile
            yield piece
    yield unpacker.flush()
    if not unpacker.eof:
        raise EOFError


def _stored(blob: Blob, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member as they lie in the file."""
    with blob.open() as stream:
        stream.seek(info.header_offset)
        header = stream.read(30)
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile
        stream.seek(sum(struct.unpack("<HH", header[26:30])), 1)
        left = info.compress_size
        while left:
            piece = stream.read(min(left, PIECE))
            if not piece:
                raise EOFError
            left -= len(piece)
            yield piece


def _check_directory(stream: BinaryIO, size: int, limits: Limits, name: str) -> None:
    """The directory is read as a whole, so its size is bounded first."""
    stream.seek(max(size - _LONGEST_END, 0))
    tail = stream.read()
    stream.seek(0)
    end = tail.rfind(_DIRECTORY_END)
    if end < 0 or len(tail) < end + 22:
        return
    (directory,) = struct.unpack_from("<L", tail, end + 12)
    if directory > limits.members * _ENTRY:
        raise too_many(name, "内含文件数", "members", limits.members)


def _check_overlaps(members: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Members that share bytes are a bomb's way to unpack the same bytes many times."""
    free = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < free:
            raise damaged(name, *_KIND, "its members overlap")
        free = member.header_offset + 30 + member.compress_size
    if free > size:
        raise damaged(name, *_KIND, "it is cut off")
