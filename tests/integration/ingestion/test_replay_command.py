"""The command replay, as a person types it."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from ingestion.forms_catalogue import BUILT_IN
from warehouse.cli import app
from warehouse.cli import replay as module
from warehouse.settings import get_settings


@pytest.fixture
def replay(bureau, monkeypatch):
    """Run the command; the database is there already, and Airflow has no part in it."""
    monkeypatch.setattr(module, "prepare", lambda _settings: None)

    def run(*arguments: str):
        result = CliRunner().invoke(app, ["replay", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def softened(bureau, tmp_path, monkeypatch):
    """HM01 only warns from now on, in a folder of site forms; no database knows it yet."""
    definition = yaml.safe_load((BUILT_IN / "hosp_monthly.yml").read_text(encoding="utf-8"))
    next(one for one in definition["rules"] if one["id"] == "HM01")["severity"] = "soft"
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "hosp_monthly.yml").write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv("WAREHOUSE_FORMS", str(folder))
    get_settings.cache_clear()


@pytest.fixture
def waiting(bureau):
    bureau.send("a.csv", bureau.row(outpatient=9999))
    bureau.send("b.csv", bureau.row("T-2", outpatient=9999))
    bureau.send("c.csv", bureau.row(month="2015-03"))
    bureau.take_in()


@pytest.mark.usefixtures("waiting", "softened")
def test_replay_shows_first_and_does_it_when_told(bureau, replay):
    said = replay("--quarantined-only", "--unit", "T-1")
    assert "1 files read again, 0 reports unchanged, 1 would change" in said
    assert "quarantined → accepted_with_warnings" in said
    assert "revision 1 → 2" in said
    assert "Nothing was written" in said
    assert bureau.revisions() == [(1, "quarantined")]

    said = replay("--quarantined-only", "--unit", "T-1", "--do", "--reason", "HM01放宽")
    assert "1 changed" in said
    assert bureau.revisions() == [(1, "superseded"), (2, "accepted_with_warnings")]
    assert bureau.revisions("T-2") == [(1, "quarantined")]
    assert "0 would change" in replay("--unit", "T-1")


@pytest.mark.usefixtures("waiting", "softened")
def test_replay_for_machines_lists_every_change(replay):
    answer = json.loads(
        replay("--form", "hosp_monthly", "--from", "2015-01-01", "--to", "2015-01-31", "--json")
    )
    assert (answer["dry_run"], answer["files"], answer["unchanged"]) == (True, 2, 0)
    assert [(one["subject_code"], one["after"], one["rules"]) for one in answer["changes"]] == [
        ("T-1", "accepted_with_warnings", ["HM01"]),
        ("T-2", "accepted_with_warnings", ["HM01"]),
    ]


@pytest.mark.usefixtures("waiting")
def test_replay_of_one_file(replay):
    assert "1 files read again, 1 reports unchanged, 0 would change" in replay("--file", "c.csv")


@pytest.mark.usefixtures("waiting", "softened")
def test_replay_is_a_run_with_its_outcome(bureau, replay):
    replay("--do", "--reason", "HM01放宽")
    assert bureau.rows("select kind, status, outcome from warehouse.run") == [
        ("command", "succeeded", "3 files read again, 2 reports changed")
    ]
