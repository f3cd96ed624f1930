"""Reading in processes of their own: a file that hangs, eats memory or breaks its reader costs only itself."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import openpyxl
import pytest

from ingestion import inbox, intake, registry, worker_pool, workers
from ingestion.errors import FileTooCostly, UnrecognisedFile
from ingestion.forms_catalogue import load_forms
from ingestion.reading import SourceContext, UnreadCards
from ingestion.workers import read_within_limits, readers
from tests.integration.ingestion.test_cards import LABELS, card

# Reads as the real one does, but for files with these names.
FRAGILE = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from ingestion import fetching, worker

read = fetching.read_file

def fragile(path, *, name, **more):
    if name.startswith("hangs"):
        time.sleep(600)
    if name.startswith("eats"):
        kept = []
        while True:
            kept.append(bytearray(64 << 20))
    if name.startswith("fails"):
        raise RuntimeError
    if name.startswith("breaks"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("breaks-once") or name.startswith("stumbles"):
        mark = {mark!r}
        if not os.path.exists(mark):
            open(mark, "w").close()
            os.kill(os.getpid(), signal.SIGSEGV)
    return read(path, name=name, **more)

fetching.read_file = fragile
worker.main(int(sys.argv[1]))
"""


@pytest.fixture
def fragile(bureau, monkeypatch, tmp_path):
    """Readers that stumble over files of certain names, with tight limits."""
    script = tmp_path / "fragile.py"
    root = Path(workers.__file__).resolve().parent.parent
    script.write_text(FRAGILE.format(root=str(root), mark=str(tmp_path / "stumbled")))
    own = bureau.settings.model_copy(
        update={"limit_read_seconds": 60.0, "limit_read_bytes": 3 << 29, "intake_workers": 2}
    )
    monkeypatch.setattr(bureau, "settings", own)
    worker_pool.end_idle()
    monkeypatch.setattr(worker_pool, "COMMAND", (sys.executable, str(script)))
    yield bureau
    worker_pool.end_idle()


def send(bureau, *names: str) -> None:
    for name in names:
        bureau.send(name, bureau.row(visits=2000 + bureau.sent))


def names(bureau) -> list[str]:
    return [file.name for file in inbox.waiting(bureau.settings, bureau.source())]


class TestWithinLimits:
    @pytest.mark.parametrize(
        ("name", "seconds", "word"),
        [("hangs.csv", 4.0, "4 seconds"), ("eats.csv", 60.0, "1.5 GiB"), ("breaks.csv", 60.0, "1.5 GiB")],
    )
    def test_costly_file_is_kept_and_told_and_the_others_go_on(
        self, fragile, monkeypatch, name, seconds, word
    ):
        own = fragile.settings.model_copy(update={"limit_read_seconds": seconds})
        monkeypatch.setattr(fragile, "settings", own)
        send(fragile, "a.csv", name, "b.csv", "c.csv")
        result = fragile.take_in()
        assert [(file.name, file.status) for file in result.files] == [
            ("a.csv", "taken_in"),
            (name, "unreadable"),
            ("b.csv", "taken_in"),
            ("c.csv", "taken_in"),
        ]
        (held,) = registry.unplaced(fragile.loader)
        (finding,) = held.findings
        assert finding.rule_id == "FILE_TOO_COSTLY"
        assert "拆分" in finding.message_zh
        assert word in fragile.value(
            "select message_en from registry.finding where rule_id = 'FILE_TOO_COSTLY'"
        )
        (path,) = [
            path
            for (path,) in fragile.rows(
                "select stored_path from registry.file join registry.arrival using (file_id)"
                " where status = 'unreadable'"
            )
        ]
        assert (fragile.settings.file_store / path).is_file()
        assert fragile.take_in() == intake.IntakeResult()

    def test_rows_of_cards_in_a_workbook_are_read_by_the_process_that_is_bounded(self, bureau, tmp_path):
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(list(LABELS.values()))
        one = [card(1).get(code) for code in LABELS]
        # Large enough to be read as columns, and not before it is asked for.
        for _ in range(3000):
            sheet.append(one)
        path = tmp_path / "cards.xlsx"
        book.save(path)
        (unread,) = read_within_limits(
            path,
            name=path.name,
            catalogue=load_forms(bureau.settings),
            source=SourceContext("cdc", "440507"),
            settings=bureau.settings,
        )
        path.unlink()
        assert isinstance(unread, UnreadCards)
        batches = list(unread.table.batches(unread.found.header_row + 1, 2000))
        assert [batch.height for batch in batches] == [2000, 1000]

    def test_file_that_fails_by_our_fault_costs_only_itself_and_waits_on(self, fragile):
        send(fragile, "a.csv", "fails.csv", "c.csv")
        with pytest.raises(intake.LaneFailed, match=r"fails\.csv") as raised:
            fragile.take_in()
        assert raised.value.result.by_status == {"taken_in": 2, "failed": 1}
        assert names(fragile) == ["fails.csv"]

    def test_files_that_hang_one_after_another_cost_only_their_time(self, fragile, monkeypatch):
        monkeypatch.setattr(
            fragile, "settings", fragile.settings.model_copy(update={"limit_read_seconds": 1.5})
        )
        send(fragile, "hangs-1.csv", "a.csv", "hangs-2.csv", "hangs-3.csv", "b.csv")
        assert fragile.take_in().by_status == {"taken_in": 2, "unreadable": 3}

    def test_reader_that_somebody_else_ended_tries_its_file_again(self, fragile):
        send(fragile, "a.csv", "stumbles.csv", "b.csv")
        assert fragile.take_in().by_status == {"taken_in": 3}
        assert fragile.value("select count(*) from registry.finding") == 0

    def test_one_file_alone_is_read_within_the_same_limits(self, fragile):
        send(fragile, "hangs.csv")
        path = fragile.settings.inbox / "hospital" / "hangs.csv"
        own = fragile.settings.model_copy(update={"limit_read_seconds": 1.0})
        with pytest.raises(FileTooCostly):
            intake.check(own, path, fragile.source())


