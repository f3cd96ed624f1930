"""The bounds of a sheet are found before anything is held, wherever its far cells stand."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.findings import column_name
from ingestion.readers.limits import Limits
from ingestion.readers.sheet_scan import Scan, column_number, scan

HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = b"</sheetData></worksheet>"


def rows(cells: list[tuple[int, int]], cell: str = '<c r="{}"><v>1</v></c>') -> bytes:
    return (
        HEAD
        + b"".join(
            f'<row r="{row}">{cell.format(f"{column_name(column)}{row}")}</row>'.encode()
            for row, column in cells
        )
        + FOOT
    )


def scanned(xml: bytes) -> Scan:
    def pieces() -> Iterator[bytes]:
        stream = io.BytesIO(xml)
        yield from iter(lambda: stream.read(1 << 16), b"")

    return scan(pieces, name="f", limits=Limits.of())


@pytest.mark.parametrize(
    "far", [(1_048_576, 1), (100_001, 1), (60_000, 27), (60_000, 703), (60_000, 16_384), (1_048_576, 16_384)]
)
@pytest.mark.parametrize(
    "cell", ['<c r="{}"><v>1</v></c>', '<c s="1" r="{}"><v>1</v></c>', "<x:c r='{}'><x:v>1</x:v></x:c>"]
)
def test_a_far_cell_behind_many_near_ones_is_seen(far: tuple[int, int], cell: str) -> None:
    near = [(row, 1 + row % 20) for row in range(1, 30_000)]
    xml = rows(near).removesuffix(FOOT) + rows([far], cell).removeprefix(HEAD)
    if "x:" in cell:
        xml = xml.replace(
            b"<worksheet ", b'<worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        )
    found = scanned(xml)
    assert found.height >= far[0]
    assert found.width == max(far[1], 20)


def test_a_cell_that_names_another_row_than_its_own_is_seen() -> None:
    found = scanned(
        rows([(row, 1) for row in range(1, 9_000)]).replace(b'<c r="A8999">', b'<c r="A1048576">')
    )
    assert found.height >= 1_048_576


def test_cells_without_a_place_follow_one_another() -> None:
    found = scanned(HEAD + b"<row><c><v>1</v></c><c><v>2</v></c></row>" * 3 + FOOT)
    assert (found.height, found.width) == (3, 2)


def test_formula_errors_and_flags_are_seen() -> None:
    plain = scanned(rows([(1, 1), (2, 1)]))
    assert not plain.has_errors and not plain.has_flags
    assert scanned(rows([(1, 1)], '<c r="{}" t="e"><v>#N/A</v></c>')).has_errors
    assert scanned(rows([(1, 1)], '<c r="{}" t="b"><v>1</v></c>')).has_flags


@given(st.integers(1, 18_278))
def test_letters_of_columns_count(column: int) -> None:
    assert column_number(column_name(column)) == column
