"""The production compose file: valid, sealed, limited, watched, and without a secret in it."""

import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from warehouse.settings import Settings

DOCKER = Path(__file__).resolve().parents[3] / "docker"
OURS = {"migrate", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
ENDS_BY_ITSELF = {"migrate"}
DATABASE_PASSWORDS = {"postgres", "owner", "loader", "builder", "auditor", "publisher", "reader", "airflow"}
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<rule>:[-?])(?P<rest>[^}]*))?\}")


def substituted(value: Any) -> Any:
    """The value as compose sees it with no variable set but the user's number."""
    if isinstance(value, dict):
        return {key: substituted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [substituted(part) for part in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found["rest"] if found["rule"] == ":-" else "10001", value)
    return value


RAW = yaml.safe_load((DOCKER / "compose.yaml").read_text())
COMPOSE = substituted(RAW)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
every_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", sorted(OURS))


def secrets_of(name: str) -> set[str]:
    return set(SERVICES[name].get("secrets", []))


def test_the_file_follows_the_compose_specification():
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    errors = jsonschema.Draft202012Validator(schema).iter_errors(RAW)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def test_all_services_of_a_celery_airflow_are_there():
    assert set(SERVICES) == OURS | {"postgres", "redis"}
    assert {name for name in OURS if "build" in SERVICES[name]} == {"migrate"}
    assert len({SERVICES[name]["image"] for name in OURS}) == 1


@every_service
def test_an_image_is_pinned_by_its_version(name):
    assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z]+)?$", SERVICES[name]["image"])


@every_service
def test_a_service_runs_unprivileged(name):
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@every_service
def test_a_service_is_limited_restarted_and_its_log_rotated(name):
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert service["restart"] == ("on-failure:3" if name in ENDS_BY_ITSELF else "unless-stopped")
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@every_service
def test_a_service_has_a_health_check_unless_it_ends_by_itself(name):
    check = SERVICES[name]["healthcheck"]
    if name in ENDS_BY_ITSELF:
        assert check == {"disable": True}
        return
    assert {"test", "interval", "timeout", "retries", "start_period"} == set(check)
    assert check["test"][0] in {"CMD", "CMD-SHELL"}


@every_service
def test_a_service_waits_for_what_it_needs_to_be_ready(name):
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ready = "service_completed_successfully" if needed in ENDS_BY_ITSELF else "service_healthy"
        assert how["condition"] == ready
    if name in OURS - ENDS_BY_ITSELF:
        assert {"postgres", "migrate"} <= set(SERVICES[name]["depends_on"])


