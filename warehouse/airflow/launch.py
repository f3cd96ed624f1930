"""Start a run of a DAG and follow it: through the running Airflow if there is one, else in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.airflow import services
from warehouse.airflow.environment import environment
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

BUSY = 75
"""Exit code of the runner when another one of this instance is at work."""

PATIENCE = 2.0
"""Seconds between two questions to the running Airflow."""


class RunnerBusy(WarehouseError):
    """A DAG of this instance is running outside the scheduler already."""

    def __init__(self) -> None:
        super().__init__(
            "A night or a reload of this instance is running already.",
            mend="Wait for it to end; see: warehouse status",
        )


@dataclass
class Launched:
    """A run that was started: its name in ``warehouse.run``, its log, and whether it is over."""

    run_id: str
    log_file: Path | None
    process: subprocess.Popen[bytes] | None
    settings: Settings
    dag_id: str
    airflow_run_id: str
    asked: float = 0.0

    def ended(self) -> bool:
        """True once the run is over."""
        if self.process is not None:
            return self.process.poll() is not None
        if time.monotonic() - self.asked < PATIENCE:
            return False
        self.asked = time.monotonic()
        return services.run_state(self.settings, self.dag_id, self.airflow_run_id) in ("success", "failed")

    def succeeded(self) -> bool:
        """True if the run succeeded; call it when it is over."""
        if self.process is None:
            return services.run_state(self.settings, self.dag_id, self.airflow_run_id) == "success"
        if self.process.returncode == BUSY:
            raise RunnerBusy()
        return self.process.returncode == 0


@contextmanager
def launched(settings: Settings, dag_id: str, conf: dict[str, Any] | None = None) -> Iterator[Launched]:
    """Start a run of the DAG. An interruption of this process interrupts the run's own process too."""
    now = datetime.now(UTC)
    airflow_run_id = f"manual__{now.isoformat()}"
    run_id = f"{dag_id}/{airflow_run_id}"
    if services.is_up(settings):
        services.trigger(settings, dag_id, airflow_run_id, conf or {})
        yield Launched(run_id, None, None, settings, dag_id, airflow_run_id)
        return
    log_file = settings.artifacts / "logs" / f"{dag_id}-{now:%Y%m%dT%H%M%S}.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    settings.airflow_home.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "warehouse.airflow.runner",
                dag_id, "--at", now.isoformat(), "--conf", json.dumps(conf or {}),
            ],
            env=environment(settings),
            cwd=settings.airflow_home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield Launched(run_id, log_file, process, settings, dag_id, airflow_run_id)
        except BaseException:
            process.terminate()
            process.wait()
            raise
