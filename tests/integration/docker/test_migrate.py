"""A production database from nothing: owner by the server's first script, everything else by the service migrate."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, make_url, text

from warehouse import embedded
from warehouse.database import Role, url
from warehouse.settings import Settings

DOCKER = Path(__file__).resolve().parents[3] / "docker"
NAME = "shop"
"""Name of owner and database here: the test server has an owner and a warehouse of its own."""


@pytest.fixture
def deployment(server: Settings, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of the service migrate, on a server where only the first script has run."""
    secrets = tmp_path / "secrets"
    told = {**os.environ, "WAREHOUSE_ENV_FILE": str(tmp_path / "env")}
    subprocess.run([DOCKER / "make-secrets.sh", secrets], env=told, check=True, capture_output=True)
    script = (DOCKER / "postgres" / "10-owner.sql").read_text()
    administrator = url(server, Role.OWNER, database="postgres")
    subprocess.run(
        [
            embedded.locate(server).binaries / "psql",
            "--set=ON_ERROR_STOP=1",
            administrator.set(drivername="postgresql").render_as_string(hide_password=False),
        ],
        input=script.replace("role owner", f"role {NAME}").replace(
            "database warehouse owner owner", f"database {NAME} owner {NAME}"
        ),
        env={**os.environ, "OWNER_PASSWORD_FILE": str(secrets / "owner")},
        check=True,
        capture_output=True,
        text=True,
    )
    for secret, database in (("warehouse_database_url", NAME), ("airflow_database_url", f"{NAME}_airflow")):
        made = make_url((secrets / secret).read_text())
        role = NAME if secret.startswith("warehouse") else f"{NAME}_airflow"
        here = made.set(username=role, host="127.0.0.1", port=administrator.port, database=database)
        (secrets / secret).write_text(here.render_as_string(hide_password=False))
    given = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["migrate"]["environment"]
    yield {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        **{
            variable: value.replace("/run/secrets", str(secrets))
            for variable, value in given.items()
            if variable.startswith("AIRFLOW__") and "${" not in value
        },
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "logs"),
        "WAREHOUSE_HOME": str(tmp_path / "home"),
        "WAREHOUSE_SECRETS": str(secrets),
        "WAREHOUSE_DATABASE_URL": (secrets / "warehouse_database_url").read_text(),
        "WAREHOUSE_ROLE_PREFIX": f"{NAME}_",
        "WAREHOUSE_LOG_JSON": "true",
    }
    maintenance = create_engine(administrator, isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {NAME}_airflow with (force)")
        connection.exec_driver_sql(f"drop database {NAME} with (force)")
        roles = connection.scalars(
            text("select rolname from pg_roles where rolname ~ :name"), {"name": f"^{NAME}"}
        )
        names = ", ".join(sorted(roles, key=lambda role: role == NAME))
        connection.exec_driver_sql(f"drop role {names}")
    maintenance.dispose()


def migrate(environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, DOCKER / "migrate.py"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line)["event"] for line in done.stderr.splitlines() if line.startswith('{"')] + [
        "first user of Airflow added"
        for line in done.stdout.splitlines()
        if "first user of Airflow added" in line
    ]


def test_an_empty_server_becomes_a_deployment_and_a_second_run_changes_nothing(deployment):
    assert {"warehouse migrated", "Airflow migrated"} <= set(migrate(deployment))
    secrets = Path(deployment["WAREHOUSE_SECRETS"])
    owner = create_engine(make_url(deployment["WAREHOUSE_DATABASE_URL"]).set(drivername="postgresql+psycopg"))
    with owner.connect() as connection:
        assert not connection.scalar(text("select rolsuper from pg_roles where rolname = current_user"))
        assert connection.scalar(text("select count(*) from registry.form")) >= 5
    owner.dispose()
    airflow = create_engine((secrets / "airflow_database_url").read_text())
    users = text("select username, email from ab_user")
    with airflow.connect() as connection:
        before = connection.execute(users).all()
        assert [user.username for user in before] == ["admin"]
        assert not connection.scalar(
            text("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
        )
    assert "first user of Airflow added" not in migrate(deployment)
    with airflow.connect() as connection:
        assert connection.execute(users).all() == before
    airflow.dispose()


def test_without_a_database_it_says_what_to_mount(tmp_path):
    done = subprocess.run(
        [sys.executable, DOCKER / "migrate.py"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "WAREHOUSE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "warehouse_database_url" in done.stderr
    assert "Traceback" not in done.stderr
