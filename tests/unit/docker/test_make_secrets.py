"""make-secrets.sh: every secret in a file of its own that only its owner reads, made once, never in the repository."""

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url

CHECKOUT = Path(__file__).resolve().parents[3]
DOCKER = CHECKOUT / "docker"


def make(folder: Path) -> dict[str, str]:
    environment = {**os.environ, "WAREHOUSE_ENV_FILE": str(folder.with_name("env"))}
    done = subprocess.run(
        [DOCKER / "make-secrets.sh", folder], env=environment, check=True, capture_output=True, text=True
    )
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert not any(secret in done.stdout + done.stderr for secret in made.values())
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def test_only_the_owner_reads_them(folder):
    make(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_second_run_changes_nothing_and_adds_what_is_missing(folder):
    first = make(folder)
    (folder / "airflow_jwt").unlink()
    second = make(folder)
    assert second.keys() == first.keys()
    assert {name for name in first if first[name] != second[name]} == {"airflow_jwt"}


def test_no_two_installations_share_a_secret(folder, tmp_path):
    assert not set(make(folder).values()) & set(make(tmp_path / "other").values())


def test_urls_carry_the_passwords_of_their_roles(folder):
    made = make(folder)
    assert make_url(made["warehouse_database_url"]).password == made["owner"]
    assert make_url(made["airflow_database_url"]).password == made["airflow"]
    assert make_url(made["celery_broker_url"]).password == made["redis"]
    assert made["redis.conf"] == f"requirepass {made['redis']}"


def test_airflow_gets_them_without_a_line_end(folder):
    assert not any(value.endswith("\n") for value in make(folder).values())


def test_containers_run_as_the_owner_and_never_as_root(folder):
    make(folder)
    told = dict(line.split("=") for line in folder.with_name("env").read_text().split())
    assert set(told) == {"WAREHOUSE_UID", "WAREHOUSE_GID"}
    assert int(told["WAREHOUSE_UID"]) != 0
    assert {file.stat().st_uid for file in folder.iterdir()} == {int(told["WAREHOUSE_UID"])}


def test_neither_the_repository_nor_the_image_takes_them():
    kept_out = (DOCKER / ".gitignore").read_text().split()
    assert {"/secrets/", "/.env"} <= set(kept_out)
    assert {"docker/secrets", "docker/.env"} <= set((CHECKOUT / ".dockerignore").read_text().split())
