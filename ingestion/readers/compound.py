"""Compound files (OLE2): the container of old .xls workbooks and of encrypted new ones, checked for loops."""

import struct
from functools import cached_property

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FREE = 0xFFFFFFFA
"""Sector numbers from here on end a chain or mark no sector."""
_ENTRY = 128
_HEADER = 512
_STREAM, _ROOT = 2, 5


class BrokenContainer(ValueError):
    """A chain of sectors loops or leaves the file, or the header makes no sense."""


class CompoundFile:
    """The streams of a compound file; raises :class:`BrokenContainer`."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER or data[:8] != MAGIC:
            raise BrokenContainer
        self._data = data
        shift, mini_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise BrokenContainer
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        self._first_directory = self._word(48)
        self._cutoff, self._first_mini_table = self._word(56), self._word(60)
        self._table = self._sector_table()

    @cached_property
    def streams(self) -> dict[str, tuple[int, int]]:
        """First sector and size of each stream by its name; the root entry is left out."""
        return {name: place for name, kind, place in self._entries if kind == _STREAM}

    def read(self, name: str) -> bytes:
        """A stream as a whole."""
        first, size = self.streams[name]
        if size < self._cutoff:
            _, (root, root_size) = next((kind, place) for _, kind, place in self._entries if kind == _ROOT)
            pool = self._chain(root, self._table, self._size, self._data, base=self._size)[:root_size]
            table = self._words(
                self._chain(self._first_mini_table, self._table, self._size, self._data, self._size)
            )
            content = self._chain(first, table, self._mini_size, pool, base=0)
        else:
            content = self._chain(first, self._table, self._size, self._data, base=self._size)
        if len(content) < size:
            raise BrokenContainer
        return content[:size]

    @cached_property
    def _entries(self) -> list[tuple[str, int, tuple[int, int]]]:
        directory = self._chain(self._first_directory, self._table, self._size, self._data, base=self._size)
        entries = []
        for place in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            length, kind = struct.unpack_from("<HB", directory, place + 64)
            if kind and length <= 64:
                name = directory[place : place + max(length - 2, 0)].decode("utf-16-le", errors="replace")
                first, size = struct.unpack_from("<LL", directory, place + 116)
                entries.append((name, kind, (first, size)))
        return entries

    def _sector_table(self) -> list[int]:
        """Which sector follows which."""
        sectors = list(struct.unpack_from("<109L", self._data, 76))
        following, most = self._word(68), len(self._data) // self._size
        seen = 0
        while following < _FREE:
            seen += 1
            words = self._words(self._sector(following))
            sectors += words[:-1]
            following = words[-1]
            if seen > most:
                raise BrokenContainer
        used = [sector for sector in sectors if sector < _FREE]
        if len(used) > most:
            raise BrokenContainer
        return [word for sector in used for word in self._words(self._sector(sector))]

    def _chain(self, first: int, table: list[int], size: int, data: bytes, base: int) -> bytes:
        parts: list[bytes] = []
        sector = first
        while sector < _FREE:
            place = base + sector * size
            if sector >= len(table) or place >= len(data) or len(parts) * size > len(data):
                raise BrokenContainer
            parts.append(data[place : place + size])
            sector = table[sector]
        return b"".join(parts)

    def _sector(self, number: int) -> bytes:
        place = self._size + number * self._size
        if place + self._size > len(self._data):
            raise BrokenContainer
        return self._data[place : place + self._size]

    @staticmethod
    def _words(data: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4]))

    def _word(self, place: int) -> int:
        (word,) = struct.unpack_from("<L", self._data, place)
        return int(word)
