"""A unit may change the layout of its files: the registry knows its reports and the place of every cell."""

import openpyxl
import pytest

from ingestion.forms_catalogue import load_forms
from tests.unit.ingestion import layouts

CODES = ["organization_code", "report_month", "staff_technical", "beds_actual", "bed_days_open"]
CODES += ["bed_days_occupied", "revenue_medical", "visits_total", "visits_outpatient_emergency", "discharges"]
CELL = """
select w.source_sheet, registry.cell_name(
    coalesce(w.source_row + p.source_row, w.source_row, p.source_row),
    coalesce(w.source_column + p.source_column, w.source_column, p.source_column))
from raw.hosp_monthly w
join registry.report r on r.current_revision_id = w.revision_id
join registry.revision v on v.revision_id = w.revision_id
left join registry.field_position p
    on p.arrival_id = v.arrival_id and p.sheet = w.source_sheet and p.field_code = :field
where r.subject_code = :unit
"""


def reports() -> list[dict[str, object]]:
    numbers = dict(zip(CODES[2:], (100, 50, 1550, 1000, 500, 2000, 1900, 120), strict=True))
    return [
        {"organization_code": unit, "report_month": "2015-01", **numbers, "visits_total": visits}
        for unit, visits in (("T-1", 2001), ("T-2", 2002))
    ]


def grids(layout: str) -> dict[str, layouts.Grid]:
    """Sheets of a workbook in a layout."""
    form = load_forms()["hosp_monthly"]
    if layout == "sheet":
        return {f"第{n}家": layouts.sheet(form, report, CODES) for n, report in enumerate(reports(), start=1)}
    grid: layouts.Grid = getattr(layouts, layout)(form, reports(), CODES)
    return {"月报": grid}


@pytest.mark.parametrize("layout", ["table", "transposed", "sheet", "long"])
def test_every_cell_is_named_and_the_same_figures_in_a_table_are_no_news(bureau, tmp_path, layout):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, grid in grids(layout).items():
        page = book.create_sheet(name)
        for row in grid:
            page.append(row)
    book.save(tmp_path / "a.xlsx")
    bureau.send_bytes("a.xlsx", (tmp_path / "a.xlsx").read_bytes())
    (result,) = bureau.take_in().files
    assert (result.status, dict(result.reports)) == ("taken_in", {"new": 2})
    for unit, visits in (("T-1", 2001), ("T-2", 2002)):
        ((sheet, cell),) = bureau.rows(CELL, field="visits_total", unit=unit)
        assert book[sheet][cell].value == visits
    lines = [",".join(str(value or "") for value in row) for row in grids("table")["月报"]]
    bureau.send_bytes("b.csv", "\n".join(lines).encode("gb18030"))
    (result,) = bureau.take_in().files
    assert (result.status, dict(result.reports)) == ("duplicate", {"unchanged": 2})
