"""Airflow's configuration for this instance, as environment variables: nothing is written to airflow.cfg."""

import base64
import hashlib
import json
import os
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL

from warehouse import embedded
from warehouse.database import Role, url
from warehouse.secrets import password
from warehouse.settings import Settings

HOST = "127.0.0.1"
UI_USER = "admin"
PREFERRED_PORT = 8080


def environment(settings: Settings) -> dict[str, str]:
    """Environment of every Airflow process of this instance: this process's own, completed.

    An ``AIRFLOW__…`` variable that is already set (or its ``…_CMD``) wins, so that a production deployment
    configures Airflow its own way. ``AIRFLOW_HOME`` always is the instance's.
    """
    defaults = {name: value for name, value in _defaults(settings).items() if f"{name}_CMD" not in os.environ}
    return {**defaults, **os.environ, **_always(settings)}


def port(settings: Settings) -> int:
    """Port of the UI and API: the setting, else one chosen once and kept."""
    return embedded.choose_port(settings.home / "airflow.port", settings.airflow_port, PREFERRED_PORT)


def ui_address(settings: Settings) -> str:
    """Address of the UI."""
    return f"http://{HOST}:{port(settings)}"


def login_file(settings: Settings) -> Path:
    """File with the UI's login, made on first use; Airflow would print a password that it makes itself."""
    file = settings.secrets / "airflow_login.json"
    if not file.exists():
        login = json.dumps({UI_USER: password(settings, "airflow_admin")})
        file.touch(mode=0o600)
        file.write_text(login)
    return file


def dags_folder() -> Path:
    """Folder of the DAG files."""
    spec = find_spec("dags")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The package dags is not installed; run: make setup")
    return Path(spec.origin).parent


def metadata_database(settings: Settings) -> str:
    """Name of Airflow's own database, on the same server as the warehouse."""
    if settings.database_url is None:
        return "airflow"
    return f"{url(settings, Role.OWNER).database}_airflow"


def metadata_role(settings: Settings) -> str:
    """Role that owns Airflow's database; it can do nothing in the warehouse."""
    return f"{settings.role_prefix}airflow"


def metadata_url(settings: Settings) -> URL:
    """URL of Airflow's database; the password is in it."""
    return url(settings, Role.OWNER, database=metadata_database(settings)).set(
        drivername="postgresql+psycopg2",
        username=metadata_role(settings),
        password=password(settings, "airflow"),
    )


def _always(settings: Settings) -> dict[str, str]:
    return {
        **_folders(settings),
        "AIRFLOW_HOME": str(settings.airflow_home),
        # Tasks talk to the API on loopback; a proxy of the environment must not see that.
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST, "localhost"))),
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "true",
        "GX_ANALYTICS_ENABLED": "false",
    }


def _folders(settings: Settings) -> dict[str, str]:
    """Folders of this instance as absolute paths: Airflow's processes work in a folder of their own."""
    names = ("home", "site", "inbox", "file_store", "secrets", "airflow_home", "artifacts")
    folders = {f"WAREHOUSE_{name.upper()}": str(getattr(settings, name)) for name in names}
    return {**folders, "WAREHOUSE_FORMS": os.pathsep.join(map(str, settings.forms))}


def _defaults(settings: Settings) -> dict[str, str]:
    address = ui_address(settings)
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": settings.timezone,
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__FERNET_KEY": _fernet_key(settings),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{UI_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(login_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url(settings).render_as_string(hide_password=False),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port(settings)),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": password(settings, "airflow_api"),
        "AIRFLOW__API_AUTH__JWT_SECRET": password(settings, "airflow_jwt"),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.airflow_home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _fernet_key(settings: Settings) -> str:
    """The secret in the form that Fernet wants: 32 bytes, base64."""
    digest = hashlib.sha256(password(settings, "airflow_fernet").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


def secret_values(settings: Settings) -> list[str]:
    """Every password of this instance, for a log's masker."""
    values = [file.read_text().strip() for file in settings.secrets.glob("[!.]*") if file.is_file()]
    if settings.database_url is not None and (given := url(settings, Role.OWNER).password):
        values.append(str(given))
    return [value for value in values if value]
