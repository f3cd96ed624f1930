"""Files that were taken in leave their inbox, so that a look into it costs what is new and not what is old.

They move to ``.taken`` in the inbox itself, below the day: there a move is one renaming, which a crash cannot cut in
two. What a sender may still be writing stays until it has been quiet for long.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from ingestion.inbox_files import WaitingFile

log = structlog.get_logger()

TAKEN = ".taken"
"""Folder in an inbox for what was taken in; listings pass over it as over every hidden name."""

QUIET = timedelta(hours=1)
"""How long a file must have been left alone: an upload that stalls goes on writing into the file, wherever it is."""


def move_out(root: Path, files: Iterable[WaitingFile]) -> None:
    """Move files out of the inbox whose folder is ``root``; those that lie elsewhere are left alone.

    A file that changed since it was listed stays or comes back, and is taken in anew. One that may not be moved
    stays too: the registry knows it, and it costs a look each time.
    """
    now = datetime.now(UTC)
    day = root / TAKEN / now.date().isoformat()
    refused: list[OSError] = []
    for file in files:
        path = Path(file.url)
        if "://" in file.url or not path.is_relative_to(root) or abs(now - file.modified) < QUIET:
            continue
        try:
            # What units send may name persons: it is nobody's but the loader's to look at.
            (root / TAKEN).mkdir(mode=0o700, exist_ok=True)
            _move(file, path, day / path.relative_to(root))
        except FileNotFoundError:
            # Its sender took it back; what was taken in is kept.
            continue
        except OSError as error:
            refused.append(error)
    if refused:
        log.warning(
            "files stay in the inbox, for they may not be moved",
            inbox=root.name,
            files=len(refused),
            error=type(refused[0]).__name__,
        )


def _move(file: WaitingFile, path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target = _free(target)
    path.rename(target)
    if target.is_symlink():
        return
    status = target.stat()
    if (status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)) != (file.size, file.modified):
        # Its sender was faster: this is another content, which nobody has read.
        target.rename(_free(path))
        log.info("file changed before it was moved", file=file.name)


def _free(path: Path) -> Path:
    """The path, or one like it where nothing lies yet."""
    found, number = path, 1
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{path.stem}~{number}{path.suffix}")
    return found
