"""Processes that read files: started once, lent to one lane after another, ended when they are of no more use."""

import atexit
import os
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

from warehouse.settings import Settings

COMMAND = (sys.executable, "-m", "ingestion.worker")
"""Starts a process that reads; the descriptor of its socket follows."""

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(eq=False)
class Worker:
    """A process, what it was given, and since when it has been at the first of that."""

    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
    knows: str = ""
    jobs: deque[int] = field(default_factory=deque)
    since: float = 0.0

    @classmethod
    def start(cls, settings: Settings) -> "Worker":
        """Start a process; raises OSError when none can be started."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "POLARS_MAX_THREADS": str(_threads(settings))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return cls(process, Connection(ours.detach()))

    def end(self) -> None:
        """End the process, whatever it is doing."""
        with suppress(OSError):
            self.connection.close()
        self.process.kill()
        self.process.wait()


def _threads(settings: Settings) -> int:
    cores = os.cpu_count() or 1
    return max(1, cores // settings.intake_workers)


_idle: list[Worker] = []
_idle_lock = Lock()
_owner = os.getpid()


def borrow(settings: Settings) -> Worker:
    """A process that is idle, or a new one."""
    global _owner  # noqa: PLW0603 - a fork has the list, but not the processes
    with _idle_lock:
        if _owner != os.getpid():
            _idle.clear()
            _owner = os.getpid()
        while _idle:
            worker = _idle.pop()
            if worker.process.poll() is None:
                return worker
            worker.end()
    return Worker.start(settings)


def give_back(worker: Worker) -> None:
    """Lend the process to the next lane; one that is still at work, or was never ready, is ended."""
    if worker.jobs or not worker.ready or worker.process.poll() is not None:
        worker.end()
        return
    with _idle_lock:
        _idle.append(worker)


@atexit.register
def end_idle() -> None:
    """End the processes that no lane has borrowed."""
    if _owner == os.getpid():
        while _idle:
            _idle.pop().end()
