"""What every DAG has in common: owner, retries, and how a stage's errors reach Airflow."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import psycopg
import sqlalchemy.exc
from airflow.sdk import Asset, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from warehouse.errors import WarehouseError
from warehouse.settings import get_settings

P = ParamSpec("P")
R = TypeVar("R")

RUN_ID = "{{ dag.dag_id }}/{{ run_id }}"
"""Name of a run in ``warehouse.run``: the same moment may name runs of two DAGs."""

PUBLISHED = Asset(name="published", uri="warehouse://published")
"""Emitted whenever a release is published; downstream DAGs schedule on it."""

PASSING = (OSError, sqlalchemy.exc.OperationalError, psycopg.OperationalError)
"""Errors of others that another try may not meet: network, disk, a database that restarts, a deadlock."""


def default_args() -> dict[str, Any]:
    """Arguments of every task."""
    settings = get_settings()
    return {
        "owner": "data-engineering",
        "retries": settings.task_retries,
        "retry_delay": timedelta(seconds=settings.retry_seconds),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=10),
    }


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a task's function: passwords are masked in its log; an error that no other try mends fails it at once."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _mask_passwords()
        try:
            return function(*args, **kwargs)
        except (AirflowException, *PASSING):
            raise
        except Exception as error:
            if isinstance(error, WarehouseError) and error.passing:
                raise
            said = str(error) if isinstance(error, WarehouseError) else f"{type(error).__name__}: {error}"
            raise AirflowFailException(said) from error

    return wrapped


def failed_tasks(context: Context) -> list[str]:
    """Tasks of this run that failed, as Airflow sees it."""
    task_instance, run_id = context["ti"], str(context["run_id"])
    states = task_instance.get_task_states(dag_id=task_instance.dag_id, run_ids=[run_id]).get(run_id, {})
    return sorted(name for name, state in states.items() if state == "failed")


def _mask_passwords() -> None:
    from airflow.sdk.log import mask_secret  # noqa: PLC0415 - not needed to load a DAG file

    from warehouse.airflow.environment import secret_values  # noqa: PLC0415

    for value in secret_values(get_settings()):
        mask_secret(value)
