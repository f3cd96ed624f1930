"""The encoding of delimited text, wherever the pieces that it is looked at in are cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import UnreadableFile
from ingestion.readers import delimited
from ingestion.readers.utf16 import utf16_of

CHARACTERS = st.sampled_from(["a", ",", "\n", "é", "中", "😀"])
BROKEN = st.sampled_from(
    [b"\x80", b"\xbf", b"\xc0\x80", b"\xe4\xb8", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xf5", b"\xff"]
)


@pytest.fixture(params=[1, 2, 3, 5, 64])
def chunk(request, monkeypatch):
    monkeypatch.setattr(delimited, "CHUNK", request.param)


def decodes(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.usefixtures("chunk")
class TestUtf8:
    @settings(max_examples=40)
    @given(pieces=st.lists(st.one_of(CHARACTERS.map(str.encode), BROKEN), max_size=12))
    def test_is_what_python_decodes(self, pieces):
        content = b"".join(pieces)
        assert delimited._is_utf8(delimited.Blob("x", data=content)) == decodes(content)

    def test_needs_its_last_character_whole(self):
        whole = "a,中".encode()
        told = [delimited._is_utf8(delimited.Blob("x", data=whole[:end])) for end in range(len(whole) + 1)]
        assert told == [True, True, True, False, False, True]


class TestUtf16WithoutAMark:
    TEXT = "机构编码,统计年月,总诊疗人次数\r\nT-1,2015-03,20000\r\n一二三〇,,\r\n"

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("cut", [0, 1, 2, 3])
    def test_is_told_by_its_zeros_wherever_it_is_cut(self, encoding, cut):
        content = (self.TEXT * 50).encode(encoding)
        assert utf16_of(content[: len(content) - cut]) == encoding

    @pytest.mark.parametrize(
        "content",
        [
            TEXT.encode(),
            TEXT.encode("gb18030"),
            TEXT.encode("gb18030") + b"\0" * 50,
            TEXT.replace("20000", "20\0000").encode(),
            b"a,b\n\x00\x01\x02,3\n",
            bytes(range(256)) * 4,
            b"\0\1" * 100,
            b"",
            b"\0",
        ],
    )
    def test_is_nothing_else(self, content):
        assert utf16_of(content) is None


class TestTwoEncodings:
    HEAD, ROW = "机构名称,机构编码,总诊疗人次数", "构造第一人民医院,T-1,20000"

    @pytest.mark.parametrize(
        ("lines", "rare", "usual"),
        [
            ([(HEAD, "utf-8"), (ROW, "gb18030"), (ROW, "gb18030")], "第1行是 UTF-8", "第2行是 GB18030"),
            ([(HEAD, "utf-8"), (ROW, "utf-8"), (ROW, "gb18030")], "第3行是 GB18030", "第1行是 UTF-8"),
            (
                [("a,b", "utf-8"), (HEAD, "gb18030"), *[(ROW, "gb18030")] * 90000, (ROW, "utf-8")],
                "第90003行是 UTF-8",
                "第2行是 GB18030",
            ),
        ],
    )
    def test_the_first_row_of_each_is_named(self, lines, rare, usual):
        content = b"".join(f"{text}\n".encode(encoding) for text, encoding in lines)
        with pytest.raises(UnreadableFile) as refused:
            delimited.read_delimited(content, "月报.csv")
        assert f"（{rare}，{usual}）" in refused.value.message_zh

    def test_a_row_may_hold_both(self):
        content = f"a,b\n{self.ROW},".encode("gb18030") + f"{self.ROW}\n".encode()
        with pytest.raises(UnreadableFile) as refused:
            delimited.read_delimited(content, "月报.csv")
        assert "第2行两种都有" in refused.value.message_zh
