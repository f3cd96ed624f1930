"""Inboxes: which files lie there that no night has taken in yet."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import structlog
from sqlalchemy import Connection, text

from ingestion.inbox_files import (
    FileChanged,
    InboxError,
    Seen,
    WaitingFile,
    given,
    list_folder,
    list_remote,
    opened,
)
from ingestion.load import loading
from ingestion.results import FileResult
from ingestion.site import Source
from ingestion.taken import move_out
from warehouse.settings import Settings

__all__ = ["FileChanged", "InboxError", "WaitingFile", "given", "opened", "taken", "waiting"]

log = structlog.get_logger()

GROUPS = 4096
"""Files of an inbox are compared with the registry in so many groups; one whose sum is known is not compared."""

_REGISTERED = """
select listed.row_no
from unnest(cast(:names as text[]), cast(:times as timestamptz[]), cast(:sizes as bigint[]))
    with ordinality as listed (name, modified, size, row_no)
where exists (
    select from registry.arrival as a
    inner join registry.file as f using (file_id)
    where a.source_code = :source and a.file_name = listed.name
        and a.received_at = least(listed.modified, a.registered_at)
        and f.size_bytes = listed.size and a.status <> 'failed'
)
"""

_LAST_SEEN = "select fingerprints from registry.inbox_seen where source_code = :source"

_SEE = """
insert into registry.inbox_seen (source_code, fingerprints) values (:source, :fingerprints)
on conflict (source_code) do update set fingerprints = excluded.fingerprints, looked_at = now()
"""


def waiting(settings: Settings, source: Source) -> list[WaitingFile]:
    """Files of a source's inbox that are not registered yet with this name, time and size, the oldest first.

    A file whose last change is only seconds old (``settle_seconds``) may still be growing: it is left for the
    next time. A file whose taking in failed is waiting again. Old files have left the inbox; where settings keep
    them, those that were registered at the last look are told by a sum over many of them.

    Raises :class:`InboxError`.
    """
    files = _listing(settings, source)
    with loading(settings) as engine, engine.begin() as connection:
        new, old = _new(connection, settings, source, files)
    _take_out(settings, source, [file.waiting for file in old])
    now = datetime.now(UTC).timestamp()
    settled = [file for file in new if not 0 <= now - file.modified < settings.settle_seconds]
    if len(settled) < len(new):
        log.info("files still settling", source=source.code, files=len(new) - len(settled))
    return [file.waiting for file in sorted(settled, key=lambda file: (file.modified, file.name))]


def taken(
    settings: Settings, source: Source, files: Sequence[WaitingFile], results: Sequence[FileResult]
) -> None:
    """Say that files were taken in and committed: they leave a folder that is an inbox, unless settings keep them.

    What a killed night did not come to leaves at the next look.
    """
    done = [
        file
        for file, result in zip(files, results, strict=True)
        if result.status not in ("failed", "changing")
    ]
    _take_out(settings, source, done)


def _new(
    connection: Connection, settings: Settings, source: Source, files: Sequence[Seen]
) -> tuple[list[Seen], list[Seen]]:
    """The files that are not registered, and those among the compared ones that are."""
    sums = [0] * GROUPS
    marks = [_mark(file) for file in files]
    for mark in marks:
        sums[mark % GROUPS] += mark
    sums = [_folded(value) for value in sums]
    last = connection.scalar(text(_LAST_SEEN), {"source": source.code})
    # What is to be moved is looked at one by one: there is never much of it, unless the inbox may only be read.
    known = last if last is not None and settings.inbox_done == "keep" else [0] * GROUPS
    differing = {group for group in range(GROUPS) if sums[group] != known[group]}
    if not differing:
        return [], []
    compared = [number for number, mark in enumerate(marks) if mark % GROUPS in differing]
    registered = set(
        connection.scalars(
            text(_REGISTERED),
            {
                "source": source.code,
                "names": [files[number].name for number in compared],
                "times": [files[number].waiting.modified for number in compared],
                "sizes": [files[number].size for number in compared],
            },
        )
    )
    old = [number for place, number in enumerate(compared, start=1) if place in registered]
    new = [number for place, number in enumerate(compared, start=1) if place not in registered]
    told = dict.fromkeys(differing, 0)
    for number in old:
        told[marks[number] % GROUPS] += marks[number]
    seen = [_folded(told[group]) if group in told else known[group] for group in range(GROUPS)]
    if seen != last:
        connection.execute(text(_SEE), {"source": source.code, "fingerprints": seen})
    return [files[number] for number in new], [files[number] for number in old]


def _mark(file: Seen) -> int:
    """A number that another name, time or size would not have."""
    said = f"{file.name}\0{file.size}\0{file.modified!r}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest())


def _folded(value: int) -> int:
    """A sum as PostgreSQL keeps it."""
    return value % (1 << 63)


def _take_out(settings: Settings, source: Source, files: Sequence[WaitingFile]) -> None:
    if files and settings.inbox_done == "move" and (root := _folder(source)) is not None:
        move_out(root, files)


def _folder(source: Source) -> Path | None:
    """The folder that an inbox is; None for one on another host."""
    filesystem, root = fsspec.core.url_to_fs(source.inbox)
    protocols = filesystem.protocol if isinstance(filesystem.protocol, tuple) else (filesystem.protocol,)
    return Path(root).resolve() if "file" in protocols else None


def _listing(settings: Settings, source: Source) -> list[Seen]:
    try:
        filesystem, root = fsspec.core.url_to_fs(source.inbox)
        folder = _folder(source)
        if folder is None:
            return list(list_remote(filesystem, root))
        if Path(root).is_relative_to(settings.inbox):
            folder.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            raise InboxError(
                f"The inbox {root} of source {source.code} is not there.",
                mend=f"Make the folder or correct it in {settings.site / 'sources.yml'}.",
            )
        return list(list_folder(folder))
    except (OSError, ValueError, ImportError) as error:
        raise InboxError(
            f"The inbox of source {source.code} cannot be listed: {type(error).__name__}.",
            mend=f"Check its address in {settings.site / 'sources.yml'} and that its host answers.",
            source=source.code,
        ) from error
