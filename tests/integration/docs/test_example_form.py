"""The example of a form of one's own is taken in, published, and found by the query that the README shows."""

import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from dags import stages
from samples.longhu import site
from warehouse.database import Role, engine
from warehouse.settings import Settings, get_settings

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples"
README = (ROOT / "README.md").read_text()


@pytest.fixture
def published(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run of a night of the sample's bureau that received the example's file and nothing else."""
    monkeypatch.setenv("WAREHOUSE_FORMS", str(EXAMPLES / "forms"))
    monkeypatch.setenv("WAREHOUSE_SETTLE_SECONDS", "0")
    get_settings.cache_clear()
    settings.site.mkdir(parents=True)
    for name, content in site.files().items():
        (settings.site / name).write_text(content)
    inbox = settings.inbox / "hospital"
    inbox.mkdir(parents=True)
    for file in EXAMPLES.glob("*.csv"):
        shutil.copy(file, inbox)
    run = "example"
    stages.begin(run, "nightly")
    stages.prepare(run)
    stages.receive(run, "hospital")
    candidate = stages.open_candidate(run)
    assert candidate is not None
    stages.publish(run, stages.audit(run, stages.build(run, candidate)))
    return run


def test_the_example_is_published_and_the_query_of_the_readme_finds_it(published: str):
    (query, shown), *_ = re.findall(
        r"```sql\n([^`]*family_doctor_monthly[^`]*)```\n\n```text\n(.*?)```", README, re.DOTALL
    )
    expected = [
        tuple(cell.strip() for cell in line.split("|")) for line in shown.splitlines()[2:] if "|" in line
    ]
    with engine(Role.READER).connect() as connection:
        connection.execute(text("set search_path = published"))
        found = [
            tuple(str(value).removesuffix(".0") for value in row) for row in connection.execute(text(query))
        ]
    assert found == expected
    assert len(found) == 6


def test_its_rule_quarantines_and_its_reconciliation_is_checked(published: str):
    with engine(Role.AUDITOR).connect() as connection:
        quarantined = connection.execute(
            text(
                "select r.subject_code, f.rule_id, f.cell from registry.finding f join registry.revision v"
                " using (revision_id) join registry.report r on r.report_id = v.report_id"
                " where v.status = 'quarantined'"
            )
        ).all()
        checked = connection.scalar(
            text(
                "select status from audit.check_result"
                " where check_id = 'fct_reported_value.reconciles_family_doctor_monthly'"
            )
        )
    assert quarantined == [("LH-C03", "FD01", "D4")]
    assert checked == "passed"
