"""What keeps the reading processes busy: files handed out ahead, answers held until they are asked for."""

import pickle
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Condition, Thread
from typing import Any

import structlog

from ingestion.errors import FileTooCostly
from ingestion.inbox_files import WaitingFile
from ingestion.reading import SourceContext
from ingestion.store import StoredFile
from ingestion.worker import too_much_memory, too_much_time
from ingestion.worker_pool import Worker
from warehouse.settings import Settings

log = structlog.get_logger()

AHEAD_FILES = 600
"""How many files may be read ahead of what is recorded."""

AHEAD_BYTES = 64 << 20
"""How many bytes of files may be read ahead of what is recorded; a larger file is read alone."""

QUEUE = 16
"""How many files a process is given at once, so that it never waits for the next."""

Lane = tuple[str, dict[str, str], Settings, SourceContext, str]
"""What a process is told before the files of a lane."""

Answer = tuple[StoredFile | None, Any, Any, str | None, str | None]
"""What a process says of a file: its copy, readings, refusal, why it was left, what failed."""


class Pump:
    """Keeps the processes busy from a thread of its own, and holds what they answer until it is asked for."""

    def __init__(
        self,
        settings: Settings,
        workers: list[Worker],
        files: Sequence[WaitingFile],
        lane: tuple[Lane, bytes],
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
        self._answers: dict[int, Answer] = {}
        self._changed = Condition()
        self._broken = False
        self._stopping = False
        self._bell, self._rope = socket.socketpair()
        # Nobody listens any more once all is read: a rope that is full of rings must not hold the one who pulls it.
        self._rope.setblocking(False)
        for worker in list(workers):
            try:
                self._greet(worker)
            except OSError:
                worker.end()
                workers.remove(worker)
        self._thread = Thread(target=self._run, name="readers", daemon=True)
        self._thread.start()

    def answer(self, number: int) -> Answer | None:
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
            # Whatever is left over stays unread.
            self._broken = True
            self._changed.notify_all()

    def _greet(self, worker: Worker) -> None:
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

    def _heard(self, worker: Worker, what: str, number: int, content: Any) -> None:
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

    def _died(self, worker: Worker) -> None:
        """The file it was at is tried once more by itself: the process may have been ended by somebody else."""
        if worker.ready and worker.jobs:
            number = worker.jobs[0]
            self._deaths[number] += 1
            log.warning("reading process died", file=self._files[number].name, times=self._deaths[number])
            if self._deaths[number] > 1:
                worker.jobs.popleft()
                self._refuse(number, too_much_memory(self._settings, self._files[number].name))
        self._replace(worker)

    def _replace(self, worker: Worker) -> None:
        self._waiting.extendleft(reversed(worker.jobs))
        started = worker.ready
        worker.jobs.clear()
        worker.end()
        self._workers.remove(worker)
        if not started:
            # One that never came up would not come up the next time either.
            return
        with suppress(OSError):
            new = Worker.start(self._settings)
            self._workers.append(new)
            self._greet(new)

    def _refuse(self, number: int, refusal: FileTooCostly) -> None:
        kept = self._kept.get(number)
        fault = None if kept is not None or not self._keep else "the file could not even be copied"
        self._put(number, (kept, None, refusal if fault is None else None, None, fault))

    def _put(self, number: int, answer: Answer) -> None:
        self._kept.pop(number, None)
        with self._changed:
            self._answers[number] = answer
            self._changed.notify_all()
