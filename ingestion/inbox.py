"""Inboxes: which files lie there that no night has taken in yet."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
import structlog
from sqlalchemy import text

from ingestion.load import loading
from ingestion.site import Source
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

log = structlog.get_logger()

_IGNORED = re.compile(r"(^|/)(\.|~\$)|\.(part|tmp|crdownload|filepart)$", re.IGNORECASE)
"""Names of files that are being sent or were left by an office program."""


class InboxError(WarehouseError):
    """An inbox cannot be reached or listed."""

    passing = True


class FileChanged(WarehouseError):
    """A file changed while it was being read; the next night takes it."""


@dataclass(frozen=True)
class WaitingFile:
    """A file in an inbox: ``name`` below it, ``url`` to open it, size and time of its last change."""

    name: str
    url: str
    size: int
    modified: datetime


def waiting(settings: Settings, source: Source) -> list[WaitingFile]:
    """Files of a source's inbox that are not registered yet with this name, time and size, the oldest first.

    A file whose last change is only seconds old (``settle_seconds``) may still be growing: it is left for the
    next time. A file whose taking in failed is waiting again.

    Raises :class:`InboxError`.
    """
    files = {file.name: file for file in _listing(settings, source)}
    if not files:
        return []
    with loading(settings) as engine, engine.connect() as connection:
        registered = connection.scalars(
            text(
                "select listed.name"
                " from unnest(cast(:names as text[]), cast(:times as timestamptz[]), cast(:sizes as bigint[]))"
                " as listed (name, modified, size)"
                " where exists (select from registry.arrival a join registry.file f using (file_id)"
                "  where a.source_code = :source and a.file_name = listed.name"
                "  and a.received_at = least(listed.modified, a.registered_at)"
                "  and f.size_bytes = listed.size and a.status <> 'failed')"
            ),
            {
                "source": source.code,
                "names": list(files),
                "times": [file.modified for file in files.values()],
                "sizes": [file.size for file in files.values()],
            },
        )
        known = set(registered)
    new = [file for name, file in files.items() if name not in known]
    now = datetime.now(UTC)
    settled = [
        file for file in new if not 0 <= (now - file.modified).total_seconds() < settings.settle_seconds
    ]
    if len(settled) < len(new):
        log.info("files still settling", source=source.code, files=len(new) - len(settled))
    return sorted(settled, key=lambda file: (file.modified, file.name))


def given(paths: Iterable[Path]) -> list[WaitingFile]:
    """Files named one by one, in or outside an inbox, as if they waited there."""
    return [_local(path, path.name) for path in paths]


@contextmanager
def opened(file: WaitingFile) -> Iterator[BinaryIO]:
    """The bytes of a waiting file; raises :class:`FileChanged` if it changed while they were read."""
    filesystem, path = fsspec.core.url_to_fs(file.url)
    with filesystem.open(path, "rb") as stream:
        yield cast(BinaryIO, stream)
    filesystem.invalidate_cache(path)
    information = filesystem.info(path)
    if (int(information["size"]), _modified(filesystem, path, information)) != (file.size, file.modified):
        raise FileChanged(
            f"{file.name} changed while it was read.", mend="The next run takes it in.", file=file.name
        )


def _listing(settings: Settings, source: Source) -> list[WaitingFile]:
    try:
        filesystem, root = fsspec.core.url_to_fs(source.inbox)
        local = "file" in (
            filesystem.protocol if isinstance(filesystem.protocol, tuple) else [filesystem.protocol]
        )
        if local:
            folder = Path(root)
            if folder.is_relative_to(settings.inbox):
                folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_dir():
                raise InboxError(
                    f"The inbox {root} of source {source.code} is not there.",
                    mend=f"Make the folder or correct it in {settings.site / 'sources.yml'}.",
                )
            return list(_walk(root, ""))
        return [
            WaitingFile(
                name=path.removeprefix(root).lstrip("/"),
                url=filesystem.unstrip_protocol(path),
                size=int(information["size"]),
                modified=_modified(filesystem, path, information),
            )
            for path, information in filesystem.find(root, detail=True).items()
            if not _IGNORED.search(path.removeprefix(root).lstrip("/"))
        ]
    except (OSError, ValueError, ImportError) as error:
        raise InboxError(
            f"The inbox of source {source.code} cannot be listed: {type(error).__name__}.",
            mend=f"Check its address in {settings.site / 'sources.yml'} and that its host answers.",
            source=source.code,
        ) from error


def _walk(folder: str, below: str) -> Iterator[WaitingFile]:
    """Files of a folder and the folders in it; one look at each, for an inbox may hold years of files."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            if _IGNORED.search(entry.name):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{name}/")
            elif entry.is_file():
                # A sender may rename a file at any moment; then its new name is found next time.
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield WaitingFile(name, entry.path, status.st_size, modified)


def _local(path: Path, name: str) -> WaitingFile:
    status = path.stat()
    return WaitingFile(name, str(path), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _modified(filesystem: Any, path: str, information: dict[str, Any]) -> datetime:
    for name in ("mtime", "LastModified", "last_modified", "modified", "created"):
        value = information.get(name)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    found: datetime = filesystem.modified(path)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
