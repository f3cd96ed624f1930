"""An instance of its own for end-to-end tests: its commands, its processes, what it has published."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from warehouse import embedded
from warehouse.database import Role, make_engine
from warehouse.settings import Settings

SURROGATES = {"report_id", "revision_id", "published_at"}
"""When it was published, and keys drawn from sequences: a killed transaction leaves gaps, so two instances
number reports differently."""


@dataclass
class Instance:
    """A warehouse in ``home``, driven through its command like a person's."""

    home: Path
    settings: Settings = field(init=False)
    night_began: str = ""
    more: dict[str, str] = field(default_factory=dict)
    """Settings of its commands beside those that every instance of the tests has."""

    def __post_init__(self) -> None:
        self.settings = Settings(home=self.home)
        self.home.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WAREHOUSE_", "AIRFLOW"))
        }
        return {
            **kept,
            "WAREHOUSE_HOME": str(self.home),
            "WAREHOUSE_SETTLE_SECONDS": "0",
            "WAREHOUSE_RETRY_SECONDS": "0",
            **self.more,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "warehouse", *arguments],
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def run(self, *arguments: str, succeeds: bool = True) -> Any:
        """Run a command with ``--json`` and return what it printed."""
        process = self.start(*arguments, "--json")
        output, errors = process.communicate(timeout=400)
        assert (process.returncode == 0) == succeeds, f"{arguments}: {output}\n{errors}"
        return json.loads(output) if output.strip() else None

    def start_server(self) -> None:
        """Start PostgreSQL alone, in a process that can be told as this instance's."""
        script = "from warehouse import embedded, settings; embedded.start(settings.get_settings())"
        subprocess.run([sys.executable, "-c", script], env=self.environment, check=True, capture_output=True)

    def processes(self) -> set[int]:
        """Every process of this instance: ours, Airflow's and PostgreSQL's."""
        mark = f"WAREHOUSE_HOME={self.home}".encode()
        found = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
            except OSError:
                continue
        return found

    def kill(self) -> None:
        """SIGKILL to every process of this instance, until none is left."""
        while running := self.processes():
            for pid in running:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.05)

    def stop(self) -> None:
        embedded.remove(self.settings)
        self.kill()

    def scalar(self, query: str, role: Role = Role.OWNER) -> Any:
        engine = make_engine(self.settings, role)
        try:
            with engine.connect() as connection:
                return connection.scalar(text(query))
        finally:
            engine.dispose()


def published(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every published table as role ``reader`` sees it, without surrogate numbers."""
    engine = make_engine(settings, Role.READER)
    try:
        with engine.connect() as connection:
            columns: dict[str, list[str]] = {}
            for table, column in connection.execute(
                text(
                    "select table_name, column_name from information_schema.columns"
                    " where table_schema = 'published' order by table_name, ordinal_position"
                )
            ):
                if column not in SURROGATES:
                    columns.setdefault(table, []).append(column)
            return {
                table: sorted(
                    map(tuple, connection.execute(text(f"select {', '.join(names)} from published.{table}"))),
                    key=str,
                )
                for table, names in columns.items()
            }
    finally:
        engine.dispose()


def wait_for(what: Callable[[], object], process: subprocess.Popen[str], seconds: float = 240) -> None:
    """Wait until ``what`` holds while ``process`` runs."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if what():
                return
        except Exception:  # noqa: S110 - the server may be starting, the table not yet made
            pass
        assert process.poll() is None, f"the night ended first: {process.communicate()}"
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)
