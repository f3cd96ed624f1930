"""Bring the database to this version of the code: database, roles, schemas, grants."""

from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from warehouse import embedded, roles
from warehouse.database import DATABASE, Role, check_connection, make_engine, url
from warehouse.settings import Settings

log = structlog.get_logger()


def up(settings: Settings) -> None:
    """Start the embedded server if it is ours to start, then migrate. Idempotent."""
    if settings.database_url is None:
        embedded.start(settings)
        ensure_database(settings, DATABASE)
    check_connection(settings)
    migrate(settings)


def migrate(settings: Settings) -> None:
    """Run the outstanding migrations and put roles and grants in place, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    owner = make_engine(settings, Role.OWNER)
    with owner.begin() as connection:
        # Two processes that start at once must not migrate side by side.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('warehouse.migrate'))"))
        roles.ensure_roles(connection, settings)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        roles.grant_all(connection, settings)
    owner.dispose()


def ensure_database(settings: Settings, name: str) -> None:
    """Create database ``name`` on the server if there is none."""
    maintenance = create_engine(url(settings, Role.OWNER, database="postgres"), isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        known = connection.scalar(text("select true from pg_database where datname = :name"), {"name": name})
        if not known:
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"create database {quoted}")
            log.info("database created", name=name)
    maintenance.dispose()
