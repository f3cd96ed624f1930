"""Fixtures of all tests: one embedded PostgreSQL a session, one database a test, settings of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import create_engine, text

from ingestion import raw
from warehouse import building, embedded, migrate, release
from warehouse import database as connections
from warehouse.database import Role, url
from warehouse.settings import Settings, get_settings

# How long an example takes says more about the machine than about the code.
hypothesis_settings.register_profile("warehouse", deadline=None)
hypothesis_settings.load_profile("warehouse")

SHARED = Path(__file__).resolve().parents[2] / "shared"

MIGRATED = "warehouse_migrated"
PREPARED = "warehouse_prepared"
BUILT = "warehouse_built"
"""Templates that a test's database is copied from: empty; with the built-in forms; with the star of release 1,
which holds lists alone. Each is made once a session, when a test first asks for it."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a running embedded server."""
    home = tmp_path_factory.mktemp("server")
    os.environ["WAREHOUSE_POSTGRES_OPTIONS"] = "fsync=off synchronous_commit=off full_page_writes=off"
    settings = Settings(home=home)
    embedded.start(settings)
    yield settings
    embedded.remove(settings)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of an instance in a temporary home; no database."""
    yield from _use(Settings(home=tmp_path / "home"), monkeypatch)


@pytest.fixture
def template() -> str:
    """Which template the test's database is a copy of; a folder or module that wants another overrides it."""
    return PREPARED


@pytest.fixture
def database(
    server: Settings, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings of an instance in a temporary home with a database of its own, a copy of ``template``."""
    yield from _copy(server, template, tmp_path / "home", monkeypatch)


@pytest.fixture(scope="module")
def module_database(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One such database for all tests of a module, which only read what the module put there."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield from _copy(server, PREPARED, tmp_path_factory.mktemp("module") / "home", monkeypatch)


def _copy(server: Settings, template: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    _make_template(server, template)
    with _maintenance(server) as run:
        run(f"create database {_name()} template {template}")
    _share_dbt_target(server, home)
    yield from _use(_on_database(server, home, _name()), monkeypatch)
    with _maintenance(server) as run:
        run(f"drop database {_name()} with (force)")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real published data beside the checkout; tests that need it are skipped without it."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"no real data: {data} is not there")
    return data


def _name() -> str:
    """One name for every test's database: dbt reads the whole project once a session, not once a test."""
    return f"test_{os.getpid()}"


def _share_dbt_target(server: Settings, home: Path) -> None:
    parsed = server.home / "dbt_target"
    parsed.mkdir(exist_ok=True)
    (home / "dbt").mkdir(parents=True)
    (home / "dbt" / "target").symlink_to(parsed)


def _make_template(server: Settings, template: str) -> None:
    """Make a template, and the one that it is a copy of, unless this session has it."""
    with _maintenance(server) as run:
        if run(f"select exists (select from pg_database where datname = '{template}')").scalar():
            return
    base = {PREPARED: MIGRATED, BUILT: PREPARED}.get(template)
    if base is None:
        migrate.ensure_database(server, _name())
    else:
        _make_template(server, base)
        with _maintenance(server) as run:
            run(f"create database {_name()} template {base}")
    home = server.home / template
    _share_dbt_target(server, home)
    settings = _on_database(server, home, _name())
    try:
        {MIGRATED: migrate.migrate, PREPARED: raw.prepare, BUILT: _publish_lists}[template](settings)
    except Exception:
        with _maintenance(server) as run:
            run(f"drop database {_name()} with (force)")
        raise
    with _maintenance(server) as run:
        run(f"alter database {_name()} rename to {template}")


def _publish_lists(settings: Settings) -> None:
    """Build and publish a release without a report."""
    builder = connections.make_engine(settings, Role.BUILDER)
    opened = release.open_candidate(builder, "template", force=True)
    assert opened is not None
    building.build(settings, opened)
    builder.dispose()
    owner = connections.make_engine(settings, Role.OWNER)
    with owner.begin() as connection:
        connection.execute(text("update warehouse.release set verdict = 'passed'"))
    owner.dispose()
    publisher = connections.make_engine(settings, Role.PUBLISHER)
    release.publish(publisher, opened)
    publisher.dispose()


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
