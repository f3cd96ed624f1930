"""A cell, a row or a column that goes wrong ends in a finding: no number changes or vanishes in silence."""

from collections.abc import Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.errors import UnreadableFile, UnrecognisedFile
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.reading import read_file
from tests.unit.ingestion import layouts
from tests.unit.ingestion.conftest import write_grid

CODES = [
    *("organization_code", "report_month", "staff_technical", "doctors", "nurses", "beds_actual"),
    *("bed_days_open", "bed_days_occupied", "revenue_medical", "visits_total", "discharges"),
]
UNITS, MONTHS = ("LH-1", "LH-2"), ("2016-03", "2016-04")
Key = tuple[str, str, str]

_junk = st.one_of(
    st.sampled_from(
        [
            *(
                "合计",
                "填表人：",
                "总诊疗人次数",
                "2016-05",
                "2016-1x",
                "12*",
                "5%",
                "-",
                "#REF!",
                "甲",
                "单位：元",
            ),
            *("LH-3", "机构名称", "约三百", "1,2", "12²", "０", "　", "=1+1", "注：见附件"),
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    st.integers(-5, 10**6),
    st.none(),
)


def reports() -> list[dict[str, Any]]:
    """Four reports of which no two numbers are the same."""
    numbers = iter(range(1001, 2000))
    return [
        {"organization_code": unit, "report_month": month, **{code: next(numbers) for code in CODES[2:]}}
        for unit in UNITS
        for month in MONTHS
    ]


def values(path: Path, catalogue: Catalogue) -> tuple[dict[Key, float], bool]:
    """Numbers by unit, month and field, and whether anything was found."""
    try:
        readings = read_file(path, catalogue=catalogue)
    except (UnreadableFile, UnrecognisedFile) as error:
        assert error.findings
        return {}, True
    read: dict[Key, float] = {}
    told = False
    for reading in readings:
        told = told or bool(reading.findings)
        rows = reading.records.join(reading.reports, on="report_no")
        for row in rows.iter_rows(named=True):
            for code in CODES[2:]:
                if row.get(code) is not None:
                    read[row["subject_ref"], str(row["period_start"])[:7], code] = row[code]
    return read, told


def grid_of(form: Form, layout: str) -> layouts.Grid:
    if layout == "sheet":
        return layouts.sheet(form, reports()[0], CODES)
    grid: layouts.Grid = getattr(layouts, layout)(form, reports(), CODES)
    return grid


def expected(layout: str) -> dict[Key, float]:
    return {
        (report["organization_code"], report["report_month"], code): report[code]
        for report in (reports()[:1] if layout == "sheet" else reports())
        for code in CODES[2:]
    }


def holder(row: Sequence[object]) -> list[object]:
    """The row as a list that may be longer."""
    return [*row, *(None for _ in range(12 - len(row)))]


@pytest.mark.parametrize("layout", ["table", "transposed", "sheet", "long"])
@settings(
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_one_cell_typed_over_changes_nothing_else_in_silence(
    layout: str, data: st.DataObject, tmp_path: Path, catalogue: Catalogue
) -> None:
    grid = [holder(row) for row in grid_of(catalogue["hosp_monthly"], layout)]
    row = data.draw(st.integers(0, len(grid) - 1), label="row")
    column = data.draw(st.integers(0, len(grid[row]) - 1), label="column")
    before, junk = grid[row][column], data.draw(_junk, label="junk")
    grid[row][column] = junk
    read, told = values(write_grid(tmp_path / "f.csv", grid), catalogue)
    truth = expected(layout)
    for key, value in truth.items():
        if read.get(key) == value or told:
            continue
        # What was typed over is a number, a unit or a month: that one cell now says something else, and may.
        assert before == value or before in (*UNITS, *MONTHS) or str(before).endswith((*UNITS, *MONTHS)), (
            row,
            column,
            junk,
            key,
            read.get(key),
        )


@pytest.mark.parametrize("layout", ["table", "transposed", "sheet", "long"])
@settings(
    max_examples=25,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_rows_moved_repeated_or_blank_change_no_number(
    layout: str, data: st.DataObject, tmp_path: Path, catalogue: Catalogue
) -> None:
    grid = [holder(row) for row in grid_of(catalogue["hosp_monthly"], layout)]
    place = data.draw(st.integers(0, len(grid) - 1), label="row")
    kind = data.draw(st.sampled_from(["blank", "again", "swap"]), label="kind")
    if kind == "blank":
        grid.insert(place, [None] * 12)
    elif kind == "again":
        grid.insert(place, grid[place])
    elif place + 1 < len(grid):
        grid[place], grid[place + 1] = grid[place + 1], grid[place]
    read, told = values(write_grid(tmp_path / "f.csv", grid), catalogue)
    wrong = {key: (value, read.get(key)) for key, value in expected(layout).items() if read.get(key) != value}
    assert told or not wrong, (kind, place)


_cells = st.one_of(
    st.none(),
    st.integers(-2, 10**6),
    st.decimals(0, 10**6, places=2).map(float),
    st.sampled_from(
        ["合计", "小计", "12*", "-", "填表人：甲", "LH-1", "2016-03", "3.2 出院人数", "注：", "1,200", " 甲 "]
    ),
)


@settings(
    max_examples=30,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(rows=st.lists(st.lists(_cells, min_size=11, max_size=11), min_size=1, max_size=8))
def test_few_rows_are_read_as_many_are(
    rows: list[list[object]], tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = [catalogue["hosp_monthly"].by_code[code].name_zh for code in CODES]
    named = [
        [unit, month, *row[2:]]
        for row, (unit, month) in zip(rows, cycle(product(UNITS, MONTHS)), strict=False)
    ]
    path = write_grid(tmp_path / "f.csv", [["2016年3月医疗服务月报表"], header, *named, *rows])
    few = read_file(path, catalogue=catalogue)
    with monkeypatch.context() as patch:
        for module in ("content", "grids", "heads", "reading", "sections"):
            patch.setattr(f"ingestion.{module}.FEW", 0)
        many = read_file(path, catalogue=catalogue)
    assert [reading.reports.to_dicts() for reading in few] == [reading.reports.to_dicts() for reading in many]
    assert [reading.records.to_dicts() for reading in few] == [reading.records.to_dicts() for reading in many]
    assert [reading.findings for reading in few] == [reading.findings for reading in many]
