"""Fixtures of all tests: one embedded PostgreSQL a session, one database a test, settings of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from warehouse import database as connections
from warehouse import embedded, migrate
from warehouse.database import Role, url
from warehouse.settings import Settings, get_settings

SHARED = Path(__file__).resolve().parents[2] / "shared"
TEMPLATE = "warehouse_template"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running embedded server with a migrated template database."""
    home = tmp_path_factory.mktemp("server")
    os.environ["WAREHOUSE_POSTGRES_OPTIONS"] = "fsync=off synchronous_commit=off full_page_writes=off"
    settings = Settings(home=home)
    embedded.start(settings)
    migrate.ensure_database(settings, TEMPLATE)
    migrate.migrate(_on_database(settings, home, TEMPLATE))
    yield settings
    embedded.remove(settings)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an instance in a temporary home; no database."""
    yield from _use(Settings(home=tmp_path / "home"), monkeypatch)


@pytest.fixture
def database(server: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an instance in a temporary home with a migrated, empty database of its own."""
    name = f"test_{os.getpid()}"
    with _maintenance(server) as run:
        run(f"create database {name} template {TEMPLATE}")
    # One name and one target folder for all of them: dbt reads the whole project once a session, not once a test.
    parsed = server.home / "dbt_target"
    parsed.mkdir(exist_ok=True)
    (tmp_path / "home" / "dbt").mkdir(parents=True)
    (tmp_path / "home" / "dbt" / "target").symlink_to(parsed)
    yield from _use(_on_database(server, tmp_path / "home", name), monkeypatch)
    with _maintenance(server) as run:
        run(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real published data beside the checkout; tests that need it are skipped without it."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"no real data: {data} is not there")
    return data


def _on_database(server: Settings, home: Path, name: str) -> Settings:
    owner = url(server, Role.OWNER, database=name).set(drivername="postgresql")
    return Settings(
        home=home,
        database_url=owner.render_as_string(hide_password=False),
        secrets=server.secrets,
        retry_seconds=0,
    )


def _use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Make ``settings`` those of this process and of the processes it starts."""
    settings.home.mkdir(parents=True, exist_ok=True)
    environment = {
        "WAREHOUSE_HOME": str(settings.home),
        "WAREHOUSE_SECRETS": str(settings.secrets),
        "WAREHOUSE_RETRY_SECONDS": str(settings.retry_seconds),
    }
    if settings.database_url is not None:
        environment["WAREHOUSE_DATABASE_URL"] = settings.database_url.get_secret_value()
    for name in [
        name for name in os.environ if name.startswith("WAREHOUSE_") and name != "WAREHOUSE_POSTGRES_OPTIONS"
    ]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield settings
    for role in Role:
        if settings.database_url is not None:
            connections.engine(role).dispose()
    _forget()


def _forget() -> None:
    get_settings.cache_clear()
    connections.engine.cache_clear()


class _maintenance:  # noqa: N801 - reads as a function
    """Runs statements on the server's maintenance database, outside transactions."""

    def __init__(self, server: Settings) -> None:
        self._engine = create_engine(
            url(server, Role.OWNER, database="postgres"), isolation_level="AUTOCOMMIT"
        )

    def __enter__(self):
        self._connection = self._engine.connect()
        return lambda statement: self._connection.execute(text(statement))

    def __exit__(self, *_):
        self._connection.close()
        self._engine.dispose()
