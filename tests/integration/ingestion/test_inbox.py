"""What lies in an inbox: files on the way, files with strange names, and years of old ones."""

import os
import stat
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from structlog.testing import capture_logs

from ingestion import inbox, intake, recording
from ingestion.inbox_files import LONGEST_NAME, FileChanged, opened, printable


def names(bureau) -> list[str]:
    return [file.name for file in inbox.waiting(bureau.settings, bureau.source())]


class TestOnTheWay:
    @pytest.mark.parametrize(
        "name",
        [
            "~$a.xlsx",
            ".a.csv",
            "a.csv.part",
            "a.PARTIAL",
            "a.tmp",
            "a.crdownload",
            "a.csv.filepart",
            ".x/a.csv",
        ],
    )
    def test_files_on_the_way_are_left(self, bureau, name):
        bureau.send_bytes(name, b"half")
        assert names(bureau) == []

    def test_file_that_vanishes_after_the_look_is_left_and_holds_up_no_other(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))
        files = inbox.waiting(bureau.settings, bureau.source())
        (bureau.settings.inbox / "hospital" / "a.csv").unlink()
        result = intake.take_in(bureau.settings, bureau.source(), files)
        assert [(file.name, file.status) for file in result.files] == [
            ("a.csv", "changing"),
            ("b.csv", "taken_in"),
        ]
        assert bureau.value("select count(*) from registry.arrival") == 1

    def test_file_that_grows_while_it_is_read_is_left(self, bureau):
        bureau.send("a.csv", bureau.row())
        (file,) = inbox.waiting(bureau.settings, bureau.source())
        path = bureau.settings.inbox / "hospital" / "a.csv"
        with pytest.raises(FileChanged, match="changed"), opened(file) as stream:
            stream.read()
            with path.open("ab") as more:
                more.write(b"more")

    def test_file_without_content_is_told_to_its_sender(self, bureau):
        bureau.send_bytes("a.csv", b"")
        assert bureau.take_in().by_status == {"unreadable": 1}
        assert bureau.value("select count(*) from registry.finding") == 1


class TestStrangeThings:
    def test_folder_that_may_not_be_read_holds_up_no_other_file(self, bureau, monkeypatch):
        bureau.send("shut/a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))
        scan = os.scandir

        def guarded(path):
            if str(path).endswith("shut"):
                raise PermissionError(path)
            return scan(path)

        monkeypatch.setattr(os, "scandir", guarded)
        assert names(bureau) == ["b.csv"]

    def test_file_that_may_not_be_read_fails_by_name_and_the_others_are_taken_in(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))
        files = inbox.waiting(bureau.settings, bureau.source())
        (bureau.settings.inbox / "hospital" / "a.csv").unlink()
        (bureau.settings.inbox / "hospital" / "a.csv").mkdir()
        with pytest.raises(intake.LaneFailed, match=r"a\.csv") as raised:
            intake.take_in(bureau.settings, bureau.source(), files)
        assert raised.value.result.by_status == {"failed": 1, "taken_in": 1}

    def test_link_out_of_the_inbox_is_passed_over_and_one_within_is_followed(self, bureau, tmp_path):
        bureau.send("a.csv", bureau.row())
        outside = tmp_path / "secret.csv"
        outside.write_text("secret")
        folder = bureau.settings.inbox / "hospital"
        (folder / "out.csv").symlink_to(outside)
        (folder / "in.csv").symlink_to(folder / "a.csv")
        (folder / "round").symlink_to(folder)
        (folder / "nowhere.csv").symlink_to(folder / "gone")
        assert sorted(names(bureau)) == ["a.csv", "in.csv"]

    def test_pipe_is_no_file(self, bureau):
        folder = bureau.settings.inbox / "hospital"
        folder.mkdir(parents=True)
        os.mkfifo(folder / "a.csv")
        assert stat.S_ISFIFO((folder / "a.csv").stat().st_mode)
        assert names(bureau) == []

    @pytest.mark.parametrize(
        "name",
        [
            "a\nb\x1b[31m.csv",
            "gb\udcb1\udca8.csv",
            "a\u202evsc.exe.csv",
            "/".join(["很长的文件夹名" * 10] * 12) + ".csv",
        ],
    )
    def test_names_that_cannot_be_shown_are_taken_in_under_one_that_can(self, bureau, name):
        bureau.send(name, bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))
        result = bureau.take_in()
        assert result.by_status == {"taken_in": 2}
        shown = bureau.value("select file_name from registry.arrival where file_name <> 'b.csv'")
        assert shown.isprintable()
        assert len(shown.encode()) <= LONGEST_NAME
        assert names(bureau) == []

    def test_names_that_look_alike_stay_two(self):
        assert printable("a\x01.csv") != printable("a\x02.csv")
        assert printable("月报.csv") == "月报.csv"


