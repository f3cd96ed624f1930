"""The bytes of a file, on disk or in memory, under the name that its sender gave it."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Blob:
    """A file as it lies on disk, or a member of an archive: in memory, or a large one in a file without a name.

    ``keeper`` is what must live as long as ``path`` is read, such as the temporary file behind it.
    """

    name: str
    path: Path | None = None
    data: bytes | None = None
    keeper: object = None

    @property
    def size(self) -> int:
        """Bytes."""
        if self.data is not None:
            return len(self.data)
        return self.on_disk.stat().st_size

    @property
    def on_disk(self) -> Path:
        """Its path; only of a file that lies on disk."""
        if self.path is None:
            raise ValueError("these bytes lie in memory")
        return self.path

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        return io.BytesIO(self.data) if self.data is not None else self.on_disk.open("rb")

    def head(self, size: int) -> bytes:
        """The first bytes."""
        if self.data is not None:
            return self.data[:size]
        with self.open() as stream:
            return stream.read(size)

    def read(self) -> bytes:
        """All bytes."""
        return self.data if self.data is not None else self.on_disk.read_bytes()
