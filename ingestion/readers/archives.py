"""Archives: zip, tar, and single files packed by gzip, bzip2 or xz. Members are read in memory, large
ones in files without a name; none is laid on disk under a name of its own."""

import bz2
import gzip
import lzma
import re
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from ingestion.errors import FileTooLarge, UnreadableFile
from ingestion.findings import Finding
from ingestion.readers.blob import Blob
from ingestion.readers.kinds import is_tar
from ingestion.readers.limits import SMALL, Limits
from ingestion.readers.packages import Package
from ingestion.readers.refusals import damaged, overdue, protected, unpacks_too_far, unreadable
from ingestion.readers.streams import stream_of
from ingestion.readers.table import Contents, Table

_KIND = ("压缩包", "an archive")
_PIECE = 1 << 18
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    OSError,
    LookupError,
    OverflowError,
    ValueError,
    struct.error,
)
# What systems and programs add to archives on their own.
_NOISE = re.compile(
    r"(?:^|/)(?:__MACOSX/|\.DS_Store$|\._|~\$|Thumbs\.db$|desktop\.ini$|\.[^/]*$)", re.IGNORECASE
)
_CLIMBING = re.compile(r"^(?:[/\\]|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)")
_UTF8_NAME = 0x800

Read = Callable[[Blob, int], Contents]
"""Reads a member; the number says how many archives it lies in."""

_OPEN: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda packed: gzip.GzipFile(fileobj=packed),
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_IN_MEMORY = 8 << 20
"""Bytes up to which a member is held in memory; a larger one goes to a temporary file without its name."""


@dataclass(frozen=True)
class _Member:
    """A member by its full name, or why it is not read."""

    name: str
    content: Blob | UnreadableFile


def read_zip(blob: Blob, package: Package, limits: Limits, read: Read, depth: int) -> Contents:
    """Tables of the members of a zip file; see :func:`_gather`."""
    return _gather(blob.name, limits, _of_zip(package), read, depth)


def read_tar(blob: Blob, limits: Limits, read: Read, depth: int) -> Contents:
    """Tables of the members of a tar file; see :func:`_gather`."""
    with blob.open() as stream:
        return _gather(blob.name, limits, _of_tar(blob.name, stream, limits), read, depth)


def read_packed(blob: Blob, kind: str, limits: Limits, read: Read, depth: int) -> Contents:
    """Tables of what one stream was packed from: a tar file, or a single file under its own name."""
    with blob.open() as packed:
        stream = stream_of(_unpacked(blob.name, packed, blob.size, kind, limits))
        if is_tar(stream.peek(512)[:512]):
            return _gather(blob.name, limits, _of_tar(blob.name, stream, limits), read, depth)
        inner = re.sub(r"\.(?:gz|bz2|xz)$", "", blob.name, flags=re.IGNORECASE)
        return _gather(
            blob.name, limits, iter([_Member(inner, _held(inner, stream))]), read, depth, alone=True
        )


def _gather(
    name: str, limits: Limits, members: Iterator[_Member], read: Read, depth: int, *, alone: bool = False
) -> Contents:
    """Tables of all members, and a finding for each that cannot be read.

    Raises what is wrong with the archive itself or with its only member, when no member can be read, and when all
    of them together cost more than a file may.
    """
    if depth > 1:
        raise unreadable(
            name,
            "是压缩包里的压缩包里的压缩包",
            "is an archive in an archive in an archive",
            "请最多压缩两层",
            "Pack files at most twice",
        )
    tables: list[Table] = []
    findings: list[Finding] = []
    problems: list[UnreadableFile] = []
    for member in members:
        if isinstance(member.content, UnreadableFile):
            problems.append(member.content)
            findings.append(_finding(member))
            continue
        try:
            contents = read(member.content, depth + 1)
        except UnreadableFile as error:
            if limits.is_spent:
                raise
            problems.append(error)
            findings.append(_finding(replace(member, content=error)))
            continue
        findings += contents.findings
        tables += contents.tables if alone else [_of_member(table, member) for table in contents.tables]
    if problems and not tables and (alone or len(findings) == len(problems)):
        raise problems[0]
    return Contents(tables, findings)


def _of_member(table: Table, member: _Member) -> Table:
    """A table that says which member it comes from; one from an archive inside says so already."""
    sheet = f"{member.name}!{table.sheet}" if table.sheet else member.name
    name = f"{member.name}/{table.file_name}" if table.file_name else member.name
    keeper = member.content.keeper if isinstance(member.content, Blob) else None
    return replace(table, sheet=sheet, file_name=name, keeper=table.keeper or keeper)


