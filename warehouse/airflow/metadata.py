"""Airflow's metadata database: on the warehouse's server, owned by a role of its own."""

import json
from importlib.metadata import version

import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from warehouse.airflow.environment import metadata_database, metadata_role, metadata_url
from warehouse.database import Role, url
from warehouse.errors import ServerError
from warehouse.secrets import password
from warehouse.settings import Settings

log = structlog.get_logger()


def ensure(settings: Settings) -> None:
    """Create Airflow's role and database if they are missing. Its tables are Airflow's own affair."""
    maintenance = create_engine(url(settings, Role.OWNER), isolation_level="AUTOCOMMIT")
    database, role = metadata_database(settings), metadata_role(settings)
    try:
        with maintenance.connect() as connection:
            quote = connection.dialect.identifier_preparer.quote
            driver = connection.connection.driver_connection
            if driver is None:
                raise ServerError("The connection to the server was lost.", mend="Run this again.")
            verifier = driver.pgconn.encrypt_password(
                password(settings, "airflow").encode(), role.encode(), b"scram-sha-256"
            ).decode()
            known = connection.scalar(text("select true from pg_roles where rolname = :name"), {"name": role})
            verb = "alter" if known else "create"
            connection.exec_driver_sql(f"{verb} role {quote(role)} login password '{verifier}'")
            if not connection.scalar(
                text("select true from pg_database where datname = :name"), {"name": database}
            ):
                connection.exec_driver_sql(f"grant {quote(role)} to current_user")
                connection.exec_driver_sql(f"create database {quote(database)} owner {quote(role)}")
                log.info("database created", name=database)
    except ProgrammingError as error:
        raise ServerError(
            f"Airflow's database {database} cannot be created: {str(error.orig).strip()}",
            mend=f"Ask the server's administrator for: create database {database} owner {role}",
        ) from error
    finally:
        maintenance.dispose()


def is_migrated(settings: Settings) -> bool:
    """True if the tables are those of the installed Airflow, as far as our own note of them tells."""
    note = settings.airflow_home / "migrated.json"
    if not note.exists():
        return False
    return bool(
        json.loads(note.read_text()) == {"airflow": version("apache-airflow"), "head": _head(settings)}
    )


def note_migrated(settings: Settings) -> None:
    """Remember which Airflow made the tables, so that the next start need not ask Airflow (seconds)."""
    note = settings.airflow_home / "migrated.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"airflow": version("apache-airflow"), "head": _head(settings)}))


def _head(settings: Settings) -> str | None:
    engine = create_engine(metadata_url(settings))
    try:
        with engine.connect() as connection:
            if connection.scalar(text("select to_regclass('alembic_version')")) is None:
                return None
            return str(connection.scalar(text("select version_num from alembic_version")))
    finally:
        engine.dispose()
