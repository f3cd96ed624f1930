"""Answers of reading processes, which may all be there before anybody asks for the first."""

import socket
import subprocess
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from threading import Thread

import pytest

from ingestion.inbox_files import WaitingFile
from ingestion.pump import AHEAD_FILES, Pump
from ingestion.worker_pool import Worker
from warehouse.settings import Settings

SECONDS = 10


def answer_everything(end: Connection) -> None:
    """What a process says of files that hold nothing."""
    end.recv()
    end.send(("ready", -1, None))
    while True:
        try:
            _, number, _, _ = end.recv()
        except EOFError:
            return
        end.send(("read", number, (None, [], None, None, None)))


@pytest.fixture
def worker():
    ours, theirs = socket.socketpair()
    Thread(target=answer_everything, args=(Connection(theirs.detach()),), daemon=True).start()
    process = subprocess.Popen(["sleep", str(SECONDS)])
    worker = Worker(process, Connection(ours.detach()))
    yield worker
    worker.end()


def test_a_long_inbox_that_is_read_before_its_answers_are_taken_ends(settings: Settings, worker: Worker):
    now = datetime.now(UTC)
    files = [WaitingFile(f"{number}.csv", f"{number}.csv", 1, now) for number in range(AHEAD_FILES)]
    pump = Pump(settings, [worker], files, (("lane", {}, settings, None, "digest"), b""), keep=False)
    pump._thread.join(SECONDS)

    taken = []
    caller = Thread(target=lambda: taken.extend(map(pump.answer, range(len(files)))), daemon=True)
    caller.start()
    caller.join(SECONDS)
    assert None not in taken
    assert len(taken) == len(files)
    pump.stop()