class TestProcesses:
    def test_files_come_in_the_order_given_whoever_reads_them(self, bureau):
        send(bureau, *(f"{number:02}.csv" for number in range(40)))
        files = inbox.waiting(bureau.settings, bureau.source())
        own = bureau.settings.model_copy(update={"intake_workers": 3})
        with readers(own, files) as reading:
            fetched = list(reading.fetch_all(files, load_forms(own), SourceContext("hospital")))
        assert [one.file for one in fetched] == files
        assert all(one.readings for one in fetched)

    def test_error_of_a_reader_arrives_as_it_was_raised(self, bureau, tmp_path):
        path = tmp_path / "list.csv"
        path.write_text("姓名,电话\n某,1\n", encoding="utf-8")
        with pytest.raises(UnrecognisedFile) as raised:
            read_within_limits(
                path,
                name="list.csv",
                catalogue=load_forms(),
                source=SourceContext(),
                settings=bureau.settings,
            )
        assert raised.value.mend
        assert raised.value.context["file"] == "list.csv"
        assert "没有" in raised.value.message_zh or "不相符" in raised.value.message_zh

    @pytest.mark.parametrize(
        "command",
        [(sys.executable, "-c", "raise SystemExit(1)"), ("/nowhere/python",)],
        ids=["none comes up", "none can be started"],
    )
    def test_without_a_process_nothing_is_read_and_all_is_taken_in_later(self, bureau, monkeypatch, command):
        worker_pool.end_idle()
        send(bureau, "a.csv")
        bureau.send("b.csv", bureau.row("T-2"))
        with monkeypatch.context() as patch:
            patch.setattr(worker_pool, "COMMAND", command)
            with pytest.raises(workers.NoReaders, match="not read") as raised:
                bureau.take_in()
            with pytest.raises(workers.NoReaders):
                intake.check(bureau.settings, bureau.settings.inbox / "hospital" / "a.csv", bureau.source())
        assert raised.value.passing
        assert bureau.value("select count(*) from registry.arrival") == 0
        assert names(bureau) == ["a.csv", "b.csv"]
        assert bureau.take_in().by_status == {"taken_in": 2}

    def test_process_is_lent_to_the_next_lane_and_a_dead_one_is_not(self, bureau):
        worker_pool.end_idle()
        send(bureau, "a.csv")
        bureau.take_in()
        (idle,) = worker_pool._idle
        send(bureau, "b.csv")
        bureau.take_in()
        assert worker_pool._idle == [idle]
        os.kill(idle.process.pid, signal.SIGKILL)
        idle.process.wait()
        send(bureau, "c.csv")
        assert bureau.take_in().by_status == {"taken_in": 1}
        assert worker_pool._idle != [idle]

    def test_lane_that_breaks_off_leaves_no_process_at_work(self, fragile):
        send(fragile, "a.csv", "hangs.csv")
        files = inbox.waiting(fragile.settings, fragile.source())
        with pytest.raises(ZeroDivisionError), readers(fragile.settings, files) as reading:
            for _ in reading.fetch_all(files, load_forms(fragile.settings), SourceContext("hospital")):
                processes = [worker.process for worker in reading._workers]
                raise ZeroDivisionError
        assert all(process.poll() is not None for process in processes)

    def test_processes_end_with_the_one_that_started_them(self, bureau, tmp_path):
        send(bureau, "a.csv")
        path = bureau.settings.inbox / "hospital" / "a.csv"
        code = f"""
            import os, sys
            from pathlib import Path
            from ingestion import worker_pool, workers
            from ingestion.forms_catalogue import load_forms
            from ingestion.reading import SourceContext, UnreadCards
            from warehouse.settings import get_settings
            workers.read_within_limits(
                Path({str(path)!r}),
                name="a.csv",
                catalogue=load_forms(),
                source=SourceContext(),
                settings=get_settings(),
            )
            print(worker_pool._idle[0].process.pid, flush=True)
            os.kill(os.getpid(), 9)
        """
        root = Path(workers.__file__).resolve().parent.parent
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        pid = int(done.stdout)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()
