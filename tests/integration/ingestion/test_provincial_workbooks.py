"""840 provincial workbooks of 2017 in one archive: XML saved as .xls, two merged rows of labels, some of them empty."""

import re
import tarfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ingestion import raw
from ingestion.forms_catalogue import load_forms
from tests.integration.ingestion.conftest import Bureau
from warehouse.database import Role, make_engine

FORMS = Path(__file__).resolve().parents[2] / "e2e" / "site_forms" / "cnids"
SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"
MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
]
COUNTRY = "全国"


@pytest.fixture
def bureau(settings, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_FORMS", str(FORMS))
    own = settings.model_copy(update={"forms": (FORMS,)})
    raw.prepare(own)
    bureau = Bureau(own, make_engine(own, Role.LOADER), make_engine(own, Role.OWNER))
    bureau.site(sources_yml='- {code: cnids, name_zh: 监测系统, region_code: "000000"}\n')
    yield bureau
    bureau.loader.dispose()
    bureau.owner.dispose()


def named(name: str) -> tuple[str, int]:
    """Number of the workbook and its month."""
    found = re.search(r"2017 (\w+) (\d+)\.xls", name)
    assert found
    return found[2], MONTHS.index(found[1]) + 1


class Published:
    """What the workbooks say, told apart from the readers: cases and deaths by number, month, region and disease."""

    def __init__(self, archive: Path) -> None:
        self.blocks: dict[tuple[str, int, str], dict[str, tuple[int, int]]] = defaultdict(dict)
        self.empty: set[tuple[str, int]] = set()
        self.workbooks = 0
        with tarfile.open(archive) as files:
            for member in files:
                content = files.extractfile(member)
                assert content
                self.workbooks += 1
                self._add(*named(member.name), content.read())

    def same_as_before(self) -> set[tuple[str, int]]:
        """Workbooks that say what those of the month before say, and say anything."""
        said: dict[tuple[str, int], dict[str, dict[str, tuple[int, int]]]] = defaultdict(dict)
        for (number, month, disease), block in self.blocks.items():
            said[number, month][disease] = block
        return {
            (number, month) for number, month in said if said[number, month] == said.get((number, month - 1))
        }

    def _add(self, number: str, month: int, content: bytes) -> None:
        rows = _rows(content)
        diseases = {column: text for column, text in rows.get(2, {}).items() if text}
        if not diseases:
            self.empty.add((number, month))
        for row, cells in rows.items():
            region = re.sub(r"\s", "", cells.get(2, ""))
            if row < 4 or not region:
                continue
            for column, disease in diseases.items():
                if cells.get(column):
                    numbers = int(float(cells[column])), int(float(cells[column + 1]))
                    self.blocks[number, month, re.sub(r"\s", "", disease)][region] = numbers


def _rows(content: bytes) -> dict[int, dict[int, str]]:
    """Text of each cell by row and column, counted from 1."""
    rows: dict[int, dict[int, str]] = {}
    for number, row in enumerate(ElementTree.fromstring(content).iter(f"{SPREADSHEET}Row"), start=1):  # noqa: S314
        column = 1
        rows[number] = {}
        for cell in row.iter(f"{SPREADSHEET}Cell"):
            rows[number][column] = "".join(cell.itertext()).strip()
            column += 1 + int(cell.get(f"{SPREADSHEET}MergeAcross", 0))
    return rows


def test_provinces_add_up_in_every_block_and_empty_workbooks_are_empty_reports(shared_data, bureau):
    path = shared_data / "cnids_2017_xls.tar.gz"
    published = Published(path)
    assert (published.workbooks, len(published.blocks), len(published.empty)) == (840, 1022, 108)
    bureau.send_bytes(path.name, path.read_bytes(), source="cnids", day=1100)
    result = bureau.take_in("cnids")
    assert result.by_status == {"taken_in": 1}
    told = bureau.rows("select rule_id, sheet from registry.finding")
    assert {rule for rule, _ in told} == {"STALE_COPY"}
    assert {named(sheet) for _, sheet in told} == published.same_as_before()
    reports = bureau.rows(
        "select r.part, extract(month from r.period_start)::int as month, v.status, v.value_count"
        " from registry.report r join registry.revision v on v.revision_id = r.current_revision_id"
        " where r.form_code = 'cnids_monthly' and r.subject_code = '000000'"
    )
    assert len(reports) == 840
    warned = {(part, month) for part, month, status, _ in reports if status == "accepted_with_warnings"}
    assert warned == published.same_as_before()
    assert {status for _, _, status, _ in reports} == {"accepted", "accepted_with_warnings"}
    assert {(part, month) for part, month, _, count in reports if count == 0} == published.empty

    form = load_forms(bureau.settings)["cnids_monthly"]
    regions, diseases = (form.code_lists[name] for name in ("cnids_region", "cnids_disease"))
    expected = {
        (number, month, regions.code_of(region), diseases.code_of(disease)): numbers
        for (number, month, disease), block in published.blocks.items()
        for region, numbers in block.items()
    }
    stored = {
        (part, month, region, disease): (cases, deaths)
        for part, month, region, disease, cases, deaths in bureau.rows(
            "select r.part, extract(month from r.period_start)::int, w.region, w.disease, w.cases, w.deaths"
            " from raw.cnids_monthly w join registry.report r on r.current_revision_id = w.revision_id"
        )
    }
    assert stored == expected

    different = bureau.rows(
        "select r.part, r.period_start, w.disease from raw.cnids_monthly w"
        " join registry.report r on r.current_revision_id = w.revision_id group by 1, 2, 3"
        " having sum(w.cases) filter (where w.region <> '000000')"
        " is distinct from sum(w.cases) filter (where w.region = '000000')"
        " or sum(w.deaths) filter (where w.region <> '000000')"
        " is distinct from sum(w.deaths) filter (where w.region = '000000')"
    )
    assert different == []
    for (number, month, disease), block in published.blocks.items():
        provinces = [numbers for region, numbers in block.items() if region != COUNTRY]
        assert tuple(map(sum, zip(*provinces, strict=True))) == block[COUNTRY], (number, month, disease)


def test_a_province_that_was_changed_holds_back_its_report_alone(shared_data, bureau):
    with tarfile.open(shared_data / "cnids_2017_xls.tar.gz") as files:
        names = ["cnids_2017/2017 April 11.xls", "cnids_2017/2017 April 12.xls"]
        april, other = (files.extractfile(name).read() for name in names)
    place = april.index(b'"Number">', april.index("北京市".encode())) + len(b'"Number">')
    changed = april[:place] + b"9" + april[place:]
    bureau.send_bytes("2017 April 11.xls", changed, source="cnids")
    bureau.send_bytes("2017 April 12.xls", other, source="cnids")
    result = bureau.take_in("cnids")
    assert result.reports == {"quarantined": 1, "new": 1}
    rules = bureau.rows("select rule_id, cell from registry.finding")
    assert ("CN01", "C4") in rules