@every_service
def test_ports_are_on_loopback_unless_told_otherwise(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@every_service
def test_volumes_are_declared_and_so_are_secrets_and_networks(name):
    service = SERVICES[name]
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (DOCKER / source).is_dir()
    assert secrets_of(name) <= set(COMPOSE["secrets"])
    assert set(service["networks"]) <= set(COMPOSE["networks"])


def test_the_database_volume_lies_where_the_image_of_postgresql_18_keeps_its_data():
    assert "database:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_redis_cannot_be_reached_from_outside():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["redis"]["networks"] == ["inside"]
    assert "ports" not in SERVICES["redis"]


@every_service
def test_no_secret_stands_in_the_environment(name):
    for variable, value in SERVICES[name].get("environment", {}).items():
        if variable.endswith("_CMD"):
            program, file = value.split()
            assert program == "cat"
            assert Path(file).parent == Path("/run/secrets")
        elif variable.endswith("_FILE"):
            assert Path(value).parent == Path("/run/secrets")
        else:
            assert not re.search(r"password|secret_key|jwt|fernet|conn|url_key", variable, re.IGNORECASE)
            assert "@" not in str(value)


@every_service
def test_a_service_mounts_the_secrets_that_it_names_and_no_others(name):
    text = json.dumps({key: SERVICES[name][key] for key in SERVICES[name] if key != "secrets"})
    named = set(re.findall(r"/run/secrets/([a-z_.]+[a-z])", text))
    by_name = {"WAREHOUSE_SECRETS": set(), **SERVICES[name].get("environment", {})}
    read_by_the_warehouse = (
        DATABASE_PASSWORDS - {"postgres", "owner"} | {"warehouse_database_url", "airflow_admin"}
        if name in {"migrate", "worker"} and by_name["WAREHOUSE_SECRETS"]
        else set()
    )
    assert named <= secrets_of(name)
    assert secrets_of(name) <= named | read_by_the_warehouse


def test_workers_reach_airflow_through_its_api_only():
    assert not {"airflow", "airflow_database_url", "airflow_jwt", "airflow_fernet_key"} & secrets_of("worker")


def test_only_those_that_load_and_migrate_can_write_the_warehouse():
    writers = {name for name in SERVICES if "warehouse_database_url" in secrets_of(name)}
    assert writers == {"migrate", "worker"}
    assert {name for name in SERVICES if "postgres" in secrets_of(name)} == {"postgres"}


@each_of_ours
def test_every_setting_is_one_that_the_warehouse_knows(name):
    known = {f"WAREHOUSE_{field.upper()}" for field in Settings.model_fields}
    given = {key for key in SERVICES[name]["environment"] if key.startswith("WAREHOUSE_")}
    assert given <= known


@each_of_ours
def test_the_settings_are_valid(name, monkeypatch):
    for variable, value in SERVICES[name]["environment"].items():
        if variable.startswith("WAREHOUSE_"):
            monkeypatch.setenv(variable, value)
    settings = Settings()
    assert settings.site == Path("/srv/site")
    assert settings.forms == ()


@pytest.fixture(scope="module")
def airflow_options(tmp_path_factory) -> dict[str, list[str]]:
    """Options that the installed Airflow and its providers know, and those that may come from a command."""
    program = """
import json
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
ProvidersManager().initialize_providers_configuration()
known = [f"{section}.{key}" for section, it in conf.configuration_description.items() for key in it["options"]]
secret = [".".join(pair) for pair in conf.sensitive_config_values]
print(json.dumps({"known": known, "secret": secret}).lower())
"""
    home = tmp_path_factory.mktemp("airflow")
    return json.loads(run_python(program, home, {}).splitlines()[-1])


@each_of_ours
def test_every_airflow_option_is_one_that_airflow_knows(name, airflow_options):
    for variable in SERVICES[name]["environment"]:
        if not variable.startswith("AIRFLOW__"):
            continue
        _, section, option = variable.lower().split("__")
        if option.endswith("_cmd"):
            assert f"{section}.{option.removesuffix('_cmd')}" in airflow_options["secret"]
        else:
            assert f"{section}.{option}" in airflow_options["known"]


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    environment = {**os.environ, "WAREHOUSE_ENV_FILE": str(folder.with_name("env"))}
    subprocess.run([DOCKER / "make-secrets.sh", folder], env=environment, check=True, capture_output=True)
    return folder


def airflow_environment(name: str, secrets: Path) -> dict[str, str]:
    """The service's environment, with the secrets where they are on this machine."""
    given = SERVICES[name]["environment"].items()
    return {
        variable: str(value).replace("/run/secrets", str(secrets))
        for variable, value in given
        if variable.startswith("AIRFLOW__") and "FOLDER" not in variable
    }


def run_python(program: str, home: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scheduler_and_worker_agree_on_broker_and_backend(secrets_folder, tmp_path):
    program = """
from airflow.executors.executor_loader import ExecutorLoader
from airflow.providers.celery.executors.celery_executor_utils import app
executor, _ = ExecutorLoader.import_default_executor_cls()
print(executor.__name__, app.conf.broker_url, app.conf.result_backend)
"""
    broker = (secrets_folder / "celery_broker_url").read_text()
    backend = (secrets_folder / "celery_result_backend").read_text()
    for name in ("scheduler", "worker"):
        told = run_python(program, tmp_path, airflow_environment(name, secrets_folder))
        assert told.splitlines()[-1] == f"CeleryExecutor {broker} {backend}"


def test_airflow_takes_its_keys_from_the_secrets(secrets_folder, tmp_path):
    program = """
import json
from airflow.configuration import conf
from cryptography.fernet import Fernet
Fernet(conf.get("core", "fernet_key"))
names = [("database", "sql_alchemy_conn"), ("api_auth", "jwt_secret"), ("api", "secret_key"), ("core", "auth_manager")]
print(json.dumps([conf.get(*name) for name in names]))
"""
    told = run_python(program, tmp_path, airflow_environment("api-server", secrets_folder))
    *keys, manager = json.loads(told.splitlines()[-1])
    wanted = ("airflow_database_url", "airflow_jwt", "airflow_api")
    assert keys == [(secrets_folder / name).read_text() for name in wanted]
    assert manager.endswith("FabAuthManager")


def test_workers_find_the_api_server_by_its_name():
    url = SERVICES["worker"]["environment"]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    port = SERVICES["api-server"]["environment"]["AIRFLOW__API__PORT"]
    assert url == f"http://api-server:{port}/execution/"


def test_every_secret_is_made_and_every_made_secret_is_used(secrets_folder):
    made = {file.name for file in secrets_folder.iterdir()}
    assert made == set(COMPOSE["secrets"])
    assert made == set().union(*(secrets_of(name) for name in SERVICES))
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
