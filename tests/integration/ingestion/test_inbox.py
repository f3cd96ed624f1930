"""What lies in an inbox: files on the way, files with strange names, and years of old ones."""

import os
import stat

import pytest
from sqlalchemy import Engine, event

from ingestion import inbox, intake
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


class TestNothingNew:
    def test_old_files_are_told_by_their_sums_and_not_by_name(self, bureau):
        for number in range(30):
            bureau.send(f"{number}.csv", bureau.row(visits=2000 + number))
        bureau.take_in()
        assert names(bureau) == []
        compared = []

        def watch(_connection, _cursor, _statement, parameters, _context, _many):
            if parameters and "names" in parameters:
                compared.append(parameters["names"])

        event.listen(Engine, "before_cursor_execute", watch)
        try:
            assert names(bureau) == []
            assert compared == []
            bureau.send("new.csv", bureau.row("T-2"))
            assert names(bureau) == ["new.csv"]
            assert [len(some) for some in compared] == [1]
        finally:
            event.remove(Engine, "before_cursor_execute", watch)

    def test_old_file_with_new_content_is_found_among_many(self, bureau):
        for number in range(30):
            bureau.send(f"{number}.csv", bureau.row(visits=2000 + number))
        bureau.take_in()
        assert names(bureau) == []
        bureau.send("7.csv", bureau.row(visits=2500))
        assert names(bureau) == ["7.csv"]
        bureau.take_in()
        assert names(bureau) == []

    def test_file_taken_out_of_the_inbox_and_put_back_is_still_known(self, bureau, tmp_path):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        path = bureau.settings.inbox / "hospital" / "a.csv"
        path.rename(tmp_path / "a.csv")
        assert names(bureau) == []
        (tmp_path / "a.csv").rename(path)
        assert names(bureau) == []

    def test_without_what_was_seen_everything_is_compared_again(self, bureau):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        assert names(bureau) == []
        with bureau.owner.begin() as connection:
            connection.exec_driver_sql("truncate registry.inbox_seen")
        assert names(bureau) == []


class TestArchive:
    def test_files_that_were_taken_in_move_out_and_the_others_stay(self, bureau, monkeypatch):
        own = bureau.settings.model_copy(update={"inbox_done": "archive"})
        monkeypatch.setattr(bureau, "settings", own)
        bureau.send("2015/a.csv", bureau.row())
        bureau.send_bytes("b.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
        bureau.take_in()
        folder = own.home / "inbox_archive" / "hospital"
        assert sorted(path.relative_to(folder).parts[1:] for path in folder.rglob("*.csv")) == [
            ("2015", "a.csv"),
            ("b.csv",),
        ]
        assert names(bureau) == []

    def test_what_a_killed_night_left_behind_moves_at_the_next_look(self, bureau, monkeypatch):
        bureau.send("a.csv", bureau.row())
        bureau.take_in()
        own = bureau.settings.model_copy(update={"inbox_done": "archive"})
        monkeypatch.setattr(bureau, "settings", own)
        assert names(bureau) == []
        assert not (own.inbox / "hospital" / "a.csv").exists()
        assert len(list((own.home / "inbox_archive").rglob("a.csv"))) == 1
