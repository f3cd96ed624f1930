import hashlib
import io

import pytest

from ingestion import store


def test_file_is_kept_under_its_hash_and_cannot_be_written(settings):
    kept = store.keep(settings, io.BytesIO(b"numbers"))
    path = store.locate(settings, kept.stored_path)
    assert kept.sha256 == hashlib.sha256(b"numbers").hexdigest()
    assert path.read_bytes() == b"numbers"
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.parent.name == kept.sha256[:2]


def test_same_bytes_are_kept_once(settings):
    first = store.keep(settings, io.BytesIO(b"numbers"))
    inode = store.locate(settings, first.stored_path).stat().st_ino
    assert store.keep(settings, io.BytesIO(b"numbers")) == first
    assert store.locate(settings, first.stored_path).stat().st_ino == inode


def test_interrupted_copy_leaves_nothing_under_a_final_name(settings):
    class Torn(io.BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise OSError("line dropped")
            return super().read(4)

    with pytest.raises(OSError, match="line dropped"):
        store.keep(settings, Torn(b"numbers"))
    assert [path for path in settings.file_store.rglob("*") if path.is_file()] == []


def test_missing_file_says_what_to_restore(settings):
    with pytest.raises(store.StoreError, match="backup"):
        store.locate(settings, "ab/cd/abcd")
