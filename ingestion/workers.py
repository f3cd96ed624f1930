"""Reading files in processes of their own: side by side, each within its time and memory.

A process that hangs or dies costs only the file it was reading. Processes are started once and lent to one lane
after another; where none can be started, files are read in this process, one after another.
"""

import atexit
import hashlib
import os
import pickle
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import Any

import structlog

from ingestion.errors import FileTooCostly
from ingestion.fetching import Fetched, fetch
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.inbox_files import WaitingFile
from ingestion.reading import Reading, SourceContext, UnreadCards
from ingestion.store import StoredFile
from ingestion.worker import too_much_memory, too_much_time
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

log = structlog.get_logger()

AHEAD_FILES = 600
"""How many files may be read ahead of what is recorded."""

AHEAD_BYTES = 64 << 20
"""How many bytes of files may be read ahead of what is recorded; a larger file is read alone."""

QUEUE = 16
"""How many files a process is given at once, so that it never waits for the next."""

FILES_A_WORKER = 8
"""Another process is worth its start for so many files, or for a file of ``LARGE`` bytes."""

LARGE = 1 << 20

COMMAND = (sys.executable, "-m", "ingestion.worker")
"""Starts a process that reads; the descriptor of its socket follows."""

_ROOT = Path(__file__).resolve().parent.parent


class Readers:
    """Processes that read the files of a lane; made by :func:`readers`."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._workers: list[_Worker] = []
        self._pump: _Pump | None = None
        try:
            for _ in range(workers):
                self._workers.append(_borrow(settings))
        except OSError as error:
            log.warning("no process can be started; files are read one by one", error=type(error).__name__)

    def fetch_all(
        self,
        files: Sequence[WaitingFile],
        catalogue: Catalogue,
        source: SourceContext,
        *,
        keep: bool = True,
    ) -> Generator[Fetched, None, None]:
        """Keep and read files; they come in the order given."""
        if not self._workers:
            for file in files:
                yield fetch(self._settings, file, catalogue, source, keep=keep)
            return
        lane = _lane(self._settings, catalogue, source)
        pump = self._pump = _Pump(self._settings, self._workers, files, lane, keep=keep)
        try:
            for number, file in enumerate(files):
                answer = pump.answer(number)
                if answer is None:
                    yield fetch(self._settings, file, catalogue, source, keep=keep)
                else:
                    yield _fetched(file, answer, catalogue)
        finally:
            pump.stop()

    def close(self) -> None:
        """Give the processes back; those that are still at work are ended."""
        if self._pump is not None:
            self._pump.stop()
        for worker in self._workers:
            _give_back(worker)
        self._workers.clear()


@contextmanager
def readers(settings: Settings, files: Sequence[WaitingFile]) -> Iterator[Readers]:
    """Processes enough for these files."""
    large = sum(file.size >= LARGE for file in files)
    own = Readers(settings, min(settings.intake_workers, max(1, large, len(files) // FILES_A_WORKER)))
    try:
        yield own
    finally:
        own.close()


def read_within_limits(
    path: Path, *, name: str, catalogue: Catalogue, source: SourceContext, settings: Settings
) -> list[Reading]:
    """Read one file, of any size, within the limits on time and memory.

    Raises what :func:`ingestion.reading.read_file` raises, :class:`FileTooCostly` besides, and
    :class:`ReadingFailed` for a fault that is not the file's.
    """
    status = path.stat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    file = WaitingFile(name, str(path.absolute()), status.st_size, modified)
    with readers(settings, [file]) as own:
        (fetched,) = own.fetch_all([file], catalogue, source, keep=False)
    if fetched.refusal is not None:
        raise fetched.refusal
    if fetched.readings is None:
        raise ReadingFailed(name, fetched.fault or fetched.changing or "no answer")
    return fetched.readings


class ReadingFailed(WarehouseError):
    """A file could not be read for a reason that is not its own."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"{name} could not be read: {where}.", mend="See the log of the run.", file=name)
        self.where = where


