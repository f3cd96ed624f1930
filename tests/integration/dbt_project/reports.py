"""Reports put into registry and raw by hand, for tests of what dbt makes of them."""

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from ingestion import raw
from warehouse import release
from warehouse.building import BuildResult, build
from warehouse.database import Role, engine

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Registry:
    """Fills registry and raw tables; a report filed again gets a new revision, as intake would do it."""

    def __init__(self, settings):
        self.settings = settings
        self.owner = engine(Role.OWNER)
        raw.prepare(settings)
        self.keys: dict[str, int] = {}

    def unit(self, code: str, *events: dict[str, Any]) -> int:
        """A unit with dated events; the first one opens it."""
        with self.owner.begin() as connection:
            key = connection.scalar(
                text(
                    "insert into registry.organization (organization_code) values (:code)"
                    " on conflict (organization_code) do update set organization_code = excluded.organization_code"
                    " returning organization_key"
                ),
                {"code": code},
            )
            for event in events:
                names = ["organization_key", *event]
                connection.execute(
                    text(
                        f"insert into registry.organization_event ({', '.join(names)})"
                        f" values ({', '.join(':' + name for name in names)})"
                    ),
                    {"organization_key": key, **event},
                )
        self.keys[code] = key
        return key

    def file(
        self,
        form: str,
        subject: str,
        start: date,
        end: date,
        *records: dict[str, Any],
        period_type: str = "month",
        reporter: str | None = None,
        received_at: datetime | None = None,
        part: str = "",
    ) -> int:
        """File a report: one record a dictionary. Returns its report_id."""
        with self.owner.begin() as connection:
            report = self.due_report(
                connection, form, subject, start, end, period_type=period_type, part=part
            )
            arrival = self._arrival(connection, form)
            number = connection.scalar(
                text(
                    "select coalesce(max(revision_no), 0) + 1 from registry.revision where report_id = :report"
                ),
                {"report": report},
            )
            connection.execute(
                text(
                    "update registry.revision set status = 'superseded'"
                    " where report_id = :report and status like 'accepted%'"
                ),
                {"report": report},
            )
            revision = connection.scalar(
                text(
                    "insert into registry.revision (report_id, revision_no, arrival_id, edition, reporter_key,"
                    " content_hash, status, record_count, value_count, received_at) values (:report, :number,"
                    " :arrival, '2010', :reporter, md5(random()::text), 'accepted', :records, :values, :received)"
                    " returning revision_id"
                ),
                {
                    "report": report,
                    "number": number,
                    "arrival": arrival,
                    "reporter": self.keys.get(reporter or subject),
                    "records": len(records),
                    "values": sum(value is not None for record in records for value in record.values()),
                    "received": received_at or datetime(2015, 1, 31, 12, tzinfo=SHANGHAI),
                },
            )
            connection.execute(
                text(
                    "insert into registry.revision_status (revision_id, status, cause)"
                    " values (:revision, 'received', 'test')"
                ),
                {"revision": revision},
            )
            connection.execute(
                text(
                    "insert into registry.revision_status (revision_id, status, cause)"
                    " values (:revision, 'accepted', 'test')"
                ),
                {"revision": revision},
            )
            for number, record in enumerate(records, start=1):
                names = ["revision_id", "record_no", "source_sheet", "source_row", *record]
                values = {
                    name: json.dumps(value) if isinstance(value, dict) else value
                    for name, value in record.items()
                }
                connection.execute(
                    text(
                        f"insert into raw.{form} ({', '.join(names)})"
                        f" values ({', '.join(':' + name for name in names)})"
                    ),
                    {"revision_id": revision, "record_no": number, "source_sheet": "s", "source_row": 5}
                    | values,
                )
            connection.execute(
                text("update registry.report set current_revision_id = :revision where report_id = :report"),
                {"revision": revision, "report": report},
            )
            self.change(connection, report)
        return report

    def withdraw(self, report: int) -> None:
        """Take the current revision of a report back."""
        with self.owner.begin() as connection:
            connection.execute(
                text(
                    "update registry.revision set status = 'withdrawn' where revision_id ="
                    " (select current_revision_id from registry.report where report_id = :report)"
                ),
                {"report": report},
            )
            connection.execute(
                text("update registry.report set current_revision_id = null where report_id = :report"),
                {"report": report},
            )
            self.change(connection, report)

    def due(
        self,
        form: str,
        subject: str,
        start: date,
        end: date,
        due_on: date,
        *,
        period_type: str = "month",
        exempt_reason: str | None = None,
        reporter: str | None = None,
        parts: list[str] | None = None,
    ) -> int:
        """Let a report fall due, perhaps in parts."""
        with self.owner.begin() as connection:
            report = self.due_report(connection, form, subject, start, end, period_type=period_type)
            connection.execute(
                text(
                    "insert into registry.obligation (report_id, due_on, reporter_key, exempt_reason, parts)"
                    " values (:report, :due_on, :reporter, :exempt_reason, :parts)"
                ),
                {
                    "report": report,
                    "due_on": due_on,
                    "reporter": self.keys[reporter or subject],
                    "exempt_reason": exempt_reason,
                    "parts": parts,
                },
            )
            self.change(connection, report)
        return report

    def due_report(
        self,
        connection: Connection,
        form: str,
        subject: str,
        start: date,
        end: date,
        *,
        period_type: str = "month",
        part: str = "",
    ) -> int:
        """The report's identity, made if there is none yet."""
        key = self.keys.get(subject)
        return int(
            connection.scalar(
                text(
                    "insert into registry.report (form_code, part, subject_type, subject_code, organization_key,"
                    " region_code, period_type, period_start, period_end) values (:form, :part, :type, :subject,"
                    " :key, :region, :period_type, :start, :end) on conflict (form_code, part, subject_type,"
                    " subject_code, period_type, period_start, period_end) do update"
                    " set period_end = excluded.period_end returning report_id"
                ),
                {
                    "form": form,
                    "part": part,
                    "type": "region" if key is None else "organization",
                    "subject": subject,
                    "key": key,
                    "region": subject if key is None else None,
                    "period_type": period_type,
                    "start": start,
                    "end": end,
                },
            )
        )

    def change(self, connection: Connection, report: int) -> None:
        """Log that the star must show this report again."""
        connection.execute(
            text("insert into registry.change (report_id, cause) values (:report, 'test')"),
            {"report": report},
        )

    def release(self) -> BuildResult:
        """Open a candidate, build it and publish it unaudited."""
        result = self.candidate()
        with self.owner.begin() as connection:
            connection.execute(
                text("update warehouse.release set verdict = 'passed' where release_id = :id"),
                {"id": result.release_id},
            )
        release.publish(engine(Role.PUBLISHER), self.opened)
        return result

    def candidate(self) -> BuildResult:
        """Open a candidate and build it."""
        opened = release.open_candidate(engine(Role.BUILDER), "test")
        assert opened is not None
        self.opened = opened
        return build(self.settings, opened)

    def _arrival(self, connection: Connection, form: str) -> int:
        file = connection.scalar(
            text(
                "insert into registry.file (sha256, size_bytes, stored_path)"
                " values (encode(sha256(random()::text::bytea), 'hex'), 1, 'f') returning file_id"
            )
        )
        return int(
            connection.scalar(
                text(
                    "insert into registry.arrival (file_id, source_code, file_name, received_at, status, form_code)"
                    " values (:file, 'hospital', 'f.csv', now(), 'taken_in', :form) returning arrival_id"
                ),
                {"file": file, "form": form},
            )
        )
