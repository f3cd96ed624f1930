"""Files as they lie in an inbox: listed, named, opened."""

import hashlib
import hmac
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import structlog

from ingestion.masking import masked
from warehouse.errors import WarehouseError
from warehouse.secrets import person_key
from warehouse.settings import get_settings

log = structlog.get_logger()

LONGEST_NAME = 1000
"""Bytes of a name below the inbox; a longer one is told by its end. Names stand in an index of the registry."""

_IGNORED = re.compile(r"^(?:\.|~\$)|\.(?:part|partial|tmp|crdownload|filepart)$", re.IGNORECASE)
"""Names of files that are being sent or were left by an office program."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that steer a terminal or turn a line round, and bytes that are no text."""

_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""A name's few digits are written in letters, lest anybody read a month in them."""


class InboxError(WarehouseError):
    """An inbox cannot be reached or listed."""

    passing = True


class FileChanged(WarehouseError):
    """A file changed or vanished while it was being read; the next night takes it."""


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file in an inbox: ``name`` below it, ``url`` to open it, size and time of its last change."""

    name: str
    url: str
    size: int
    modified: datetime


class Seen(NamedTuple):
    """A file as a listing has it; ``modified`` in seconds since 1970."""

    name: str
    url: str
    size: int
    modified: float

    @property
    def waiting(self) -> WaitingFile:
        """The file as one that waits."""
        return WaitingFile(self.name, self.url, self.size, datetime.fromtimestamp(self.modified, UTC))


def given(paths: Iterable[Path]) -> list[WaitingFile]:
    """Files named one by one, in or outside an inbox, as if they waited there."""
    return [_seen(path.name, str(path.parent.resolve() / path.name), path.stat()).waiting for path in paths]


def list_folder(root: Path) -> Iterator[Seen]:
    """Files of a folder and the folders in it; one look at each, for an inbox may hold years of files.

    What cannot be a report is passed over: files on the way, links that lead out of the inbox, devices. A folder
    that may not be read is logged and passed over, so that it holds up none of the others.
    """
    real = root.resolve()
    return _walk(str(real), "", str(real))


def list_remote(filesystem: Any, root: str) -> Iterator[Seen]:
    """Files below a place of any fsspec file system."""
    for path, information in filesystem.find(root, detail=True).items():
        name = path.removeprefix(root).lstrip("/")
        if any(_IGNORED.search(part) for part in name.split("/")):
            continue
        yield Seen(
            name=printable(name),
            url=filesystem.unstrip_protocol(path),
            size=int(information["size"]),
            modified=_modified(filesystem, path, information).timestamp(),
        )


@contextmanager
def opened(file: WaitingFile) -> Iterator[BinaryIO]:
    """The bytes of a waiting file; raises :class:`FileChanged` if it changed or vanished while they were read."""
    with _open(file) as stream:
        yield stream
    try:
        same = _look_again(file) == (file.size, file.modified)
    except FileNotFoundError as error:
        raise _vanished(file) from error
    if not same:
        raise FileChanged(
            f"{file.name} changed while it was read.", mend="The next run takes it in.", file=file.name
        )


def _open(file: WaitingFile) -> BinaryIO:
    try:
        if "://" not in file.url:
            return Path(file.url).open("rb")
        filesystem, path = _remote(file)
        return cast(BinaryIO, filesystem.open(path, "rb"))
    except FileNotFoundError as error:
        raise _vanished(file) from error


def _look_again(file: WaitingFile) -> tuple[int, datetime]:
    """Size and time of the file's last change as they are now."""
    if "://" not in file.url:
        status = Path(file.url).stat()
        return status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)
    filesystem, path = _remote(file)
    filesystem.invalidate_cache(path)
    information = filesystem.info(path)
    return int(information["size"]), _modified(filesystem, path, information)


def _remote(file: WaitingFile) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415 - only for inboxes that are no folders

    filesystem, path = fsspec.core.url_to_fs(file.url)
    return filesystem, path


def _vanished(file: WaitingFile) -> FileChanged:
    return FileChanged(
        f"{file.name} is no longer there.", mend="If it was renamed, the next run finds it.", file=file.name
    )


def printable(name: str) -> str:
    """A name that can stand in a log, a finding and an index: itself, unless it is no text, longer than any is, or
    says who somebody is.

    Otherwise what can be shown of it, and a few digits that tell it from its likes; of persons nothing can be told
    from these without the key.
    """
    if (shown := masked(name)) is not name:
        digest = hmac.digest(person_key(get_settings()), os.fsencode(name), "sha256").hex()[:8]
        return printable(f"{digest.translate(_LETTERS)}~{shown}")
    if 3 * len(name) <= LONGEST_NAME and not _UNPRINTABLE.search(name):
        return name
    encoded = os.fsencode(name)
    if len(encoded) <= LONGEST_NAME and not _UNPRINTABLE.search(name):
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    shown = _UNPRINTABLE.sub("\ufffd", name)
    while len(shown.encode()) > LONGEST_NAME - 10:
        shown = shown[max(1, (len(shown.encode()) - LONGEST_NAME + 10) // 4) :]
    return f"{digest}~{shown}"


def _walk(folder: str, below: str, root: str) -> Iterator[Seen]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    except PermissionError:
        if not below:
            raise
        log.warning("folder of the inbox cannot be read", folder=printable(below))
        return
    with entries:
        for entry in entries:
            if _IGNORED.search(entry.name):
                continue
            name = f"{below}{entry.name}"
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(entry.path, f"{name}/", root)
                    continue
                # One call for the file's kind, size and time; a link is followed, but not out of the inbox.
                status = entry.stat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                    log.warning("link leads out of the inbox and is passed over", file=printable(name))
                    continue
            except FileNotFoundError:
                # A sender may rename a file at any moment; then its new name is found next time.
                continue
            except OSError as error:
                log.warning(
                    "file of the inbox cannot be looked at", file=printable(name), error=type(error).__name__
                )
                continue
            yield _seen(name, entry.path, status)


def _seen(name: str, path: str, status: os.stat_result) -> Seen:
    return Seen(printable(name), path, status.st_size, status.st_mtime)


def _modified(filesystem: Any, path: str, information: dict[str, Any]) -> datetime:
    for name in ("mtime", "LastModified", "last_modified", "modified", "created"):
        value = information.get(name)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    found: datetime = filesystem.modified(path)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
