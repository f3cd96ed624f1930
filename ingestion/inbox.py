"""Inboxes: which files lie there that no night has taken in yet."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import structlog
from sqlalchemy import text

from ingestion.inbox_files import (
    FileChanged,
    InboxError,
    WaitingFile,
    given,
    list_folder,
    list_remote,
    opened,
)
from ingestion.load import loading
from ingestion.results import FileResult
from ingestion.site import Source
from warehouse.settings import Settings

__all__ = ["FileChanged", "InboxError", "WaitingFile", "archive", "given", "opened", "waiting"]

log = structlog.get_logger()


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


def archive(
    settings: Settings, source: Source, files: Sequence[WaitingFile], results: Sequence[FileResult]
) -> None:
    """Move files that were taken in out of a folder that is an inbox, if the settings want that.

    Where a file cannot be moved it stays: the registry knows it all the same.
    """
    if settings.inbox_done != "archive":
        return
    root = _folder(source)
    if root is None:
        return
    day = settings.home / "inbox_archive" / source.code / datetime.now(UTC).date().isoformat()
    for file, result in zip(files, results, strict=True):
        path = Path(file.url)
        if result.status in ("failed", "changing") or not path.is_relative_to(root):
            continue
        target = day / path.relative_to(root)
        while target.exists():
            target = target.with_name(f"{target.name}~")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        except OSError as error:
            log.warning("file stays in the inbox", file=file.name, error=type(error).__name__)


def _folder(source: Source) -> Path | None:
    """The folder that an inbox is; None for one on another host."""
    filesystem, root = fsspec.core.url_to_fs(source.inbox)
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    return Path(root).resolve() if "file" in protocols else None


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
            return list(list_folder(folder))
        return list(list_remote(filesystem, root))
    except (OSError, ValueError, ImportError) as error:
        raise InboxError(
            f"The inbox of source {source.code} cannot be listed: {type(error).__name__}.",
            mend=f"Check its address in {settings.site / 'sources.yml'} and that its host answers.",
            source=source.code,
        ) from error
