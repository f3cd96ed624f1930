"""Passwords of roles: made once, kept in files that only their owner can read."""

import secrets as random_source
from pathlib import Path

from warehouse.settings import Settings


def password(settings: Settings, name: str) -> str:
    """Password of role ``name``: read from its file, made and written on first use."""
    file = settings.secrets / name
    if not file.exists():
        _write_secret(file, random_source.token_urlsafe(24))
    return file.read_text().strip()


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