def _finding(member: _Member) -> Finding:
    problem = cast("UnreadableFile", member.content)
    return Finding(
        rule_id="MEMBER_UNREADABLE",
        level="file",
        severity="soft",
        message_zh=f"压缩包内的{problem.message_zh}其余文件已照常读取。",
        message_en=f"in the archive: {problem} The other files were read.",
        sheet=member.name,
    )


def _of_zip(package: Package) -> Iterator[_Member]:
    for raw, info in package.members.items():
        name = _zip_name(info)
        if info.is_dir() or _NOISE.search(name):
            continue
        if _CLIMBING.search(name):
            yield _Member(name, _climbs(name))
        elif info.flag_bits & 1:
            yield _Member(name, protected(name))
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield _Member(name, _packed_strangely(name))
        else:
            try:
                yield _Member(name, _held(name, package.open(raw)))
            except FileTooLarge:
                raise
            except UnreadableFile as error:
                yield _Member(name, error)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """A member's name; what says no encoding is UTF-8 or GB18030 far more often than the DOS letters of old."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    return _decoded(info.filename.encode("cp437", errors="replace")) or info.filename


def _decoded(raw: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeError:
            continue
    return None


def _of_tar(name: str, stream: BinaryIO, limits: Limits) -> Iterator[_Member]:
    try:
        # A plain "r|" neither seeks nor guesses at compression, and so never reads more than it must.
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
            for info in archive:
                limits.spend(name, members=1)
                if limits.overdue:
                    raise overdue(name, limits.seconds)
                raw = info.name.encode("utf-8", "surrogateescape")
                member = _decoded(raw) or raw.decode(errors="replace")
                if info.isdir() or _NOISE.search(member):
                    continue
                if _CLIMBING.search(member):
                    yield _Member(member, _climbs(member))
                elif not info.isreg() or info.issparse():
                    yield _Member(member, _no_file(member))
                else:
                    content = archive.extractfile(info)
                    yield _Member(member, _held(member, cast("BinaryIO", content)))
    except _DAMAGE as error:
        raise damaged(name, *_KIND, type(error).__name__) from error


def _held(name: str, stream: BinaryIO) -> Blob:
    """A member's bytes, in memory or in a temporary file that goes with the last table of it."""
    try:
        data = stream.read(_IN_MEMORY)
        more = stream.read(_PIECE) if len(data) == _IN_MEMORY else b""
        if not more:
            return Blob(name, data=data)
        keeper = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its tables
        keeper.write(data)
        while more:
            keeper.write(more)
            more = stream.read(_PIECE)
        keeper.flush()
    except _DAMAGE as error:
        raise damaged(name, *_KIND, type(error).__name__) from error
    # It has no name in any folder, so that nothing of it stays behind, whatever becomes of this process.
    return Blob(name, path=Path(f"/proc/self/fd/{keeper.fileno()}"), keeper=keeper)


def _unpacked(name: str, packed: BinaryIO, size: int, kind: str, limits: Limits) -> Iterator[bytes]:
    """What a packed stream unpacks to, counted as it comes."""
    total = 0
    try:
        stream = _OPEN[kind](packed)
        while piece := stream.read(_PIECE):
            total += len(piece)
            limits.spend(name, unpacked=len(piece))
            if total > SMALL and total > limits.ratio * size:
                raise unpacks_too_far(name, limits.unpacked_bytes)
            if limits.overdue:
                raise overdue(name, limits.seconds)
            yield piece
    except _DAMAGE as error:
        raise damaged(name, *_KIND, type(error).__name__) from error


def _climbs(name: str) -> UnreadableFile:
    return unreadable(
        name,
        "的路径指向压缩包之外",
        "has a path that leads out of the archive",
        "请重新压缩，只放入报表文件",
        "Pack it again with nothing but the reports",
    )


def _no_file(name: str) -> UnreadableFile:
    return unreadable(
        name,
        "是链接、设备或稀疏文件，不是报表文件",
        "is a link, a device or a sparse file and no report",
        "请放入文件本身后重新压缩",
        "Pack the file itself",
    )


def _packed_strangely(name: str) -> UnreadableFile:
    return unreadable(
        name,
        "的压缩方式不能读取",
        "is packed in a way that is not read",
        "请用普通 zip 方式重新压缩",
        "Pack it again as an ordinary zip",
    )
