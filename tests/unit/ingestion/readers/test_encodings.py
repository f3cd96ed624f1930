"""The encoding of delimited text, wherever the pieces that it is looked at in are cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.readers import delimited

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
