"""A constructed county bureau whose files go through the whole intake: what facts are tested on."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from expectations import gate
from ingestion import directory, inbox, intake, raw
from ingestion.forms_catalogue import load_forms
from ingestion.site import load_site
from warehouse import release
from warehouse.building import BuildResult, build
from warehouse.database import Role, engine
from warehouse.settings import Settings

SOURCES = """
- {code: units, name_zh: 医疗卫生机构}
- {code: county, name_zh: 县区条线, region_code: "440507"}
"""
ORGANIZATIONS = """organization_code,event_date,event_type,name_zh,class_code,region_code
T-1,2010-01-01,open,构造甲医院,A100,440507
T-2,2010-01-01,open,构造卫生院,C220,440507
T-3,2010-01-01,open,构造村卫生室,D600,440507
T-4,2010-01-01,open,构造血站,F100,440507
"""
BEGIN = datetime(2015, 2, 10, 8, tzinfo=UTC)


class Bureau:
    """Sends files a day after one another, takes them in, builds and publishes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sent = 0
        self.forms = load_forms()
        raw.prepare(settings)
        settings.site.mkdir(parents=True)
        (settings.site / "sources.yml").write_text(SOURCES, encoding="utf-8")
        (settings.site / "organizations.csv").write_text(ORGANIZATIONS, encoding="utf-8")
        directory.take_in(engine(Role.LOADER), load_site(settings))

    def send(self, form: str, source: str, *rows: Mapping[str, Any], name: str | None = None) -> None:
        """Rows of a form, field code to cell, as a CSV file in an inbox."""
        fields = self.forms[form].by_code
        columns = list(dict.fromkeys(column for row in rows for column in row))
        self.sent += 1
        path = self.settings.inbox / source / f"{self.sent:02}_{name or self.forms[form].name_zh}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [[fields[column].name_zh for column in columns]]
        lines += [[row.get(column, "") for column in columns] for row in rows]
        path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n", encoding="utf-8")
        moment = (BEGIN + timedelta(days=self.sent)).timestamp()
        os.utime(path, (moment, moment))

    def take_in(self) -> None:
        """Take in what waits; every report has to be accepted, be it without some of its cards."""
        site = load_site(self.settings)
        for source in site.sources:
            intake.take_in(self.settings, source, inbox.waiting(self.settings, source), run_id="test")
        refused = self.rows(
            "select a.file_name, f.rule_id, f.message_zh from registry.finding as f"
            " left join registry.arrival as a on f.arrival_id = a.arrival_id"
            " left join registry.revision as v on f.revision_id = v.revision_id"
            " where f.severity = 'hard' and coalesce(v.status, '') not like 'accepted%'"
        )
        assert not refused, refused

    def night(self, *, audited: bool = False) -> BuildResult:
        """Take in, build and publish; audited nights fail when a critical check does."""
        self.take_in()
        opened = release.open_candidate(engine(Role.BUILDER), "test")
        assert opened is not None
        built = build(self.settings, opened)
        if audited:
            failed = gate.audit(self.settings, opened).failed
            critical = {check.check_id: check.observed for check in failed if check.severity == "critical"}
            assert not critical, critical
        with engine(Role.OWNER).begin() as connection:
            connection.execute(
                text("update warehouse.release set verdict = 'passed' where release_id = :id"),
                {"id": built.release_id},
            )
        release.publish(engine(Role.PUBLISHER), opened)
        return built

    def rows(self, statement: str, **values: Any) -> Sequence[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        with engine(Role.OWNER).connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(statement), values)]
