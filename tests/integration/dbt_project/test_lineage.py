"""Each row of the star leads back to report, revision, file and cell by plain joins, after amendments too.

All units and numbers are constructed.
"""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bureau import Bureau

HOSPITAL = {"organization_code": "T-1"}
JANUARY = HOSPITAL | {
    "report_month": "2015-01", "staff_technical": 80, "doctors": 31, "nurses": 42, "beds_actual": 50,
    "bed_days_open": 1550, "bed_days_occupied": 1000, "visits_total": 2000, "discharges": 100,
    "revenue_medical": 500,
}  # fmt: skip
VALUES = len(JANUARY) - 2
DEVICES = [
    HOSPITAL | {"report_year": 2015, "device_code": "0101", "device_name": name, "batch_count": number, "price": 3000}
    for name, number in (("CT", 2), ("MR", 1), ("DSA", 3))
]  # fmt: skip


class Kept(Bureau):
    """A bureau that remembers what stood in its files; those that amend have a title above."""

    def __init__(self, settings):
        super().__init__(settings)
        self.files = {}

    def take_in(self):
        for path in (self.settings.inbox / "units").glob("*更正.csv"):
            sent = path.stat().st_mtime
            path.write_text("构造样例\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
            os.utime(path, (sent, sent))
        for path in (self.settings.inbox / "units").glob("*.csv"):
            lines = path.read_text(encoding="utf-8").splitlines()
            self.files[path.name] = [line.split(",") for line in lines]
        super().take_in()


@pytest.fixture(scope="module")
def bureau(module_database):
    """A night with a report of many values and a register; in the second both come anew, and every cell has moved."""
    made = Kept(module_database)
    made.send("hosp_monthly", "units", JANUARY, name="月报")
    made.send("equipment_register", "units", *DEVICES, name="设备")
    made.night(audited=True)
    moved = {"org_name": "构造甲医院", **JANUARY, "visits_total": 2001}
    made.send("hosp_monthly", "units", moved, name="月报更正")
    again = [{"org_name": "构造甲医院", **device} for device in DEVICES]
    made.send("equipment_register", "units", *again, name="设备更正")
    made.night(audited=True)
    return made


def test_each_number_of_an_amended_report_stands_in_the_cell_of_the_file_that_it_leads_to(bureau):
    facts = bureau.rows(
        "select fact.field_code, fact.value, fact.source_cell, revision.revision_no, revision.file_name"
        " from published.fct_reported_value as fact"
        " inner join published.dim_revision as revision using (revision_id, report_id)"
        " where fact.form_code = 'hosp_monthly'"
    )
    (all_of_them,) = bureau.rows(
        "select count(*) as facts from published.fct_reported_value where form_code = 'hosp_monthly'"
    )
    assert len(facts) == all_of_them["facts"] == VALUES
    assert {fact["field_code"]: fact["revision_no"] for fact in facts} == {
        **dict.fromkeys(set(JANUARY) - {"organization_code", "report_month"}, 1),
        "visits_total": 2,
    }
    for fact in facts:
        column, row = re.fullmatch(r"([A-Z])(\d+)", fact["source_cell"]).groups()
        cell = bureau.files[fact["file_name"]][int(row) - 1][ord(column) - ord("A")]
        in_yuan = 1_000 if fact["field_code"] == "revenue_medical" else 1
        assert int(cell) * in_yuan == fact["value"], fact


def test_the_report_itself_leads_to_its_newest_revision(bureau):
    assert bureau.rows(
        "select report.revision_no, revision.file_name = report.file_name as is_same_file"
        " from published.dim_report as report inner join published.dim_revision as revision using (revision_id)"
        " where report.form_code = 'hosp_monthly'"
    ) == [{"revision_no": 2, "is_same_file": True}]


def test_before_the_amendment_every_number_leads_to_the_first_file(bureau):
    assert bureau.rows(
        "select revision.revision_no, count(*) as facts from star.fct_reported_value as fact"
        " inner join star.dim_revision as revision using (revision_id)"
        " where fact.form_code = 'hosp_monthly' and fact.release_from <= 1 and fact.release_to > 1"
        " and revision.release_from <= 1 and revision.release_to > 1 group by 1"
    ) == [{"revision_no": 1, "facts": VALUES}]


def test_each_device_stands_in_the_row_of_the_file_that_its_report_leads_to(bureau):
    facts = bureau.rows(
        "select fact.device_name, fact.source_row, report.file_name from published.fct_equipment as fact"
        " inner join published.dim_report as report using (report_id)"
    )
    assert len(facts) == len(DEVICES)
    for fact in facts:
        assert fact["device_name"] in bureau.files[fact["file_name"]][fact["source_row"] - 1], fact