@pytest.fixture
def keeping(bureau, monkeypatch):
    """A bureau whose files stay in their inbox for ever."""
    monkeypatch.setattr(bureau, "settings", bureau.settings.model_copy(update={"inbox_done": "keep"}))
    return bureau


class TestNothingNew:
    def test_old_files_are_told_by_their_sums_and_not_by_name(self, keeping):
        for number in range(30):
            keeping.send(f"{number}.csv", keeping.row(visits=2000 + number))
        keeping.take_in()
        assert names(keeping) == []
        compared = []

        def watch(_connection, _cursor, _statement, parameters, _context, _many):
            if parameters and "names" in parameters:
                compared.append(parameters["names"])

        event.listen(Engine, "before_cursor_execute", watch)
        try:
            assert names(keeping) == []
            assert compared == []
            keeping.send("new.csv", keeping.row("T-2"))
            assert names(keeping) == ["new.csv"]
            assert [len(some) for some in compared] == [1]
        finally:
            event.remove(Engine, "before_cursor_execute", watch)

    def test_old_file_with_new_content_is_found_among_many(self, keeping):
        for number in range(30):
            keeping.send(f"{number}.csv", keeping.row(visits=2000 + number))
        keeping.take_in()
        assert names(keeping) == []
        keeping.send("7.csv", keeping.row(visits=2500))
        assert names(keeping) == ["7.csv"]
        keeping.take_in()
        assert names(keeping) == []

    def test_file_taken_out_of_the_inbox_and_put_back_is_still_known(self, keeping, tmp_path):
        keeping.send("a.csv", keeping.row())
        keeping.take_in()
        path = keeping.settings.inbox / "hospital" / "a.csv"
        path.rename(tmp_path / "a.csv")
        assert names(keeping) == []
        (tmp_path / "a.csv").rename(path)
        assert names(keeping) == []

    def test_without_what_was_seen_everything_is_compared_again(self, keeping):
        keeping.send("a.csv", keeping.row())
        keeping.take_in()
        assert names(keeping) == []
        with keeping.owner.begin() as connection:
            connection.exec_driver_sql("truncate registry.inbox_seen")
        assert names(keeping) == []


def lying(bureau) -> list[str]:
    """What a person sees in the inbox."""
    folder = bureau.settings.inbox / "hospital"
    return sorted(path.name for path in folder.rglob("*.csv") if ".taken" not in path.parts)


def moved(bureau) -> list[tuple[str, ...]]:
    """What was moved, without the day."""
    folder = bureau.settings.inbox / "hospital" / ".taken"
    return sorted(path.relative_to(folder).parts[1:] for path in folder.rglob("*.csv"))


