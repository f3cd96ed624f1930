"""A warehouse of its own for one benchmark: embedded server, migrated, in a temporary home."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse import database, embedded, migrate
from warehouse.settings import Settings, get_settings


@contextmanager
def instance(home: Path) -> Iterator[Settings]:
    """Settings of a running instance below ``home``; stopped afterwards."""
    home.chmod(0o755)
    for name in [name for name in os.environ if name.startswith("WAREHOUSE_")]:
        del os.environ[name]
    os.environ["WAREHOUSE_HOME"] = str(home)
    os.environ["WAREHOUSE_SETTLE_SECONDS"] = "0"
    get_settings.cache_clear()
    database.engine.cache_clear()
    settings = get_settings()
    migrate.up(settings)
    try:
        yield settings
    finally:
        for role in database.Role:
            database.engine(role).dispose()
        embedded.remove(settings)
