"""The process that reads files for the intake: bounded in memory, stopped when it takes too long, and replaceable.

It is started by :mod:`ingestion.workers` and talks with it over one socket. It sees the inbox and the file store,
never the database.
"""

import math
import os
import pickle
import resource
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from ingestion.errors import FileTooCostly
from ingestion.fetching import Fetched, fetch
from ingestion.forms_catalogue import Catalogue
from ingestion.inbox_files import WaitingFile
from ingestion.reading import SourceContext, UnreadCards
from ingestion.store import StoredFile
from warehouse.settings import Settings, get_settings


@dataclass(frozen=True)
class _Lane:
    """What files are read with until the other side says otherwise."""

    settings: Settings
    catalogue: Catalogue
    source: SourceContext


def main(descriptor: int) -> None:
    """Answer until the other side hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    catalogues: dict[str, Catalogue] = {}
    lane: _Lane | None = None
    with Connection(descriptor) as connection:
        connection.send(("ready", 0, None))
        while True:
            try:
                message = connection.recv()
            except EOFError:
                return
            if message[0] == "lane":
                _, environment, settings, source, digest, pickled = message
                _take_over(environment, settings)
                if pickled is not None:
                    catalogues = {digest: pickle.loads(pickled)}  # noqa: S301 - from the process that started this one
                lane = _Lane(settings, catalogues[digest], source)
                continue
            _, number, file, keep = message
            assert lane is not None  # noqa: S101 - a lane comes first
            # Should the other side be gone, nobody else would stop a file that takes for ever.
            signal.alarm(math.ceil(lane.settings.limit_read_seconds * 1.5) + 5)
            _answer(connection, number, _fetch(connection, number, file, lane, keep=keep))
            signal.alarm(0)


def _fetch(connection: Connection, number: int, file: WaitingFile, lane: _Lane, *, keep: bool) -> Fetched:
    told: list[StoredFile] = []

    def on_kept(kept: StoredFile) -> None:
        told.append(kept)
        connection.send(("kept", number, kept))

    fetched = fetch(lane.settings, file, lane.catalogue, lane.source, keep=keep, on_kept=on_kept)
    if fetched.fault is not None and fetched.fault.startswith("MemoryError"):
        return Fetched(file, told[0] if told else None, refusal=too_much_memory(lane.settings, file.name))
    return fetched


def _answer(connection: Connection, number: int, fetched: Fetched) -> None:
    """Send what was read; forms go by their code, for the other side has them."""
    readings = None
    if fetched.readings is not None:
        readings = [
            (
                one.form.code,
                one.edition,
                one.layout,
                one.part,
                one.reports,
                one.records,
                one.positions,
                one.findings,
                # The rows of cards are left to the other side, which reads them batch by batch.
                (one.table, one.found, one.file_name) if isinstance(one, UnreadCards) else None,
            )
            for one in fetched.readings
        ]
    connection.send(
        ("done", number, (fetched.kept, readings, fetched.refusal, fetched.changing, fetched.fault))
    )


def too_much_memory(settings: Settings, name: str) -> FileTooCostly:
    """The refusal of a file that needs more memory than a file may."""
    most = settings.limit_read_bytes / (1 << 30)
    return FileTooCostly(
        f"{name} needs more than {most:g} GiB of memory, or breaks the program that reads it.",
        message_zh=f"读取文件“{name}”所需内存超过{most:g} GiB，或者文件内容使读取程序中断，已停止读取；"
        "请删除多余的空行空列和格式，或按单位、月份拆分后重新报送。",
        mend="Delete surplus blank rows, columns and formats, or split it by unit or month.",
        file=name,
    )


def too_much_time(settings: Settings, name: str) -> FileTooCostly:
    """The refusal of a file that takes longer than a file may."""
    return FileTooCostly(
        f"{name} was not read within {settings.limit_read_seconds:g} seconds.",
        message_zh=f"文件“{name}”在{settings.limit_read_seconds:g}秒内没有读完，已停止读取；"
        "请删除多余的空行空列和格式，或按单位、月份拆分后重新报送。",
        mend="Delete surplus blank rows, columns and formats, or split it by unit or month.",
        file=name,
    )


def _take_over(environment: dict[str, str], settings: Settings) -> None:
    """Settings of the lane are those of this process from now on."""
    for name in [name for name in os.environ if name.startswith("WAREHOUSE_") and name not in environment]:
        del os.environ[name]
    os.environ.update(environment)
    get_settings.cache_clear()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = settings.limit_read_bytes
    resource.setrlimit(
        resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
