"""Airflow's four processes of this instance: started in sessions of their own, found again by their pid files."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from warehouse.airflow.environment import HOST, environment, login_file, port, ui_address
from warehouse.embedded import free_port
from warehouse.errors import ServerError
from warehouse.settings import Settings

log = structlog.get_logger()

SERVICES = {
    "api-server": [],
    # The log servers would listen on every address; the UI reads this machine's log files itself.
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}
"""Airflow's subcommands with their arguments."""

START_SECONDS = 120
STOP_SECONDS = 20

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses on this machine; a proxy of the environment must not see them."""


@dataclass(frozen=True)
class Service:
    """One of Airflow's processes; ``pid`` is None when it is not running."""

    name: str
    pid: int | None
    log_file: Path


def services(settings: Settings) -> list[Service]:
    """The four processes as they are now."""
    return [Service(name, _living_pid(settings, name), _log_file(settings, name)) for name in SERVICES]


def is_up(settings: Settings) -> bool:
    """True if the scheduler of this instance runs, so that it would take up any run that is created."""
    return _living_pid(settings, "scheduler") is not None


def start(settings: Settings) -> str:
    """Start what is not running yet, wait until all four are healthy; returns the UI's address.

    Raises :class:`ServerError` with the tail of the log of the process that did not come up, and stops the others.
    """
    login_file(settings)
    if _living_pid(settings, "api-server") is None and free_port(port(settings)) != port(settings):
        raise ServerError(
            f"Port {port(settings)} of the Airflow UI is taken by another program.",
            mend=f"Another port: WAREHOUSE_AIRFLOW_PORT=8899, or remove {settings.home / 'airflow.port'}.",
        )
    try:
        for name in SERVICES:
            if _living_pid(settings, name) is None:
                _start_one(settings, name)
        _wait_until_healthy(settings)
    except ServerError:
        stop(settings)
        raise
    return ui_address(settings)


def stop(settings: Settings) -> list[str]:
    """Stop the processes that run, each with its children; returns the names of those that ran."""
    running = {service.name: service.pid for service in services(settings) if service.pid is not None}
    for pid in running.values():
        _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while any(_living_pid(settings, name) for name in running) and time.monotonic() < deadline:
        time.sleep(0.2)
    for name, pid in running.items():
        if _living_pid(settings, name):
            _signal_group(pid, signal.SIGKILL)
    for name in SERVICES:
        _pid_file(settings, name).unlink(missing_ok=True)
    return list(running)


def trigger(settings: Settings, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
    """Ask the running Airflow for a run of the DAG now."""
    login = json.loads(login_file(settings).read_text())
    name, secret = next(iter(login.items()))
    token = _call(settings, "POST", "/auth/token", {"username": name, "password": secret})["access_token"]
    body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
    _call(settings, "POST", f"/api/v2/dags/{dag_id}/dagRuns", body, token=token)


def run_state(settings: Settings, dag_id: str, run_id: str) -> str:
    """State of a run as the running Airflow sees it."""
    login = json.loads(login_file(settings).read_text())
    name, secret = next(iter(login.items()))
    token = _call(settings, "POST", "/auth/token", {"username": name, "password": secret})["access_token"]
    quoted = urllib.parse.quote(run_id)
    return str(_call(settings, "GET", f"/api/v2/dags/{dag_id}/dagRuns/{quoted}", token=token)["state"])


def _wait_until_healthy(settings: Settings) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _healthy(settings):
        for service in services(settings):
            if service.pid is None:
                raise ServerError(
                    f"Airflow's {service.name} ended while starting:\n{_tail(service.log_file)}",
                    mend=f"See {service.log_file}",
                )
        if time.monotonic() > deadline:
            raise ServerError(
                f"Airflow was not healthy after {START_SECONDS} s.",
                mend=f"See the logs in {settings.airflow_home / 'services'}",
            )
        time.sleep(0.5)


def _start_one(settings: Settings, name: str) -> None:
    log_file = _log_file(settings, name)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", name, *SERVICES[name]],
            env=environment(settings),
            cwd=settings.airflow_home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _pid_file(settings, name).write_text(json.dumps({"pid": process.pid, "birth": _birth(process.pid)}))


def _living_pid(settings: Settings, name: str) -> int | None:
    """Pid of the service if the process that we started is still there: a pid alone may be another's by now."""
    try:
        kept = json.loads(_pid_file(settings, name).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    birth = _birth(kept["pid"])
    return int(kept["pid"]) if birth is not None and birth == kept["birth"] else None


def _birth(pid: int) -> str | None:
    """When the process was started, in the kernel's ticks; None if it is gone or a zombie."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else rest[18]


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        log.debug("process group is gone already", pid=pid)


def _healthy(settings: Settings) -> bool:
    try:
        health = _call(settings, "GET", "/api/v2/monitor/health")
    except (OSError, ServerError):
        return False
    return all(
        health.get(part, {}).get("status") == "healthy"
        for part in ("metadatabase", "scheduler", "triggerer", "dag_processor")
    )


def _call(
    settings: Settings,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    token: str | None = None,
) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://{HOST}:{port(settings)}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )
    try:
        with _LOOPBACK.open(request, timeout=10) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise ServerError(
            f"Airflow answered {error.code} to {method} {path}: {error.read().decode(errors='replace')[:500]}",
            mend=f"See {_log_file(settings, 'api-server')}",
        ) from error


def _pid_file(settings: Settings, name: str) -> Path:
    return _log_file(settings, name).with_suffix(".pid.json")


def _log_file(settings: Settings, name: str) -> Path:
    return settings.airflow_home / "services" / f"{name}.log"


def _tail(file: Path, lines: int = 15) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:]) if file.exists() else "(no log)"
