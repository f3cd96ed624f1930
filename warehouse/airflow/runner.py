"""Run one DAG to its end, in this process, with the real Airflow: ``python -m warehouse.airflow.runner DAG_ID``.

This is what ``airflow dags test`` does, less the command line's own start-up, and safe to repeat after a kill.
The environment must be that of :func:`warehouse.airflow.environment.environment`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import text

from warehouse.airflow import metadata
from warehouse.airflow.environment import dags_folder
from warehouse.airflow.launch import BUSY, RunnerBusy
from warehouse.database import Role, engine
from warehouse.errors import ServerError
from warehouse.logs import configure_logs
from warehouse.runs import bury_dead_runs
from warehouse.settings import Settings, get_settings

log = structlog.get_logger()

BUNDLE = "dags-folder"


def main(arguments: list[str] | None = None) -> int:
    """Run the DAG named on the command line; 0 if its run succeeded."""
    parser = argparse.ArgumentParser(prog="python -m warehouse.airflow.runner")
    parser.add_argument("dag_id", nargs="?", help="Left out: only the metadata database is made ready.")
    parser.add_argument(
        "--at", type=datetime.fromisoformat, help="Moment that names the run; now if left out."
    )
    parser.add_argument("--conf", type=json.loads, default={}, help="Params of the run as JSON.")
    wanted = parser.parse_args(arguments)
    configure_logs()
    settings = get_settings()
    try:
        with alone():
            make_ready(settings)
            if wanted.dag_id is None:
                return 0
            return 0 if run(wanted.dag_id, wanted.at or datetime.now(UTC), wanted.conf) else 1
    except RunnerBusy as error:
        log.warning(error.message, mend=error.mend)
        return BUSY


def make_ready(settings: Settings) -> None:
    """Migrate Airflow's tables and end the runs that killed runners left, else a scheduler would take them up.

    Call it only while no runner and no scheduler of this instance is at work.
    """
    migrate(settings)
    for kind in ("nightly", "backfill"):
        for dead in bury_dead_runs(engine(Role.LOADER), kind):
            log.warning("run of a dead process marked as failed", run=dead)
    _end_abandoned_runs()


def run(dag_id: str, at: datetime, conf: dict[str, Any]) -> bool:
    """Run the DAG; True if its run succeeded."""
    from airflow.dag_processing.dagbag import BundleDagBag  # noqa: PLC0415 - seconds, and needed from here on

    folder = dags_folder()
    bag = BundleDagBag(str(folder / f"{dag_id}.py"), bundle_path=folder, bundle_name=BUNDLE)
    for file, error in bag.import_errors.items():
        raise ServerError(f"The DAG file {file} cannot be loaded: {error.strip().splitlines()[-1]}")
    dag_run = bag.dags[dag_id].test(logical_date=at, run_after=at, run_conf=conf)
    return bool(dag_run.state == "success")


def migrate(settings: Settings) -> None:
    """Bring Airflow's tables to the installed version; milliseconds when they are."""
    if metadata.is_migrated(settings):
        return
    from airflow.utils.db import initdb  # noqa: PLC0415 - seconds, and only needed here

    initdb()
    metadata.note_migrated(settings)


def _end_abandoned_runs() -> None:
    from airflow.models import DagRun, TaskInstance  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from airflow.utils.types import DagRunTriggeredByType  # noqa: PLC0415
    from sqlalchemy import select, update  # noqa: PLC0415

    unfinished = ("running", "queued")
    with create_session() as session:
        abandoned = session.execute(
            select(DagRun.dag_id, DagRun.run_id).where(
                DagRun.state.in_(unfinished), DagRun.triggered_by == DagRunTriggeredByType.TEST
            )
        ).all()
        for dag_id, run_id in abandoned:
            session.execute(
                update(TaskInstance)
                .where(
                    TaskInstance.dag_id == dag_id,
                    TaskInstance.run_id == run_id,
                    TaskInstance.state.is_(None)
                    | TaskInstance.state.in_(("scheduled", "queued", "running", "up_for_retry")),
                )
                .values(state="failed")
            )
            session.execute(
                update(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id).values(state="failed")
            )


@contextmanager
def alone() -> Iterator[None]:
    """Hold this instance's runner lock, which dies with the process; raises :class:`RunnerBusy`."""
    with engine(Role.LOADER).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("select pg_try_advisory_lock(hashtext('warehouse.runner'))")):
            raise RunnerBusy()
        yield


if __name__ == "__main__":
    sys.exit(main())
