"""Passwords of roles and the key of persons: made once, kept in files that only their owner can read."""

import hashlib
import secrets as random_source
from pathlib import Path

from warehouse.settings import Settings

PERSON_KEY = "person_key"


def password(settings: Settings, name: str) -> str:
    """Password of role ``name``: read from its file, made and written on first use."""
    file = settings.secrets / name
    if not file.exists():
        _write_secret(file, random_source.token_urlsafe(24))
    return file.read_text().strip()


def person_key(settings: Settings) -> bytes:
    """Key under which persons are hashed: the setting, else a file made on first use. 32 bytes.

    Who loses it can no longer tell that two cards are about one person; who has it can find out about whom.
    """
    if settings.person_key is not None:
        text = settings.person_key.get_secret_value()
    else:
        file = settings.secrets / PERSON_KEY
        if not file.exists():
            _write_secret(file, random_source.token_urlsafe(32))
        text = file.read_text().strip()
    return hashlib.sha256(text.encode()).digest()


def _write_secret(file: Path, value: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f".{file.name}.part")
    part.touch(mode=0o600)
    part.write_text(value + "\n")
    # Hard-linking fails when another process was first: its password stands.
    try:
        file.hardlink_to(part)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)
