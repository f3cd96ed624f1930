"""Cells, rows and headings of real files that go wrong: read as what they say now, or told by their cell, and no other.

Each file is cut to its first rows, for the files are large and every example reads one anew.
"""

import csv
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.errors import FileError
from ingestion.findings import Finding, cell_name
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.readers import read_tables
from ingestion.reading import SourceContext, read_file
from tests.unit.ingestion.conftest import write_grid
from warehouse.settings import get_settings

SITE_FORMS = Path(__file__).resolve().parents[2] / "e2e" / "site_forms"
ROWS = 24
FILES = ("kenya", "provinces", "nhs", "bulletin")

NUMBERS = {"1,234": 1234, "１２３４": 1234, " 56 ": 56, "7.0": 7, "0": 0, "０": 0}
NOTHING = ("", "-", "—", "…", "/", "无")
UNREADABLE = ("约三百", "12.5.1", "#REF!", "甲乙", "1e999", "12或13", "同上", "=B2+C2", "见附表")
JUNK = (*UNREADABLE, "注：见附件", "2017-13", "填表人：", "999999")

CAREFUL = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)

Grid = list[list[object]]
Key = tuple[object, ...]
Values = dict[Key, list[float]]


@dataclass
class RealFile:
    """Cells of a real file, and how such a file is written and read."""

    name: str
    grid: Grid = field(repr=False)
    catalogue: Catalogue = field(repr=False)
    merges: Sequence[str] = ()
    source: SourceContext = field(default_factory=SourceContext)

    def read(self, grid: Grid, folder: Path) -> tuple[Values, list[Finding]]:
        """Numbers by subject, period, members and field, and what was found."""
        path = folder / self.name
        if path.suffix == ".csv":
            write_grid(path, grid)
        else:
            book = openpyxl.Workbook()
            for row in grid:
                book.active.append([None if value == "" else value for value in row])
            for merge in self.merges:
                book.active.merge_cells(merge)
            book.save(path)
        try:
            readings = read_file(path, name=self.name, catalogue=self.catalogue, source=self.source)
        except FileError as error:
            return {}, error.findings
        values: Values = {}
        for reading in readings:
            members = [item.code for item in reading.form.breakdowns]
            rows = reading.records.join(reading.reports, on="report_no")
            for row in rows.iter_rows(named=True):
                whose = (row["subject_ref"], row["period_start"], *(row[code] for code in members))
                for item in reading.form.measures:
                    if row[item.code] is not None:
                        values.setdefault((*whose, item.code), []).append(row[item.code])
        return values, [one for reading in readings for one in reading.findings]

    def with_cell(self, row: int, column: int, value: object) -> Grid:
        """The grid with one cell typed over."""
        return [
            [value if (y, x) == (row, column) else cell for x, cell in enumerate(cells)]
            for y, cells in enumerate(self.grid)
        ]


@pytest.fixture(scope="module")
def real_files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RealFile]:
    """The first rows of each real file."""
    return {
        "kenya": _kenya(shared_data / "kenya" / "kenya.xlsx"),
        "provinces": _provinces(shared_data / "cnids_2017_xls.tar.gz", tmp_path_factory.mktemp("provinces")),
        "nhs": _nhs(shared_data / "nhs_ae" / "ae_attendances_2016-04_2018-03.csv"),
        "bulletin": _bulletin(shared_data / "stone_zeng_cnid"),
    }


def _forms(folder: str) -> Catalogue:
    return load_forms(get_settings().model_copy(update={"forms": (SITE_FORMS / folder,)}))


def _kenya(path: Path) -> RealFile:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = book["Service_data_1"].iter_rows(max_row=ROWS, values_only=True)
    grid = [["" if value is None else value for value in row] for row in rows]
    return RealFile("kenya.xlsx", grid, _forms("kenya"))


def _provinces(archive: Path, folder: Path) -> RealFile:
    with tarfile.open(archive) as files:
        member = files.getmember("cnids_2017/2017 April 10.xls")
        content = files.extractfile(member)
        assert content
        path = folder / Path(member.name).name
        path.write_bytes(content.read())
    (table,) = read_tables(path)
    grid: Grid = [["" if cell is None else cell for cell in row] for row in table.rows_below(0).rows()]
    merges = [
        f"{cell_name(top + 1, left + 1)}:{cell_name(bottom + 1, right + 1)}"
        for (top, left), (bottom, right) in table.merges
        if bottom < 4
    ]
    return RealFile(path.name, grid, _forms("cnids"), merges, SourceContext("cnids", "000000"))


