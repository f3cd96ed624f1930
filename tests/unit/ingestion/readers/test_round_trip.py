"""A table written in any format reads back as the same text in the same cells."""

import datetime as dt
import io
import math
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.readers import read_tables
from ingestion.readers.cells import cell_text
from ingestion.readers.table import Table, number_text
from tests.unit.ingestion.readers.writers import FORMATS, Rows, delimited, xlsx_inline, zipped

_words = st.text(
    st.one_of(
        st.characters(codec="gb18030", categories=("L", "N", "P", "S"), max_codepoint=0x9FFF),
        st.sampled_from("机构名称发病数０９％ABab01.-/<>&\"'，；"),
    ),
    min_size=1,
    max_size=6,
).map(lambda text: f"t{text}")
_numbers = st.one_of(
    st.integers(-(10**14), 10**14),
    st.floats(-1e12, 1e12, allow_nan=False).map(lambda value: float(format(value, ".12g"))),
)
_days = st.dates(dt.date(1901, 1, 1), dt.date(2099, 12, 31))
_values = st.one_of(
    st.none(),
    _words,
    _numbers,
    st.sampled_from(["0012", "1,234", "-", "440507199001011234"]),
    _days,
    st.builds(dt.datetime.combine, _days, st.times().map(lambda at: at.replace(microsecond=0))),
)


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """A row of different names over rows of any values, the last row and column not blank."""
    width = draw(st.integers(2, 5))
    names = draw(st.lists(_words, min_size=width, max_size=width, unique=True))
    body = draw(st.lists(st.lists(_values, min_size=width, max_size=width), min_size=1, max_size=4))
    return [names, *body, [*draw(st.lists(_numbers, min_size=width, max_size=width))]]


def texts(table: Table) -> list[list[str | None]]:
    """All cells as text."""
    columns = [
        [None if value is None else number_text(value) for value in column]
        if column.dtype == pl.Float64
        else column.to_list()
        for column in table.rows_below(0)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("file_format", FORMATS)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(rows=tables())
def test_every_format_reads_back_equal(file_format: str, rows: Rows, tmp_path: Path) -> None:
    path = tmp_path / "file.dat"
    path.write_bytes(FORMATS[file_format](rows))
    (table,) = read_tables(path)
    expected = [[cell_text(value) for value in row] for row in rows]
    assert texts(table) == expected
    assert table.head == [[(text or "").strip() for text in row] for row in expected]
    assert sum(batch.height for batch in table.batches(1, 2)) == len(rows) - 1


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(rows=tables(), first=st.integers(0, 3), flags=st.booleans())
def test_a_large_sheet_reads_like_a_small_one(
    rows: Rows, first: int, flags: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = [
        *rows[:3],
        *([value if not flags or j else True for j, value in enumerate(rows[-1])] for _ in range(60)),
    ]
    path = tmp_path / "large.xlsx"
    path.write_bytes(xlsx_inline(wide))
    (small,) = read_tables(path)
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.readers.workbook.LARGE", 1)
        (large,) = read_tables(path)
    assert large.head == small.head
    ours, theirs = (t.rows_below(first) for t in (large, small))
    assert [_shown(column) for column in ours] == [_shown(column) for column in theirs]


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sheets are large, and read in three pieces."""
    for name, value in {
        "packages.PIECE": 1 << 10,
        "workbook.LARGE": 1,
        "sheet_scan._FIRST_PART": 1 << 10,
        "sheet_scan._PART": 1 << 10,
        "sheet_columns._PIECE": 1 << 12,
        "sheet_columns._CORES": 3,
    }.items():
        monkeypatch.setattr(f"ingestion.readers.{name}", value)


_runs = st.lists(
    st.tuples(st.integers(1, 40), st.lists(_values, min_size=4, max_size=4)), min_size=2, max_size=6
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(runs=_runs, first=st.integers(0, 3))
def test_a_sheet_read_in_pieces_reads_like_a_small_one(
    runs: list[tuple[int, list[object]]],
    first: int,
    tmp_path: Path,
    in_pieces: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Columns may change their kind, begin and end anywhere, and whole stretches of rows may be blank."""
    rows = [["甲", "乙", "丙", "丁"], *([1, 2, 3, 4] for _ in range(45))]
    rows += [list(row) for length, row in runs for _ in range(length)]
    path = tmp_path / "large.xlsx"
    path.write_bytes(xlsx_inline([*rows, [5, 6, 7, 8]]))
    (large,) = read_tables(path)
    ours = large.rows_below(first)
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.readers.workbook.LARGE", 1 << 20)
        (small,) = read_tables(path)
    assert [_shown(column) for column in ours] == [_shown(column) for column in small.rows_below(first)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("</sheetData>", '<row r="400" ht="9"/></sheetData>', id="rows of formats below"),
        pytest.param('<row r="70">', '<!-- <row r="70"> --><row r="70">', id="a remark"),
        pytest.param('r="A150"', 'r="A20"', id="a cell of another row"),
        pytest.param(
            "</sheetData>",
            '</sheetData><sheetData><row r="300"><c r="A300"><v>9</v></c></row></sheetData>',
            id="twice",
        ),
        pytest.param("<v>7</v>", "<v>1e2</v>", id="a number written otherwise"),
    ],
)
def test_a_sheet_that_cannot_be_cut_is_read_whole(
    old: str, new: str, tmp_path: Path, in_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.xlsx"
    with zipfile.ZipFile(io.BytesIO(xlsx_inline([[number, "文字", 7] for number in range(200)]))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (sheet,) = [name for name in members if name.startswith("xl/worksheets/sheet")]
    assert old.encode() in members[sheet]
    path.write_bytes(zipped({**members, sheet: members[sheet].replace(old.encode(), new.encode(), 1)}))
    (large,) = read_tables(path)
    ours = large.rows_below(0)
    with monkeypatch.context() as patch:
        patch.setattr("ingestion.readers.workbook.LARGE", 1 << 20)
        (small,) = read_tables(path)
    assert [_shown(column) for column in ours] == [_shown(column) for column in small.rows_below(0)]


def _shown(column: pl.Series) -> list[str | None]:
    if column.dtype == pl.Float64:
        return [None if value is None else number_text(value) for value in column]
    return [None if value is None else _as_number(value) for value in column]


def _as_number(text: str) -> str:
    """Text of a number in the way that numbers are written, whichever digits a library shows."""
    try:
        return number_text(float(text)) if math.isfinite(float(text)) and "_" not in text else text
    except ValueError:
        return text


def test_numbers_flags_and_days_are_written_as_a_clerk_would(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(
        delimited("utf-8")(
            [[True, 0.1 + 0.2, 5.0, dt.date(2015, 3, 1), dt.datetime.fromisoformat("2015-03-01 08:30")]]
        )
    )
    (table,) = read_tables(path)
    assert table.head == [["TRUE", "0.3", "5", "2015-03-01", "2015-03-01 08:30:00"]]
