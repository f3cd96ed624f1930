"""Roles and grants: the loader loads, the builder builds, the auditor looks, the publisher publishes.

Grants are put in place again on every migration, so that they are always what this file says.
"""

from psycopg import sql
from sqlalchemy import Connection, text

from warehouse.database import Role, role_name
from warehouse.secrets import password
from warehouse.settings import Settings
from warehouse.star import execute

SERVICE_ROLES = (Role.LOADER, Role.BUILDER, Role.AUDITOR, Role.PUBLISHER, Role.READER)

# Each statement names roles as {loader}, {builder} …; they are rendered as quoted identifiers.
GRANTS = """
revoke all on database {database} from public;
revoke all on schema public from public;
revoke execute on all functions in schema warehouse, registry from public;
grant connect on database {database} to {loader}, {builder}, {auditor}, {publisher}, {reader};
grant temporary on database {database} to {loader}, {builder}, {auditor}, {publisher};

grant usage on schema warehouse to {loader}, {builder}, {auditor}, {publisher};
grant select on all tables in schema warehouse to {loader}, {builder}, {auditor}, {publisher};
grant insert, update on warehouse.run, warehouse.stage to {loader}, {builder}, {auditor}, {publisher};
grant execute on function warehouse.reading_release() to {builder}, {auditor}, {publisher}, {reader};
grant execute on function warehouse.candidate_release() to {builder}, {auditor}, {publisher};
grant execute on function warehouse.spells_meet() to {builder};

grant usage on schema registry to {loader}, {builder}, {auditor}, {publisher};
grant select on all tables in schema registry to {loader}, {builder}, {auditor}, {publisher};
grant insert, update on all tables in schema registry to {loader};
grant delete on registry.duty, registry.organization_event, registry.obligation, registry.holiday to {loader};
grant delete on registry.region_event to {loader};
grant usage on sequence registry.revision_revision_id_seq to {loader};
grant execute on function registry.cell_name(int, int) to {loader}, {builder}, {auditor}, {publisher};
grant execute on function registry.count_limits(numeric) to {builder}, {auditor}, {publisher};
grant execute on function registry.proportion_limits(numeric, numeric) to {builder}, {auditor}, {publisher};

grant usage on schema raw to {loader}, {builder}, {auditor};
grant select, insert on all tables in schema raw to {loader};
grant select on all tables in schema raw to {builder}, {auditor};

grant all on schema staging, star, candidate to {builder};
grant insert, update on warehouse.release to {builder};
grant update (candidate_release) on warehouse.pointer to {builder};
grant insert on registry.change to {builder};
grant update (release_id) on registry.change to {builder};

grant usage on schema candidate to {auditor};
grant usage on schema audit to {auditor}, {publisher};
grant select on all tables in schema audit to {auditor}, {publisher};
grant usage on schema audit to {builder};
grant select on audit.spoiled_cell to {builder};
grant insert, update, delete on all tables in schema audit to {auditor};
grant update (verdict, summary) on warehouse.release to {auditor};

grant usage on schema star to {publisher};
grant all on schema published, released to {publisher};
grant update on warehouse.release, warehouse.pointer to {publisher};
grant insert on warehouse.pointer_log to {publisher};
grant insert on registry.change to {publisher};

grant usage on schema published, released to {reader};
grant select on published.dim_release to {publisher}, {reader};
"""

DEFAULTS = """
alter default privileges for role {builder} in schema candidate grant select on tables to {auditor};
alter default privileges for role {builder} in schema star grant select on tables to {publisher};
alter default privileges for role {publisher} in schema published grant select on tables to {reader};
alter default privileges for role {publisher} in schema released grant select on tables to {reader};
"""


def ensure_roles(connection: Connection, settings: Settings) -> None:
    """Create the service roles that are missing and give each the password of its file."""
    encrypt = connection.connection.driver_connection.pgconn.encrypt_password  # type: ignore[union-attr]
    for role in SERVICE_ROLES:
        name = role_name(settings, role)
        known = connection.scalar(text("select true from pg_roles where rolname = :name"), {"name": name})
        verb = sql.SQL("alter" if known else "create")
        # The server gets a SCRAM verifier, never the password, so that no statement log can hold it.
        verifier = encrypt(password(settings, role).encode(), name.encode(), b"scram-sha-256")
        execute(
            connection,
            # Naming an attribute such as nosuperuser takes a superuser; a new role has none anyway.
            sql.SQL("{} role {} login password {}").format(
                verb, sql.Identifier(name), sql.Literal(verifier.decode())
            ),
        )


def grant_all(connection: Connection, settings: Settings) -> None:
    """Put every grant of this file in place."""
    names: dict[str, sql.Composable] = {
        role.value: sql.Identifier(role_name(settings, role)) for role in SERVICE_ROLES
    }
    names["database"] = sql.Identifier(str(connection.scalar(text("select current_database()"))))
    # A role may set another's default privileges only as its member (no superuser on a managed server).
    owner = sql.Identifier(str(connection.scalar(text("select current_user"))))
    for role in (Role.BUILDER, Role.PUBLISHER):
        execute(connection, sql.SQL("grant {} to {}").format(names[role.value], owner))
    for statement in _statements(GRANTS + DEFAULTS):
        execute(connection, sql.SQL(statement).format(**names))


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";") if part.strip()]