def _nhs(path: Path) -> RealFile:
    with path.open(encoding="utf-8") as lines:
        grid: Grid = [list(row) for row in islice(csv.reader(lines), ROWS)]
    return RealFile(path.name, grid, _forms("nhs"))


def _bulletin(folder: Path) -> RealFile:
    path = sorted(one for one in folder.iterdir() if one.is_dir())[-1] / "monthly-cases.csv"
    with path.open(encoding="utf-8") as lines:
        grid: Grid = [list(row) for row in islice(csv.reader(lines), ROWS)]
    return RealFile(path.name, grid, load_forms(), source=SourceContext("cdc", "000000"))


def _told(findings: Sequence[Finding], before: Sequence[Finding]) -> list[Finding]:
    """What is found now and was not before."""
    return [one for one in findings if one not in before]


def _names(found: Sequence[Finding], row: int, column: int) -> bool:
    return any(one.cell == cell_name(row + 1, column + 1) for one in found)


def _different(one: Values, other: Values) -> list[tuple[Key, list[float], list[float]]]:
    """A few of the keys under which two readings say different things."""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return [(key, one.get(key, []), other.get(key, [])) for key in keys[:5]]


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) or bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?(e-?[0-9]+)?", str(cell)))


def _cells(file: RealFile, *, numbers: bool) -> list[tuple[int, int]]:
    return [
        (y, x)
        for y, row in enumerate(file.grid)
        for x, cell in enumerate(row)
        if cell != "" and _is_number(cell) == numbers
    ]


@pytest.mark.parametrize("name", FILES)
@CAREFUL
@given(data=st.data())
def test_a_number_typed_over_is_read_as_it_is_now_or_told_by_its_cell(
    name: str, data: st.DataObject, real_files: dict[str, RealFile], tmp_path: Path
) -> None:
    file = real_files[name]
    values, found = file.read(file.grid, tmp_path)
    row, column = data.draw(st.sampled_from(_cells(file, numbers=True)), label="cell")
    junk = data.draw(st.sampled_from([*NUMBERS, *NOTHING, *UNREADABLE]), label="junk")
    marked, told = file.read(file.with_cell(row, column, 7_654_321), tmp_path)
    key = next((key for key, numbers in marked.items() if 7_654_321 in numbers), None)
    if key is None:
        assert _told(told, found), "a number that stands for nothing"
        return
    now, told = file.read(file.with_cell(row, column, junk), tmp_path)
    mine = now.pop(key, [])
    assert not _different(now, {one: numbers for one, numbers in values.items() if one != key})
    if junk in NUMBERS:
        assert mine == [NUMBERS[junk]]
    elif junk in UNREADABLE:
        assert not mine
        assert _names(_told(told, found), row, column)


@pytest.mark.parametrize("name", FILES)
@CAREFUL
@given(data=st.data())
def test_a_label_or_name_typed_over_changes_no_number_in_silence(
    name: str, data: st.DataObject, real_files: dict[str, RealFile], tmp_path: Path
) -> None:
    file = real_files[name]
    values, found = file.read(file.grid, tmp_path)
    row, column = data.draw(st.sampled_from(_cells(file, numbers=False)), label="cell")
    junk = data.draw(st.sampled_from(["", *JUNK]), label="junk")
    now, told = file.read(file.with_cell(row, column, junk), tmp_path)
    same = sorted(chain.from_iterable(now.values())) == sorted(chain.from_iterable(values.values()))
    assert same or _told(told, found), (row, column, file.grid[row][column])


@pytest.mark.parametrize("name", FILES)
@CAREFUL
@given(data=st.data())
def test_rows_moved_repeated_blank_or_lost_change_no_other(
    name: str, data: st.DataObject, real_files: dict[str, RealFile], tmp_path: Path
) -> None:
    file = real_files[name]
    values, found = file.read(file.grid, tmp_path)
    grid = [list(row) for row in file.grid]
    place = data.draw(st.integers(0, len(grid) - 2), label="row")
    kind = data.draw(st.sampled_from(["blank", "again", "swap", "last", "lost"]), label="kind")
    if kind == "blank":
        grid.insert(place, [""] * len(grid[place]))
    elif kind == "again":
        grid.insert(place, grid[place])
    elif kind == "swap":
        grid[place], grid[place + 1] = grid[place + 1], grid[place]
    else:
        row = grid.pop(place)
        grid += [row] if kind == "last" else []
    now, told = file.read(grid, tmp_path)
    if _told(told, found):
        return
    if kind == "lost":
        assert not _different(now, {key: values.get(key, []) for key in now})
        assert len(values) - len(now) <= len(file.grid[place])
    else:
        assert not _different(now, values)