class TestTakenOut:
    def test_files_that_were_taken_in_or_refused_leave_the_inbox(self, bureau):
        bureau.send("2015/a.csv", bureau.row())
        bureau.send_bytes("b.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        bureau.take_in()
        assert moved(bureau) == [("2015", "a.csv"), ("b.csv",)]
        assert lying(bureau) == []
        assert names(bureau) == []
        assert stat.S_IMODE((bureau.settings.inbox / "hospital" / ".taken").stat().st_mode) == 0o700

    def test_look_where_years_of_files_were_taken_in_meets_none_of_them(self, bureau, monkeypatch):
        for number in range(30):
            bureau.send(f"{number}.csv", bureau.row(visits=2000 + number))
        bureau.take_in()
        met = []
        scan = os.scandir

        def watched(path):
            with scan(path) as entries:
                met.extend(entry.name for entry in entries)
            return scan(path)

        monkeypatch.setattr(os, "scandir", watched)
        assert names(bureau) == []
        assert met == [".taken"]

    def test_file_that_failed_stays_and_the_others_leave(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        with monkeypatch.context() as patch:
            patch.setattr(recording, "copy_rows", lambda *_args: 1 / 0)
            with pytest.raises(intake.LaneFailed):
                bureau.take_in()
        assert lying(bureau) == ["a.csv"]
        bureau.take_in()
        assert lying(bureau) == []
        assert bureau.revisions() == [(1, "accepted")]

    def test_what_a_killed_night_left_behind_leaves_at_the_next_look(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        with monkeypatch.context() as patch:
            # The night dies between its commit and the first move.
            patch.setattr(intake, "taken", lambda *_args: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                bureau.take_in()
        assert lying(bureau) == ["a.csv"]
        assert names(bureau) == []
        assert moved(bureau) == [("a.csv",)]
        assert bureau.revisions() == [(1, "accepted")]

    def test_file_that_may_not_be_moved_stays_and_is_taken_in_once(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        bureau.send("b.csv", bureau.row("T-2"))

        def refused(*_args):
            raise PermissionError

        monkeypatch.setattr(Path, "rename", refused)
        with capture_logs() as logs:
            assert bureau.take_in().by_status == {"taken_in": 2}
        (told,) = [line for line in logs if "may not be moved" in line["event"]]
        assert (told["files"], told["error"], told["log_level"]) == (2, "PermissionError", "warning")
        assert lying(bureau) == ["a.csv", "b.csv"]
        assert bureau.take_in() == intake.IntakeResult()

    def test_content_that_came_while_the_file_was_taken_in_is_taken_in_too(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        rename = Path.rename

        def overtaken(path, target):
            if path.name == "a.csv" and ".taken" in target.parts:
                monkeypatch.setattr(Path, "rename", rename)
                bureau.send("a.csv", bureau.row(visits=2100))
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", overtaken)
        bureau.take_in()
        assert lying(bureau) == ["a.csv"]
        bureau.take_in()
        assert bureau.visits() == 2100
        assert lying(bureau) == []

    def test_file_sent_again_under_its_name_overwrites_nothing(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        bureau.send("a.csv", bureau.row(visits=2100))
        bureau.take_in()
        assert moved(bureau) == [("a.csv",), ("a~2.csv",)]

    def test_file_that_is_hardly_an_hour_old_stays_for_its_sender_may_still_write(self, bureau):
        bureau.send("a.csv", bureau.row())
        path = bureau.settings.inbox / "hospital" / "a.csv"
        moment = time.time() - 600
        os.utime(path, (moment, moment))
        bureau.take_in()
        assert lying(bureau) == ["a.csv"]
        with path.open("a") as late:
            late.write("\nT-2,2015-01,100,50,1550,1000,500,2000,1900,120\n")
        os.utime(path, (moment + 300, moment + 300))
        assert bureau.take_in().reports == {"unchanged": 1, "new": 1}

    def test_file_named_on_the_command_line_that_lies_elsewhere_is_not_moved(self, bureau, tmp_path):
        bureau.send("a.csv", bureau.row())
        inside = bureau.settings.inbox / "hospital" / "a.csv"
        path = tmp_path / "a.csv"
        inside.rename(path)
        round_about = inside.parent / os.path.relpath(path, inside.parent)
        intake.take_in(bureau.settings, bureau.source(), inbox.given([round_about]))
        assert path.exists()
        assert bureau.revisions() == [(1, "accepted")]
