"""What a file may cost before it is refused: sizes, counts and time, from the settings."""

import time
from dataclasses import dataclass, field

from ingestion.readers.refusals import too_many, unpacks_too_far
from warehouse.settings import Settings, get_settings

SMALL = 64 << 20
"""Bytes below which no ratio of packed to unpacked size matters."""


@dataclass
class Spent:
    """What a file has cost so far, with all archives and workbooks inside it."""

    unpacked: int = 0
    cells: int = 0
    members: int = 0


@dataclass(frozen=True)
class Limits:
    """Bounds of one file, whatever lies in it; bytes, counts and seconds."""

    file_bytes: int
    unpacked_bytes: int
    ratio: int
    document_bytes: int
    members: int
    sheets: int
    rows: int
    columns: int
    cells: int
    seconds: float
    started: float = field(default_factory=time.monotonic)
    spent: Spent = field(default_factory=Spent)

    @classmethod
    def of(cls, settings: Settings | None = None) -> "Limits":
        """The limits that the settings give; the clock of the file starts now."""
        settings = settings or get_settings()
        return cls(
            file_bytes=settings.limit_file_bytes,
            unpacked_bytes=settings.limit_unpacked_bytes,
            ratio=settings.limit_ratio,
            document_bytes=settings.limit_document_bytes,
            members=settings.limit_members,
            sheets=settings.limit_sheets,
            rows=settings.limit_rows,
            columns=settings.limit_columns,
            cells=settings.limit_cells,
            seconds=settings.limit_seconds,
        )

    def spend(self, name: str, *, unpacked: int = 0, members: int = 0) -> None:
        """Count what is unpacked; raises :class:`FileTooLarge` when the file costs more than it may."""
        self.spent.unpacked += unpacked
        self.spent.members += members
        if self.spent.unpacked > self.unpacked_bytes:
            raise unpacks_too_far(name, self.unpacked_bytes)
        if self.spent.members > self.members:
            raise too_many(name, "内含文件数", "members", self.members)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be unpacked or read of this file."""
        spent = self.spent
        return spent.unpacked > self.unpacked_bytes or spent.members > self.members or self.overdue

    @property
    def overdue(self) -> bool:
        """Whether the file has taken longer than it may."""
        return time.monotonic() - self.started > self.seconds