@dataclass(eq=False)
class _Worker:
    """A process, what it was given, and since when it has been at the first of that."""

    process: subprocess.Popen[bytes]
    connection: Connection
    ready: bool = False
    knows: str = ""
    jobs: deque[int] = field(default_factory=deque)
    since: float = 0.0

    @classmethod
    def start(cls, settings: Settings) -> "_Worker":
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
    return max(1, cores // max(1, settings.intake_workers))


_idle: list[_Worker] = []
_idle_lock = Lock()
_owner = os.getpid()


def _borrow(settings: Settings) -> _Worker:
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
    return _Worker.start(settings)


def _give_back(worker: _Worker) -> None:
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


_Lane = tuple[str, dict[str, str], Settings, SourceContext, str]
_Answer = tuple[StoredFile | None, Any, Any, str | None, str | None]


@lru_cache(maxsize=4)
def _pickled(catalogue: Catalogue) -> tuple[str, bytes]:
    content = pickle.dumps(catalogue, pickle.HIGHEST_PROTOCOL)
    return hashlib.sha256(content).hexdigest(), content


def _lane(settings: Settings, catalogue: Catalogue, source: SourceContext) -> tuple[_Lane, bytes]:
    environment = {name: value for name, value in os.environ.items() if name.startswith("WAREHOUSE_")}
    digest, content = _pickled(catalogue)
    return ("lane", environment, settings, source, digest), content


def _reading(form: Form, sent: Sequence[Any]) -> Reading:
    edition, layout, part, reports, records, positions, findings, cards = sent
    if cards is None:
        return Reading(form, edition, layout, part, reports, records, positions, findings)
    table, found, name = cards
    found = replace(found, form=form)
    return UnreadCards(
        form, edition, layout, part, reports, records, positions, findings, table, found, file_name=name
    )


def _fetched(file: WaitingFile, answer: _Answer, catalogue: Catalogue) -> Fetched:
    kept, readings, refusal, changing, fault = answer
    if readings is not None:
        readings = [_reading(catalogue[sent[0]], sent[1:]) for sent in readings]
    return Fetched(file, kept, readings, refusal, changing, fault)


class _Pump:
    """Keeps the processes busy from a thread of its own, and holds what they answer until it is asked for."""

    def __init__(
        self,
        settings: Settings,
        workers: list[_Worker],
        files: Sequence[WaitingFile],
        lane: tuple[_Lane, bytes],
        *,
        keep: bool,
    ) -> None:
        self._settings = settings
        self._workers = workers
        self._files = files
        self._lane = lane
        self._keep = keep
        self._waiting = deque(range(len(files)))
        self._begun: set[int] = set()
        self._ahead_bytes = 0
        self._kept: dict[int, StoredFile] = {}
        self._deaths: Counter[int] = Counter()
        self._answers: dict[int, _Answer] = {}
        self._changed = Condition()
        self._broken = False
        self._stopping = False
        self._bell, self._rope = socket.socketpair()
        for worker in list(workers):
            try:
                self._greet(worker)
            except OSError:
                worker.end()
                workers.remove(worker)
        self._thread = Thread(target=self._run, name="readers", daemon=True)
        self._thread.start()

    def answer(self, number: int) -> _Answer | None:
        """What became of a file; None when no process can say so any more."""
        with self._changed:
            while number not in self._answers and not self._broken:
                self._changed.wait()
            found = self._answers.pop(number, None)
            if number in self._begun:
                self._begun.discard(number)
                self._ahead_bytes -= self._files[number].size
        self._ring()
        return found

    def stop(self) -> None:
        """Begin nothing more; what is under way stays unanswered."""
        self._stopping = True
        self._ring()
        self._thread.join()
        self._rope.close()
        self._bell.close()

    def _ring(self) -> None:
        with suppress(OSError):
            self._rope.send(b"!")

    def _run(self) -> None:
        try:
            while not self._stopping and (self._waiting or any(worker.jobs for worker in self._workers)):
                self._hand_out()
                self._listen()
                self._stop_overdue()
                if not self._workers:
                    break
        except Exception as error:
            log.exception("reading processes failed", error=type(error).__name__)
        with self._changed:
            # Whatever is left over is read by the process that asks.
            self._broken = True
            self._changed.notify_all()

    def _greet(self, worker: _Worker) -> None:
        lane, content = self._lane
        worker.connection.send((*lane, None if worker.knows == lane[-1] else content))
        worker.knows = lane[-1]

    def _hand_out(self) -> None:
        while self._waiting:
            worker = min(self._workers, key=lambda one: len(one.jobs), default=None)
            if worker is None or len(worker.jobs) >= QUEUE:
                return
            number = self._waiting[0]
            size = self._files[number].size
            with self._changed:
                if number not in self._begun:
                    full = len(self._begun) >= AHEAD_FILES or self._ahead_bytes + size > AHEAD_BYTES
                    if full and self._begun:
                        return
                    self._begun.add(number)
                    self._ahead_bytes += size
            self._waiting.popleft()
            if not worker.jobs:
                worker.since = time.monotonic()
            worker.jobs.append(number)
            try:
                worker.connection.send(("fetch", number, self._files[number], self._keep))
            except OSError:
                self._died(worker)

    def _listen(self) -> None:
        busy = [worker for worker in self._workers if worker.jobs]
        deadlines = [worker.since + self._settings.limit_read_seconds for worker in busy if worker.ready]
        patience = max(0.0, min([deadline - time.monotonic() for deadline in deadlines], default=1.0))
        by_connection = {worker.connection: worker for worker in busy}
        for heard in wait([*by_connection, self._bell], min(patience, 1.0)):
            if heard is self._bell:
                self._bell.recv(1 << 16)
                continue
            worker = by_connection[heard]  # type: ignore[index]
            try:
                what, number, content = worker.connection.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                self._died(worker)
                continue
            self._heard(worker, what, number, content)

    def _heard(self, worker: _Worker, what: str, number: int, content: Any) -> None:
        if what == "ready":
            worker.ready = True
            worker.since = time.monotonic()
        elif what == "kept":
            self._kept[number] = content
        else:
            worker.jobs.popleft()
            worker.since = time.monotonic()
            self._put(number, content)

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.jobs and worker.ready and now - worker.since > self._settings.limit_read_seconds:
                number = worker.jobs.popleft()
                log.warning("reading took too long and was stopped", file=self._files[number].name)
                self._refuse(number, too_much_time(self._settings, self._files[number].name))
                self._replace(worker)

    def _died(self, worker: _Worker) -> None:
        """The file it was at is tried once more by itself: the process may have been ended by somebody else."""
        if worker.ready and worker.jobs:
            number = worker.jobs[0]
            self._deaths[number] += 1
            log.warning("reading process died", file=self._files[number].name, times=self._deaths[number])
            if self._deaths[number] > 1:
                worker.jobs.popleft()
                self._refuse(number, too_much_memory(self._settings, self._files[number].name))
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        self._waiting.extendleft(reversed(worker.jobs))
        started = worker.ready
        worker.jobs.clear()
        worker.end()
        self._workers.remove(worker)
        if not started:
            # One that never came up would not come up the next time either.
            return
        with suppress(OSError):
            new = _Worker.start(self._settings)
            self._workers.append(new)
            self._greet(new)

    def _refuse(self, number: int, refusal: FileTooCostly) -> None:
        kept = self._kept.get(number)
        fault = None if kept is not None or not self._keep else "the file could not even be copied"
        self._put(number, (kept, None, refusal if fault is None else None, None, fault))

    def _put(self, number: int, answer: _Answer) -> None:
        self._kept.pop(number, None)
        with self._changed:
            self._answers[number] = answer
            self._changed.notify_all()
