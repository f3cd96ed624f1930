"""Runs and their stages, as the database keeps them: what progress bars, summaries and on-call read."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, text

from warehouse.errors import WarehouseError


def start_run(engine: Engine, run_id: str, kind: str) -> None:
    """Record a run as running. A run that is started again (a retry by Airflow) goes on under its id."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into warehouse.run (run_id, kind) values (:run_id, :kind) on conflict (run_id)"
                " do update set status = 'running', finished_at = null"
            ),
            {"run_id": run_id, "kind": kind},
        )


def finish_run(
    engine: Engine,
    run_id: str,
    *,
    succeeded: bool,
    outcome: str,
    release_id: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Record how a run ended; ``outcome`` is one sentence for a person."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "update warehouse.run set finished_at = clock_timestamp(), status = :status, outcome = :outcome,"
                " release_id = :release_id, detail = detail || cast(:detail as jsonb) where run_id = :run_id"
            ),
            {
                "run_id": run_id,
                "status": "succeeded" if succeeded else "failed",
                "outcome": outcome,
                "release_id": release_id,
                "detail": json.dumps(detail or {}, ensure_ascii=False, default=str),
            },
        )


@contextmanager
def stage(engine: Engine, run_id: str, name: str, lane: str = "") -> Iterator[dict[str, Any]]:
    """Record a stage's times, status and results; put results in the yielded dictionary.

    A failure is recorded with its message and raised again. Each try of a stage has a row of its own.
    """
    key = {"run_id": run_id, "stage": name, "lane": lane}
    with engine.begin() as connection:
        attempt = connection.execute(
            text(
                "insert into warehouse.stage (run_id, stage, lane, attempt)"
                " select :run_id, :stage, :lane, coalesce(max(attempt), 0) + 1 from warehouse.stage"
                " where (run_id, stage, lane) = (:run_id, :stage, :lane) returning attempt"
            ),
            key,
        ).scalar_one()
    detail: dict[str, Any] = {}
    status = "failed"
    try:
        yield detail
        status = "succeeded"
    except Exception as error:
        # Only our own errors' texts are known to be free of values; of others the class and place are kept.
        last = traceback.extract_tb(error.__traceback__)[-1]
        detail["error"] = (
            str(error)
            if isinstance(error, WarehouseError)
            else f"{type(error).__name__} in {last.name}, line {last.lineno}"
        )
        raise
    finally:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "update warehouse.stage set finished_at = clock_timestamp(), status = :status,"
                    " detail = cast(:detail as jsonb)"
                    " where (run_id, stage, lane, attempt) = (:run_id, :stage, :lane, :attempt)"
                ),
                {
                    **key,
                    "attempt": attempt,
                    "status": status,
                    "detail": json.dumps(detail, ensure_ascii=False, default=str),
                },
            )


def bury_dead_runs(engine: Engine, kind: str) -> list[str]:
    """Mark runs of ``kind`` that are still 'running' as failed: their process is gone. Returns their ids.

    Call it only where a second run of the kind cannot be alive (Airflow runs one night at a time).
    """
    with engine.begin() as connection:
        return list(
            connection.scalars(
                text(
                    "update warehouse.run set status = 'failed', finished_at = clock_timestamp(),"
                    " outcome = 'The process ended before the run did.'"
                    " where kind = :kind and status = 'running' returning run_id"
                ),
                {"kind": kind},
            )
        )
