"""A generated prefecture through the real intake: nothing clean is refused, and what is late or amended is so."""

import csv
from collections import Counter

from sqlalchemy import text

from ingestion import directory, inbox, intake, obligations, raw
from ingestion.site import load_site
from samples.generator import Options, write
from warehouse.database import Role, engine
from warehouse.settings import Settings


def rows(statement: str) -> list[tuple[object, ...]]:
    with engine(Role.LOADER).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_clean_reports_are_all_accepted_on_time_or_late_as_told(database: Settings) -> None:
    written = write(database.home, Options(units=10, years=2, seed=11))
    raw.prepare(database)
    site = load_site(database)
    directory.take_in(engine(Role.LOADER), site)
    happened: Counter[str] = Counter()
    for source in site.sources:
        result = intake.take_in(database, source, inbox.waiting(database, source))
        assert set(result.by_status) == {"taken_in"}
        happened += result.reports
    with (database.home / "truth" / "story.csv").open(encoding="utf-8") as file:
        story = Counter(row["what"] for row in csv.DictReader(file))
    assert happened == {"new": written.reports, "revised": story["amended"]}
    assert story["amended"] > 0
    assert rows("select rule_id, message_zh from registry.finding where severity = 'hard'") == []
    (soft,) = rows("select count(*) from registry.finding")[0]
    assert soft < written.reports / 100

    last = max(duty.valid_to for duty in site.duties if duty.valid_to)
    obligations.mark_due(engine(Role.LOADER), last)
    assert last.year == 2026
    missing = rows(
        "select form_code, subject_code, period_start from registry.obligation join registry.report using (report_id)"
        " where current_revision_id is null"
    )
    assert missing == []
    late = rows(
        "select count(*) from registry.obligation o join registry.revision v using (report_id)"
        " where v.revision_no = 1 and (v.received_at at time zone 'Asia/Shanghai')::date > o.due_on"
    )
    assert 0 < late[0][0] <= story["late"]
    assert rows("select count(distinct subject_code) from registry.report where subject_code = '990123'") == [
        (1,)
    ]
