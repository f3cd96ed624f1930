"""Which files are kept and recognised in the process that records them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion import inbox
from ingestion.cards import text
from ingestion.forms_catalogue import load_forms
from ingestion.inbox_files import WaitingFile

CARDS = """卡片编号,报卡类别,姓名,性别,诊断日期,疾病名称,填卡日期
N1,初次报告,构造人,男,2015-01-05 08:30,手足口病,2015-01-05
"""
COUNTS = "机构编码,统计年月,总诊疗人次数,门急诊人次数\nT-1,2015-01,10,5\n"


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WaitingFile]:
    monkeypatch.setattr(text, "LARGE", 64)

    def write(content: bytes, name: str = "cards.csv") -> WaitingFile:
        (tmp_path / name).write_bytes(content)
        return inbox.given([tmp_path / name])[0]

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_of_cards_is_in_any_encoding(waiting, encoding, delimiter):
    content = CARDS.replace(",", delimiter).encode(encoding)
    assert text.is_text_of_cards(waiting(content), load_forms())


@pytest.mark.parametrize(
    "content",
    [
        COUNTS.encode(),
        b"PK\x03\x04" + CARDS.encode(),
        b"%PDF" + CARDS.encode(),
        (CARDS.splitlines()[0] + "," * 400 + "\n").encode(),
        b"\xff" + CARDS.encode(),
        b'"' + b"x" * 200_000,
        b"\n" * 100,
    ],
    ids=["counts", "package", "pdf", "wide", "neither encoding", "open quote", "blank"],
)
def test_anything_else_is_left_to_a_process_of_its_own(waiting, content):
    assert not text.is_text_of_cards(waiting(content), load_forms())


def test_a_small_file_a_remote_one_and_one_that_is_gone_are_left_too(waiting, monkeypatch):
    file = waiting(CARDS.encode())
    Path(file.url).unlink()
    assert not text.is_text_of_cards(file, load_forms())
    file = waiting(CARDS.encode())
    monkeypatch.setattr(text, "LARGE", file.size + 1)
    assert not text.is_text_of_cards(file, load_forms())
    remote = WaitingFile(file.name, f"sftp://bureau{file.url}", 1 << 30, file.modified)
    assert not text.is_text_of_cards(remote, load_forms())
