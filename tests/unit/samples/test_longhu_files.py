"""The files of the Longhu sample, read back with no help from the intake."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from openpyxl import load_workbook

from ingestion.site import load_site
from samples import labels
from samples.longhu import (
    AMENDED_VISITS,
    AMENDMENT,
    BROKEN,
    EXPECTED,
    LATE,
    RESENT,
    diseases,
    maternal,
    write,
)
from samples.longhu.units import INSTITUTIONS, Group
from warehouse.settings import Settings

Record = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("longhu")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def inbox(home: Path) -> Path:
    return home / "inbox"


def sheets(path: Path) -> Iterator[list[list[Any]]]:
    """Rows of every sheet; CSV as whichever of the three encodings it is."""
    if path.suffix == ".xlsx":
        for sheet in load_workbook(path).worksheets:
            yield [list(row) for row in sheet.iter_rows(values_only=True)]
        return
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")
    yield list(csv.reader(io.StringIO(text)))


def records(path: Path, form: str) -> list[Record]:
    """Records of a units x fields table, by field code; lines of totals and notes left out."""
    codes = {field.labels[0].rpartition(" > ")[2]: code for code, field in labels.columns(form).items()}
    found = []
    for rows in sheets(path):
        top = next(i for i, row in enumerate(rows) if "机构名称" in row)
        title = " ".join(str(cell) for row in rows[:top] for cell in row if cell)
        second = rows[top + 1]
        two_rows = second[0] in (None, "") and "合计" not in second
        header = (
            [below or above for above, below in zip(rows[top], second, strict=True)]
            if two_rows
            else rows[top]
        )
        for row in rows[top + (2 if two_rows else 1) :]:
            record = {
                codes[label]: value
                for label, value in zip(header, row, strict=True)
                if value not in (None, "")
            }
            if len(record) > 1 and record["org_name"] != "合计":
                found.append(record | {"title": title})
    return found


def unit_of(record: Record) -> str:
    (code,) = {
        unit.code
        for unit in INSTITUTIONS
        if record.get("uscc") == unit.uscc
        or record.get("org_code_22") == unit.org_code_22
        or record.get("organization_code") == unit.code
    }
    return code


def month_of(record: Record) -> int:
    text = record.get("report_month") or record["title"].partition("统计年月：")[2].partition(" ")[0]
    return int(str(text).replace("2015", "", 1).strip(".-年月"))


def monthly_files(inbox: Path) -> list[Path]:
    """Files of monthly reports, in the order of their arrival."""
    others = ("年报", "公共卫生")
    files = [
        p
        for p in (inbox / "hospital").rglob("*")
        if p.is_file() and not any(o in p.as_posix() for o in others)
    ]
    return sorted(files, key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def monthly(inbox: Path) -> dict[tuple[str, int], Record]:
    """The last good monthly report of each unit and month, in order of arrival."""
    found: dict[tuple[str, int], Record] = {}
    for path in monthly_files(inbox):
        if path != inbox / BROKEN.file:
            found |= {(unit_of(r), month_of(r)): r for r in records(path, "hosp_monthly")}
    return found


@pytest.fixture(scope="module")
def annual(inbox: Path) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for path in (inbox / "hospital").rglob("*年报*"):
        if path.is_file():
            form = "inst_annual_phc" if "基层" in path.name else "inst_annual_hospital"
            found |= {unit_of(r): r for r in records(path, form)}
    return found


def total(rows: Any, field: str) -> Decimal:
    return sum((Decimal(str(row[field])) for row in rows), Decimal(0))


def in_slice(code: str, of: str) -> bool:
    (group,) = [unit.group for unit in INSTITUTIONS if unit.code == code]
    return of in ("all", group) or (of == "hospital" and group is not Group.PRIMARY)


INSTITUTION_FIGURES = {
    "total_visits": ("visits_total",),
    "admissions": ("admissions",),
    "beds_actual": ("beds_actual",),
    "health_personnel": ("staff_total",),
    "health_technicians": ("staff_technical",),
    "other_technicians": ("staff_other_technical",),
    "management_staff": ("staff_management",),
    "logistics_staff": ("staff_logistics",),
    "doctors": ("doctors_licensed", "doctors_assistant"),
    "nurses": ("nurses",),
    "bed_occupancy_rate": ("bed_days_occupied", "bed_days_open"),
}


@pytest.mark.parametrize(
    "figure",
    [f for f in EXPECTED if f.indicator in INSTITUTION_FIGURES],
    ids=lambda f: f"{f.section} {f.name_zh}",
)
def test_annual_forms_add_up_to_the_printed_figure(figure: Any, annual: dict[str, Record]) -> None:
    rows = [r for code, r in annual.items() if in_slice(code, figure.slice)]
    fields = INSTITUTION_FIGURES[figure.indicator]
    if figure.indicator == "bed_occupancy_rate":
        assert [total(rows, field) for field in fields] == [figure.numerator, figure.denominator]
    else:
        assert sum(total(rows, field) for field in fields) == figure.numerator


@pytest.mark.parametrize(
    ("indicator", "top", "bottom"),
    [
        ("child_0_6_mgmt_rate", "children_0_6_managed", "children_0_6"),
        ("hypertension_std_mgmt_rate", None, "hypertension_managed_cum"),
        ("diabetes_std_mgmt_rate", None, "diabetes_managed_cum"),
    ],
)
def test_primary_care_stocks_yield_the_printed_rates(
    indicator: str,
    top: str | None,
    bottom: str,
    annual: dict[str, Record],
    monthly: dict[tuple[str, int], Record],
) -> None:
    (figure,) = [f for f in EXPECTED if f.indicator == indicator]
    primary = [r for code, r in annual.items() if in_slice(code, "primary_care")]
    assert total(primary, bottom) == figure.denominator
    if top:
        assert total(primary, top) == figure.numerator
    else:
        december = [r for (_, m), r in monthly.items() if m == 12]
        stock = indicator.replace("_mgmt_rate", "_managed")
        assert total((r for r in december if stock in r), stock) == figure.numerator


def test_eleven_units_report_every_month_and_once_for_the_year(
    monthly: dict[tuple[str, int], Record], annual: dict[str, Record]
) -> None:
    assert set(monthly) == {(unit.code, m) for unit in INSTITUTIONS for m in range(1, 13)}
    assert set(annual) == {unit.code for unit in INSTITUTIONS}


@pytest.mark.parametrize(
    "field",
    [
        "visits_total",
        "visits_by_appointment",
        "discharges",
        "inpatient_deaths",
        "bed_days_open",
        "bed_days_occupied",
        "bed_days_of_discharged",
        "revenue_medical",
    ],
)
def test_each_year_is_the_sum_of_its_months(
    field: str, monthly: dict[tuple[str, int], Record], annual: dict[str, Record]
) -> None:
    for unit in INSTITUTIONS:
        months = total((r for (code, _), r in monthly.items() if code == unit.code), field)
        assert months == Decimal(str(annual[unit.code][field]))


def test_december_stocks_are_the_year_end_stocks(
    monthly: dict[tuple[str, int], Record], annual: dict[str, Record]
) -> None:
    for unit in INSTITUTIONS:
        december, year = monthly[unit.code, 12], annual[unit.code]
        for field in ("staff_technical", "nurses", "beds_actual", "gp_registered"):
            assert int(december[field]) == int(year[field])
        assert int(december["doctors"]) == int(year["doctors_licensed"]) + int(year["doctors_assistant"])


def test_fewer_patients_come_in_the_month_of_the_spring_festival(
    monthly: dict[tuple[str, int], Record],
) -> None:
    for unit in INSTITUTIONS:
        visits = {m: int(monthly[unit.code, m]["visits_total"]) for m in range(1, 13)}
        assert min(visits, key=lambda m: visits[m]) == 2


def test_a_field_that_does_not_concern_a_unit_is_blank_and_not_zero(
    monthly: dict[tuple[str, int], Record],
) -> None:
    for (code, _), record in monthly.items():
        assert ("expenditure_public_health" in record) == in_slice(code, "primary_care")
        assert ("pathway_discharges" in record) == in_slice(code, "public_hospital")
        assert not [field for field in record if field.startswith("proxy_")]


def test_the_maternal_table_yields_the_printed_figures() -> None:
    values = maternal.VALUES
    sources = {
        "pregnant_hiv_tests": "pmtct_hiv_tested",
        "pregnant_syphilis_tests": "pmtct_syphilis_tested",
        "pregnant_hbv_tests": "pmtct_hbv_tested",
        "antenatal_care_rate": "women_antenatal_checked",
        "postnatal_visit_rate": "women_postnatal_visited",
        "hospital_delivery_rate": "live_births_in_hospital",
        "maternal_systematic_managed": "women_systematic_managed",
        "maternal_systematic_mgmt_rate": "women_systematic_managed",
        "maternal_mortality_ratio": "maternal_deaths",
    }
    for figure in EXPECTED:
        if figure.indicator in sources:
            assert values[sources[figure.indicator]] == figure.numerator
            assert figure.denominator in (None, values["live_births"])


def test_disease_totals_are_the_sums_of_their_parts() -> None:
    for m in range(1, 13):
        counts = diseases.month(m)
        lines = {line.code: line for line in diseases.bulletin()}
        for parent in ("ABC_TOTAL", "AB_TOTAL", "C_TOTAL", "0300"):
            for which in (0, 1):
                parts = [counts[code][which] for code, line in lines.items() if line.parent == parent]
                assert counts[parent][which] == sum(parts)
        assert all(deaths <= cases for cases, deaths in counts.values())
    assert sum(diseases.month(m)["4000"][0] for m in range(1, 13)) == diseases.CASES["4000"][0]


def test_writing_twice_gives_the_same_bytes_and_times(home: Path, tmp_path: Path) -> None:
    for path in write(tmp_path):
        first = home / path.relative_to(tmp_path)
        assert path.read_bytes() == first.read_bytes()
        assert path.stat().st_mtime == first.stat().st_mtime
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    write(tmp_path)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before


def test_the_sample_says_that_it_is_constructed(home: Path, inbox: Path) -> None:
    assert "构造" in (home / "site" / "README.md").read_text(encoding="utf-8")
    assert "构造" in (inbox / "README.md").read_text(encoding="utf-8")
    for path in inbox.rglob("*.*"):
        if path.is_file() and path.suffix in (".csv", ".xlsx"):
            for rows in sheets(path):
                text = " ".join(str(cell) for row in rows for cell in row if cell)
                assert "构造样例" in text or "龙湖样例" in text


def test_files_come_in_all_shapes(inbox: Path) -> None:
    contents = [p.read_bytes() for p in inbox.rglob("*.csv")]

    def is_utf_8(raw: bytes) -> bool:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    assert any(raw.startswith(b"\xef\xbb\xbf") for raw in contents)
    assert any(is_utf_8(raw) and not raw.startswith(b"\xef\xbb\xbf") for raw in contents)
    assert any(not is_utf_8(raw) for raw in contents)
    workbooks = [load_workbook(p) for p in inbox.rglob("*.xlsx")]
    assert any(len(book.worksheets) > 1 for book in workbooks)
    assert any(len(book.worksheets[0].merged_cells.ranges) > 4 for book in workbooks)


def test_only_the_late_report_arrives_after_its_due_date(inbox: Path) -> None:
    first: dict[tuple[str, int], float] = {}
    for path in monthly_files(inbox):
        for record in records(path, "hosp_monthly"):
            key = (unit_of(record), month_of(record))
            first[key] = min(first.get(key, float("inf")), path.stat().st_mtime)
    due = labels.form("hosp_monthly").due
    assert due is not None
    late = []
    for (code, m), moment in first.items():
        last_day = date(2015, m, 28)
        if datetime.fromtimestamp(moment, UTC).date() > due.due_on(last_day):
            late.append((code, m))
    assert late == [(LATE.subject, LATE.period_start.month)]


def test_the_broken_report_comes_after_the_good_one_and_breaks_its_rule(
    inbox: Path, monthly: dict[tuple[str, int], Record]
) -> None:
    (broken,) = records(inbox / BROKEN.file, "hosp_monthly")
    good = monthly[BROKEN.subject, BROKEN.period_start.month]
    assert int(broken["visits_outpatient_emergency"]) > int(broken["visits_total"])
    assert {f for f in good if good[f] != broken[f]} == set(BROKEN.changes or {})


def test_the_report_sent_again_has_the_same_content_in_another_format(inbox: Path) -> None:
    again = inbox / RESENT.file
    (second,) = records(again, "hosp_monthly")
    (original,) = again.parent.glob("*2015年03月.xlsx")
    (first,) = records(original, "hosp_monthly")
    measures = [f.code for f in labels.form("hosp_monthly").fields if f.role == "measure"]
    assert {f: Decimal(str(first[f])) for f in measures if f in first} == {
        f: Decimal(second[f]) for f in measures if f in second
    }
    assert original.stat().st_mtime < again.stat().st_mtime


def test_the_amendment_changes_the_stated_fields_by_the_stated_amounts(
    tmp_path: Path, monthly: dict[tuple[str, int], Record]
) -> None:
    (path,) = write(tmp_path, delivery="amendment")
    assert path == tmp_path / "inbox" / AMENDMENT.file
    assert datetime.fromtimestamp(path.stat().st_mtime, UTC).year == 2016
    (after,) = records(path, "hosp_monthly")
    before = monthly[AMENDMENT.subject, AMENDMENT.period_start.month]
    differing = {f: (before[f], after[f]) for f in before if f != "title" and before[f] != after[f]}
    assert differing == {f: (float(a), float(b)) for f, (a, b) in (AMENDMENT.changes or {}).items()}
    assert after["visits_total"] - before["visits_total"] == AMENDED_VISITS


def test_the_site_folder_loads_and_its_history_shows(home: Path) -> None:
    site = load_site(Settings(home=home))
    assert [source.code for source in site.sources] == ["hospital", "cdc", "mch", "bureau"]
    assert len(site.duties) == 11 + 6 + 5 + 1 + 3 + 2 * 5 + 3 + 3 + 2 + 2
    opened = [event.class_code or "" for event in site.organizations if event.event_type == "open"]
    assert sum(code.startswith("D") and code != "D600" for code in opened) == 130
    assert opened.count("D600") == 32
    kinds = {event.event_type for event in site.organizations}
    assert {"open", "rename", "reclass", "regrade", "ownership"} <= kinds
    assert yaml.safe_load((home / "site" / "waivers.yml").read_text(encoding="utf-8")) == []
    assert {unit.uscc for unit in INSTITUTIONS} <= {event.uscc for event in site.organizations}


def test_an_unknown_delivery_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no delivery"):
        write(tmp_path, delivery="other")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
