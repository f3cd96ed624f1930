"""Bring a deployment to this version of the code: ``python docker/migrate.py``, the service ``migrate``.

Warehouse, raw tables of all forms, Airflow's database and its tables, and on the first run Airflow's first user.
Each step leaves alone what is done already, so it may run again at any time.
"""

import shutil
import subprocess
import sys

import structlog

from warehouse import migrate as warehouse_schema
from warehouse.airflow import metadata
from warehouse.errors import WarehouseError
from warehouse.logs import configure_logs
from warehouse.secrets import password
from warehouse.settings import Settings, get_settings

log = structlog.get_logger()

ADMIN = "admin"


def main() -> int:
    """Run all steps; 0 when done, 1 with the reason in the log."""
    configure_logs()
    try:
        migrate(get_settings())
    except WarehouseError as error:
        # The message says what to do; a traceback would hide it.
        log.critical(error.message, mend=error.mend, **error.context)
        return 1
    return 0


def migrate(settings: Settings) -> None:
    """Warehouse first: Airflow's database is made by the warehouse's owner."""
    from ingestion import raw  # noqa: PLC0415 - reads every form

    if settings.database_url is None:
        raise WarehouseError(
            "No database to migrate.",
            mend="Mount the secret warehouse_database_url (docker/make-secrets.sh).",
        )
    warehouse_schema.up(settings)
    raw.prepare(settings)
    log.info("warehouse migrated")
    metadata.ensure(settings)
    airflow = shutil.which("airflow") or "airflow"
    if subprocess.run([airflow, "db", "migrate"], check=False).returncode:
        raise WarehouseError("airflow db migrate failed.", mend="Its reason stands above.")
    log.info("Airflow migrated")
    if add_admin(password(settings, "airflow_admin")):
        log.info("first user of Airflow added", user=ADMIN)


def add_admin(secret: str) -> bool:
    """Add Airflow's first user unless there is one of that name; its password is changed in the UI."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import (  # noqa: PLC0415 - seconds
        get_application_builder,
    )

    with get_application_builder() as builder:
        users = builder.sm
        if users.find_user(username=ADMIN):
            return False
        role = users.find_role("Admin")
        if not users.add_user(ADMIN, "Warehouse", "Administrator", f"{ADMIN}@localhost", role, secret):
            raise WarehouseError("Airflow's first user could not be added.", mend="See the log above.")
        return True


if __name__ == "__main__":
    sys.exit(main())
