"""Files of other health systems, read through forms that are written for them and lie outside the package."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import openpyxl
import pytest

from ingestion import raw
from ingestion.forms_catalogue import BUILT_IN
from tests.integration.ingestion.conftest import Bureau
from warehouse.database import Role, make_engine

SITE_FORMS = Path(__file__).resolve().parents[2] / "e2e" / "site_forms"
HEAD = "organization_code,event_date,event_type,name_zh,class_code,region_code"
SHEETS = {
    "kenya_maternal": "Service_data_1",
    "kenya_hospital": "Service_data_2",
    "kenya_vaccines": "Service_data_3",
}
MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
]


@pytest.fixture
def abroad(settings, monkeypatch):
    """A bureau that has the forms of one of the folders, and units of its own."""

    def open_bureau(folder: str, organizations: list[str]) -> Bureau:
        monkeypatch.setenv("WAREHOUSE_FORMS", str(SITE_FORMS / folder))
        own = settings.model_copy(update={"forms": (SITE_FORMS / folder,)})
        raw.prepare(own)
        bureau = Bureau(own, make_engine(own, Role.LOADER), make_engine(own, Role.OWNER))
        opened.append(bureau)
        bureau.site(
            sources_yml="- {code: abroad, name_zh: 外地}\n",
            organizations_csv="\n".join([HEAD, *organizations]) + "\n",
        )
        return bureau

    opened: list[Bureau] = []
    yield open_bureau
    for bureau in opened:
        bureau.loader.dispose()
        bureau.owner.dispose()


def send(bureau: Bureau, path: Path) -> None:
    bureau.send_bytes(path.name, path.read_bytes(), source="abroad")


def test_forms_of_other_systems_are_no_part_of_the_package():
    assert not list(BUILT_IN.glob("kenya*")) and not list(BUILT_IN.glob("nhs*"))


class Kenya:
    """What the workbook says, told apart from the intake: cells by sheet, county, month and column."""

    def __init__(self, path: Path) -> None:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        self.numbers: dict[str, dict[tuple[str, str], dict[str, float]]] = {}
        self.faulty: dict[str, dict[str, object]] = {}
        for form, sheet in SHEETS.items():
            rows = list(book[sheet].iter_rows(values_only=True))
            names = [str(name).strip().lower() if name else None for name in rows[0]]
            numbers: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
            faulty: dict[str, object] = {}
            for number, row in enumerate(rows[3:], start=4):
                if not row[0]:
                    continue
                key = (str(row[0]).strip(), f"{row[1]}-{MONTHS.index(str(row[2]).strip()) + 1:02}")
                numbers[key].update()
                for place, (name, value) in enumerate(zip(names, row, strict=True)):
                    if place < 3 or name is None or value in (None, ""):
                        continue
                    if isinstance(value, str) or value != int(value):
                        faulty[f"{openpyxl.utils.get_column_letter(place + 1)}{number}"] = value
                        numbers[key]["*faulty"] = 1
                    else:
                        numbers[key][name] = int(value)
            self.numbers[form] = numbers
            self.faulty[form] = faulty


def test_sixty_months_of_47_counties_arrive_cell_by_cell_and_a_remark_is_told(shared_data, abroad):
    path = shared_data / "kenya" / "kenya.xlsx"
    kenya = Kenya(path)
    counties = sorted({county for county, _ in kenya.numbers["kenya_maternal"]})
    assert len(counties) == 47
    names = {f"KE-{number:02}": name for number, name in enumerate(counties, start=1)}
    bureau = abroad("kenya", [f"{code},2010-01-01,open,{name},A100,440507" for code, name in names.items()])
    send(bureau, path)
    (result,) = bureau.take_in("abroad").files
    assert result.status == "taken_in"
    for form, numbers in kenya.numbers.items():
        assert len(numbers) == 47 * 60
        held_up = {key for key, cells in numbers.items() if "*faulty" in cells}
        reports = bureau.rows(
            "select r.subject_code, to_char(r.period_start, 'YYYY-MM'), v.status from registry.report r"
            " join registry.revision v using (report_id) where r.form_code = :form",
            form=form,
        )
        assert len(reports) == 47 * 60
        waiting = {(names[code], month) for code, month, status in reports if status == "quarantined"}
        assert waiting == held_up
        expected: Counter[str] = Counter()
        for key, cells in numbers.items():
            if key not in held_up:
                expected.update(cells)
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in expected)
        (stored,) = bureau.rows(
            f"select {sums} from raw.{form} w join registry.report r on r.current_revision_id = w.revision_id"
        )
        assert dict(zip(expected, stored, strict=True)) == dict(expected)
        told = bureau.rows(
            "select cell, value from registry.finding where sheet = :sheet and rule_id in"
            " ('VALUE_NOT_WHOLE', 'VALUE_NOT_A_NUMBER')",
            sheet=SHEETS[form],
        )
        assert {cell for cell, _ in told} == set(kenya.faulty[form])
    remark = {cell: value for cell, value in told if not value.replace(".", "").isdecimal()}
    assert len(remark) == 2
    assert remark["Q363"].startswith("My excel file")


def test_two_years_of_emergency_departments_add_up(shared_data, abroad, tmp_path):
    (path,) = (shared_data / "nhs_ae").glob("*.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    providers = sorted({row["org_code"] for row in rows})
    bureau = abroad("nhs", [f"{code},2010-01-01,open,{code},A100,440507" for code in providers])
    send(bureau, path)
    (result,) = bureau.take_in("abroad").files
    reports = {(row["org_code"], row["period"]) for row in rows}
    assert result.status == "taken_in"
    broken = {
        (row["org_code"], row["period"]) for row in rows if float(row["breaches"]) > float(row["attendances"])
    }
    assert result.reports["new"] == len(reports) - len(broken)
    expected: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if (row["org_code"], row["period"]) not in broken:
            for name in ("attendances", "breaches", "admissions"):
                expected[row["type"], name] += int(float(row[name]))
    stored = {
        (department, name): int(value)
        for department, *values in bureau.rows(
            "select department, sum(attendances), sum(breaches), sum(admissions) from raw.nhs_ae_monthly w"
            " join registry.report r on r.current_revision_id = w.revision_id group by 1"
        )
        for name, value in zip(("attendances", "breaches", "admissions"), values, strict=True)
    }
    assert stored == expected
    # The same figures again, in another order of rows and columns and with semicolons, say nothing new.
    again = tmp_path / "again.csv"
    with again.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.DictWriter(stream, list(reversed(rows[0])), delimiter=";")
        writer.writeheader()
        writer.writerows(reversed(rows))
    send(bureau, again)
    (result,) = bureau.take_in("abroad").files
    assert result.status == "duplicate"
    assert set(result.reports) == {"unchanged"}
