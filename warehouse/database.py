"""Connections: one SQLAlchemy engine a role, on the embedded server or any PostgreSQL by URL."""

from enum import StrEnum
from functools import lru_cache

import psycopg
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from warehouse import embedded
from warehouse.errors import ServerError
from warehouse.secrets import password
from warehouse.settings import Settings, get_settings

DATABASE = "warehouse"


class Role(StrEnum):
    """Who connects, and so what the connection may do (see ``warehouse/roles.py``)."""

    OWNER = "owner"
    LOADER = "loader"
    BUILDER = "builder"
    AUDITOR = "auditor"
    PUBLISHER = "publisher"
    READER = "reader"


def role_name(settings: Settings, role: Role) -> str:
    """Name of the role on the server."""
    return f"{settings.role_prefix}{role}"


def url(settings: Settings, role: Role, *, database: str | None = None) -> URL:
    """SQLAlchemy URL (psycopg 3) of a role; the password is in it, so never log it as text."""
    if settings.database_url is not None:
        owner = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql+psycopg")
        if role is not Role.OWNER:
            owner = owner.set(username=role_name(settings, role), password=password(settings, role))
        return owner.set(database=database) if database else owner
    return URL.create(
        "postgresql+psycopg",
        username=embedded.SUPERUSER if role is Role.OWNER else role_name(settings, role),
        password=password(settings, role),
        host="127.0.0.1",
        port=embedded.kept_port(settings),
        database=database or DATABASE,
    )


@lru_cache
def engine(role: Role) -> Engine:
    """Engine of a role for this process, with this process's settings."""
    return make_engine(get_settings(), role)


def make_engine(settings: Settings, role: Role, *, database: str | None = None) -> Engine:
    """Engine of a role with the given settings."""
    return create_engine(
        url(settings, role, database=database),
        pool_pre_ping=True,
        # Errors quote the statement, never the values: they could be a report's.
        hide_parameters=True,
        connect_args={"application_name": f"warehouse-{role}"},
    )


def no_answer(settings: Settings, error: OperationalError) -> ServerError:
    """What PostgreSQL or the way to it said, in one line, with the way out; statements and values are left out."""
    said = error.orig.diag.message_primary if isinstance(error.orig, psycopg.Error) else None
    cause = next(iter((said or str(error.orig)).splitlines()), "").rstrip(".")
    if error.statement is not None and not error.connection_invalidated:
        return ServerError(
            f"The database gave up: {cause}.", mend="Run this again; if it stays so, see docs/runbook.md."
        )
    target = url(settings, Role.OWNER)
    where = f"{target.host}:{target.port or 5432}/{target.database}"
    return ServerError(f"No connection to the database {where}: {cause}.", mend=way_in(settings, cause))


def way_in(settings: Settings, cause: str = "") -> str:
    """What to do when there is no connection."""
    if settings.database_url is not None:
        return "Check WAREHOUSE_DATABASE_URL and whether that server runs, then: warehouse up --database-only"
    if "password" in cause:
        return (
            "Run: warehouse up. If it says the same, put the files of this database back into"
            f" {settings.secrets} (docs/runbook.md, Backup and restore)."
        )
    return "Start it with: warehouse up"


def check_connection(settings: Settings) -> str:
    """Server version, once the owner can connect; raises :class:`ServerError` with the way out."""
    try:
        with make_engine(settings, Role.OWNER).connect() as connection:
            version = str(connection.scalar(text("show server_version")))
    except OperationalError as error:
        raise no_answer(settings, error) from error
    if int(version.split(".", maxsplit=1)[0].split(maxsplit=1)[0]) < 15:
        raise ServerError(f"PostgreSQL {version} is too old.", mend="Use PostgreSQL 15 to 18.")
    return version
