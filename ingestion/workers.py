"""Reading files in processes of their own: side by side, each within its time and memory.

A process that hangs or dies costs only the file it was reading. Processes are started once and lent to one lane
after another; where none can be started nothing is read, for nothing would bound it.
"""

import hashlib
import os
import pickle
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from ingestion.fetching import Fetched
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.inbox_files import WaitingFile
from ingestion.pump import Answer, Lane, Pump
from ingestion.reading import Reading, SourceContext, UnreadCards
from ingestion.worker_pool import Worker, borrow, give_back
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

log = structlog.get_logger()

FILES_A_WORKER = 8
"""Another process is worth its start for so many files, or for a file of ``LARGE`` bytes."""

LARGE = 1 << 20


class Readers:
    """Processes that read the files of a lane; made by :func:`readers`."""

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._workers: list[Worker] = []
        self._pump: Pump | None = None
        try:
            for _ in range(workers):
                self._workers.append(borrow(settings))
        except OSError as error:
            if not self._workers:
                raise NoReaders(type(error).__name__) from error
            log.warning("fewer processes read than there may be", error=type(error).__name__)

    def fetch_all(
        self,
        files: Sequence[WaitingFile],
        catalogue: Catalogue,
        source: SourceContext,
        *,
        keep: bool = True,
    ) -> Generator[Fetched, None, None]:
        """Keep and read files; they come in the order given. Raises :class:`NoReaders` when none are left to do it."""
        lane = _lane(self._settings, catalogue, source)
        pump = self._pump = Pump(self._settings, self._workers, files, lane, keep=keep)
        try:
            for number, file in enumerate(files):
                answer = pump.answer(number)
                if answer is None:
                    raise NoReaders("ended")
                yield _fetched(file, answer, catalogue)
        finally:
            pump.stop()

    def close(self) -> None:
        """Give the processes back; those that are still at work are ended."""
        if self._pump is not None:
            self._pump.stop()
        for worker in self._workers:
            give_back(worker)
        self._workers.clear()


@contextmanager
def readers(settings: Settings, files: Sequence[WaitingFile]) -> Iterator[Readers]:
    """Processes enough for these files; raises :class:`NoReaders` when not one can be started."""
    large = sum(file.size >= LARGE for file in files)
    enough = max(1, large, len(files) // FILES_A_WORKER) if files else 0
    own = Readers(settings, min(settings.intake_workers, enough))
    try:
        yield own
    finally:
        own.close()


def read_within_limits(
    path: Path, *, name: str, catalogue: Catalogue, source: SourceContext, settings: Settings
) -> list[Reading]:
    """Read one file, of any size, within the limits on time and memory.

    Raises what :func:`ingestion.reading.read_file` raises, :class:`FileTooCostly` besides, and :class:`NoReaders` or
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


class NoReaders(WarehouseError):
    """No process that reads files can be started or stays; unread files wait on where they lie."""

    passing = True

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"No process that reads files could be started or kept up ({reason}); without one, files are not read,"
            " for nothing would limit their memory and time. They wait where they lie.",
            mend="Free memory and processes on this machine (free -m, ulimit -u), then run again.",
        )


class ReadingFailed(WarehouseError):
    """A file could not be read for a reason that is not its own."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"{name} could not be read: {where}.", mend="See the log of the run.", file=name)
        self.where = where


@lru_cache(maxsize=4)
def _pickled(catalogue: Catalogue) -> tuple[str, bytes]:
    content = pickle.dumps(catalogue, pickle.HIGHEST_PROTOCOL)
    return hashlib.sha256(content).hexdigest(), content


def _lane(settings: Settings, catalogue: Catalogue, source: SourceContext) -> tuple[Lane, bytes]:
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


def _fetched(file: WaitingFile, answer: Answer, catalogue: Catalogue) -> Fetched:
    kept, readings, refusal, changing, fault = answer
    if readings is not None:
        readings = [_reading(catalogue[sent[0]], sent[1:]) for sent in readings]
    return Fetched(file, kept, readings, refusal, changing, fault)
