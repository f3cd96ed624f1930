"""A small bureau for tests: constructed units, an inbox, and what is sent to it."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ingestion import directory, inbox, intake, raw
from ingestion.site import Source, load_site
from warehouse.database import Role, make_engine
from warehouse.settings import Settings

SOURCES = """
- {code: hospital, name_zh: 医院}
- {code: bureau, name_zh: 代报, reporter: T-9}
- {code: cdc, name_zh: 疾控中心, region_code: "440507"}
"""
ORGANIZATIONS = [
    "organization_code,event_date,event_type,name_zh,class_code,region_code,is_proxy_reporter",
    "T-1,2010-01-01,open,构造甲医院,A100,440507,否",
    "T-2,2010-01-01,open,构造乙医院,A100,440507,否",
    "T-9,2010-01-01,open,构造卫生院,C220,440507,是",
]
BEGIN = datetime(2015, 2, 10, 8, tzinfo=UTC)

# Labels of the monthly form that every file of these tests has.
COLUMNS = {
    "code": "机构编码",
    "month": "统计年月",
    "staff": "卫生技术人员数",
    "beds": "实有床位",
    "bed_days_open": "实际开放总床日数",
    "bed_days_occupied": "实际占用总床日数",
    "revenue": "医疗收入",
    "visits": "总诊疗人次数",
    "outpatient": "门诊和急诊人次数",
    "discharges": "出院人数",
}


@dataclass
class Bureau:
    """The instance under test: send files, take them in, ask the database."""

    settings: Settings
    loader: Engine
    owner: Engine
    sent: int = 0
    begin = BEGIN
    columns = COLUMNS
    organizations = ORGANIZATIONS

    @staticmethod
    def row(code: str = "T-1", month: str = "2015-01", **values: object) -> dict[str, object]:
        """One unit's monthly report that breaks no rule."""
        return {
            "code": code,
            "month": month,
            "staff": 100,
            "beds": 50,
            "bed_days_open": 50 * 31,
            "bed_days_occupied": 1000,
            "revenue": 500,
            "visits": 2000,
            "outpatient": 1900,
            "discharges": 120,
            **values,
        }

    def site(self, **files: str) -> None:
        """Write files of the site folder and take the directory in."""
        self.settings.site.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (self.settings.site / name.replace("_", ".")).write_text(content, encoding="utf-8")
        directory.take_in(self.loader, load_site(self.settings))

    def source(self, code: str = "hospital") -> Source:
        return load_site(self.settings).source(code)

    def send(
        self, name: str, *rows: dict[str, object], day: int | None = None, source: str = "hospital"
    ) -> None:
        """A CSV file into an inbox, a day later than the one before unless a day is given."""
        columns = [key for key in self.columns if any(key in row for row in rows)]
        lines = [",".join(self.columns[key] for key in columns)]
        lines += [",".join(str(row.get(key, "")) for key in columns) for row in rows]
        self.send_bytes(name, "\n".join(lines).encode(), day=day, source=source)

    def send_bytes(
        self, name: str, content: bytes, *, day: int | None = None, source: str = "hospital"
    ) -> None:
        self.sent += 1
        path = self.settings.inbox / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        moment = (BEGIN + timedelta(days=self.sent if day is None else day)).timestamp()
        os.utime(path, (moment, moment))

    def take_in(self, source: str = "hospital") -> intake.IntakeResult:
        files = inbox.waiting(self.settings, self.source(source))
        return intake.take_in(self.settings, self.source(source), files, run_id="test")

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.owner.connect() as connection:
            return list(connection.execute(text(statement), values))

    def value(self, statement: str, **values: Any) -> Any:
        with self.owner.connect() as connection:
            return connection.scalar(text(statement), values)

    def revisions(self, code: str = "T-1", month: date = date(2015, 1, 1)) -> list[tuple[int, str]]:
        """Revision numbers of a report with their status."""
        return [
            (number, status)
            for number, status in self.rows(
                "select v.revision_no, v.status from registry.revision v join registry.report r using (report_id)"
                " where r.subject_code = :code and r.period_start = :month order by 1",
                code=code,
                month=month,
            )
        ]

    def visits(self, code: str = "T-1", month: date = date(2015, 1, 1)) -> int | None:
        """What the current revision says."""
        return self.value(
            "select w.visits_total from raw.hosp_monthly w join registry.report r"
            " on r.current_revision_id = w.revision_id where r.subject_code = :code and r.period_start = :month",
            code=code,
            month=month,
        )

    def state(self) -> dict[str, int]:
        """How many rows the tables of the registry hold."""
        tables = [
            name for (name,) in self.rows("select tablename from pg_tables where schemaname = 'registry'")
        ]
        return {name: self.value(f"select count(*) from registry.{name}") for name in sorted(tables)}


@pytest.fixture
def bureau(settings: Settings):
    raw.prepare(settings)
    bureau = Bureau(settings, make_engine(settings, Role.LOADER), make_engine(settings, Role.OWNER))
    bureau.site(sources_yml=SOURCES, organizations_csv="\n".join(ORGANIZATIONS) + "\n")
    yield bureau
    bureau.loader.dispose()
    bureau.owner.dispose()
