"""The image: installed by the script that CI runs, from the lock, without development tools, as an ordinary user."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
DOCKER = CHECKOUT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def lock() -> str:
    return (CHECKOUT / "requirements.lock").read_text()


@pytest.fixture(scope="module")
def runtime(lock: str) -> str:
    return runpy.run_path(str(DOCKER / "runtime_lock.py"))["runtime"](lock)


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def test_production_leaves_out_what_only_development_asks_for(lock, runtime):
    left_out = names(lock) - names(runtime)
    assert {"pytest", "mypy", "ruff", "sqlfluff", "hypothesis", "yamllint"} <= left_out
    assert {"apache-airflow-core", "celery", "redis", "dbt-core", "great-expectations", "hatchling"} <= names(
        runtime
    )


def test_a_package_that_both_need_stays(lock, runtime):
    both = re.search(r"^jsonschema==.*?(?=^[a-z])", lock, re.MULTILINE | re.DOTALL)
    assert both is not None
    assert "pyproject.toml:dev" in both[0]
    assert both[0] in runtime


def test_every_package_of_production_is_pinned_with_hashes(runtime):
    for package in re.split(r"^(?=[a-z0-9])", runtime, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in package
    assert "--hash=sha256:" in (DOCKER / "installer.txt").read_text()


def test_no_index_host_is_named():
    for file in (*DOCKER.iterdir(), CHECKOUT / "requirements.lock"):
        if file.is_file() and file.name != "README.md":
            assert not re.search(r"--(extra-)?index-url|https?://[a-z.-]*(pypi|mirror)", file.read_text())


def test_the_image_is_installed_by_the_script_that_ci_runs():
    assert re.findall(r"^RUN (docker/\S+ \S+ \S+)$", DOCKERFILE, re.MULTILINE) == [
        "docker/install.sh /opt/venv dependencies",
        "docker/install.sh /opt/venv project",
    ]
    assert "pip install" not in DOCKERFILE
    assert "docker/install.sh " in (CHECKOUT / ".ci" / "run").read_text()


def test_base_images_are_pinned_and_of_the_python_that_runs_the_tests():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(bases)) == 1
    found = re.fullmatch(r"python:(\d+)\.(\d+)\.\d+-slim-bookworm", bases[0])
    assert found is not None
    assert (3, 11) <= (int(found[1]), int(found[2])) < (3, 14)


def test_the_last_user_is_not_root():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)[-1] == "${WAREHOUSE_UID}:${WAREHOUSE_GID}"
    assert "ARG WAREHOUSE_UID=10001" in DOCKERFILE


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda script: script.name)
def test_scripts_are_sound_and_executable(script):
    assert script.stat().st_mode & 0o111
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


def test_a_wrong_step_is_refused(tmp_path):
    done = subprocess.run(
        [DOCKER / "install.sh", tmp_path / "prefix", "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown step: nonsense" in done.stderr
    assert not (tmp_path / "prefix").exists()


def test_the_script_that_filters_the_lock_needs_nothing_installed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-S", DOCKER / "runtime_lock.py", CHECKOUT / "requirements.lock"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "apache-airflow==" in done.stdout


def test_a_command_that_airflow_does_not_offer_is_noticed():
    commands = runpy.run_path(str(DOCKER / "commands.py"))
    assert commands["missing"](("celery worker", "celery wrker", "no-such-command")) == [
        "celery wrker",
        "no-such-command",
    ]
