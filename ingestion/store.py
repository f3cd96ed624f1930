"""The file store: every file that ever arrived, unchanged, under its SHA-256."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from warehouse.errors import WarehouseError
from warehouse.settings import Settings

CHUNK = 1 << 20


class StoreError(WarehouseError):
    """A kept file is missing or is not what its name says."""


@dataclass(frozen=True)
class StoredFile:
    """A kept file: its content's hash and size, and its place below the file store."""

    sha256: str
    size: int
    stored_path: str


def keep(settings: Settings, stream: BinaryIO) -> StoredFile:
    """Keep the bytes of ``stream``: written aside, then moved into place at once, read-only, for nobody else's eyes.

    The same bytes are kept once. A process that dies on the way leaves nothing under a final name.
    """
    incoming = settings.file_store / ".incoming"
    # Files may name persons: the whole store is the loader's alone.
    settings.file_store.mkdir(parents=True, exist_ok=True, mode=0o700)
    incoming.mkdir(exist_ok=True, mode=0o700)
    part = incoming / secrets.token_hex(16)
    digest, size = hashlib.sha256(), 0
    try:
        part.touch(mode=0o600)
        with part.open("wb") as copy:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
                size += len(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        stored = StoredFile(digest.hexdigest(), size, stored_path(digest.hexdigest()))
        target = settings.file_store / stored.stored_path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part.chmod(0o400)
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return stored


def stored_path(sha256: str) -> str:
    """Place of a content below the file store: two levels of folders, so that none grows huge."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def locate(settings: Settings, path: str) -> Path:
    """The kept file; raises :class:`StoreError` when it is gone."""
    file = settings.file_store / path
    if not file.exists():
        raise StoreError(
            f"The kept file {path} is missing from {settings.file_store}.",
            mend="Restore the file store from its backup, or set WAREHOUSE_FILE_STORE to where it is.",
        )
    return file
