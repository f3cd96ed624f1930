"""Migrations and grants on a real server."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from warehouse import migrate
from warehouse.database import Role, check_connection, engine


def test_migrating_twice_changes_nothing(settings):
    migrate.up(settings)
    with engine(Role.OWNER).connect() as connection:
        assert connection.scalar(text("select count(*) from warehouse.migration")) == 1


def test_server_version_is_told(settings):
    assert int(check_connection(settings).split(".")[0]) >= 15


@pytest.mark.parametrize("schema", ["registry", "raw", "staging", "star", "candidate", "audit", "warehouse"])
def test_reader_sees_no_schema_but_what_was_published(settings, schema):
    with engine(Role.READER).connect() as connection:
        assert not connection.scalar(
            text("select has_schema_privilege(:schema, 'usage')"), {"schema": schema}
        )
    with engine(Role.READER).connect() as connection:
        assert connection.scalar(text("select has_schema_privilege('published', 'usage')"))
        assert connection.scalar(text("select has_schema_privilege('released', 'usage')"))


@pytest.mark.parametrize("role", list(Role)[1:])
def test_no_service_role_can_move_what_is_not_its_own(settings, role):
    forbidden = {
        Role.LOADER: "update warehouse.pointer set current_release = 1",
        Role.BUILDER: "update warehouse.pointer set current_release = 1",
        Role.AUDITOR: "update warehouse.release set status = 'published'",
        Role.PUBLISHER: "insert into registry.file (sha256, size_bytes, stored_path) values ('x', 1, 'x')",
        Role.READER: "create table published.mine (a int)",
    }
    with engine(role).connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
        connection.execute(text(forbidden[role]))
