"""What stands in the way of a command is one line with its cause and a line with the way out, never a traceback."""

import pytest
from psycopg import OperationalError as DriverError
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner, Result

from ingestion.findings import Finding
from warehouse import database, release
from warehouse.cli import app, data
from warehouse.cli.server import _release
from warehouse.errors import WarehouseError
from warehouse.settings import Settings, get_settings

REFUSED = (
    'connection to server at "127.0.0.1", port 5 failed: FATAL:  password authentication failed\n\tIs it?'
)


@pytest.fixture
def _own_settings(monkeypatch):
    """The command reads its settings from the environment, anew."""
    get_settings.cache_clear()
    database.engine.cache_clear()
    yield
    get_settings.cache_clear()
    database.engine.cache_clear()


def said(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize(
    ("name", "value"), [("WAREHOUSE_TIMEZONE", "Mars/Base"), ("WAREHOUSE_LOG_LEVEL", "loud")]
)
def test_a_wrong_setting_is_named(monkeypatch, _own_settings, name, value):
    monkeypatch.setenv(name, value)
    result = said("status")
    assert result.exit_code == 1
    assert f"error: Settings are wrong: {name}" in result.stderr
    assert "mend:" in result.stderr


@pytest.mark.parametrize("words", [("status",), ("url",), ("quarantine",), ("sample",)])
def test_a_home_that_cannot_be_written_is_named(monkeypatch, _own_settings, tmp_path, words):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "file"))
    result = said(*words)
    assert result.exit_code == 1
    assert f"error: {tmp_path / 'file'}" in result.stderr.replace("\n", "")
    assert "WAREHOUSE_HOME" in result.stderr


def test_no_connection_says_why_and_keeps_the_password():
    settings = Settings(database_url="postgresql://owner:planted-secret@db.example:5432/w")
    error = database.no_answer(settings, OperationalError(None, None, DriverError(REFUSED)))
    assert error.message == (
        "No connection to the database db.example:5432/w: connection to server at"
        ' "127.0.0.1", port 5 failed: FATAL:  password authentication failed.'
    )
    assert "WAREHOUSE_DATABASE_URL" in str(error.mend)
    assert "planted-secret" not in str(error)


def test_the_embedded_server_is_started_by_the_command(settings: Settings):
    error = database.no_answer(settings, OperationalError(None, None, DriverError("Connection refused")))
    assert error.mend == "Start it with: warehouse up"


def test_lost_passwords_are_put_back(settings: Settings):
    error = database.no_answer(settings, OperationalError(None, None, DriverError(REFUSED)))
    assert str(settings.secrets) in str(error.mend)


def test_a_statement_that_failed_is_no_missing_connection(settings: Settings):
    statement = OperationalError("select secret", {}, DriverError("deadlock detected"))
    error = database.no_answer(settings, statement)
    assert error.message == "The database gave up: deadlock detected."
    assert "secret" not in str(error)


@pytest.mark.parametrize("command", [release.undo, release.redo, release.resume])
def test_the_pointer_is_not_moved_without_a_reason(command):
    with pytest.raises(WarehouseError, match="needs a reason"):
        command(None, "  ")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--from", "2015-01-01", "--to", "2015-12-31", "--reason", " "), "A reload needs a reason"),
        (("--from", "2016-01-01", "--to", "2015-12-31", "--reason", "核"), "before they begin on 2016-01-01"),
        (
            ("--from", "2015-01-01", "--to", "2015-12-31", "--reason", "核", "--form", "hosp_month"),
            "There is no form 'hosp_month'",
        ),
    ],
)
def test_a_reload_that_cannot_be_meant_does_not_begin(settings: Settings, words, error):
    result = said("backfill", *words)
    assert result.exit_code == 1
    assert error in result.stderr
    assert not settings.home.joinpath("postgres").exists()


def test_a_site_elsewhere_that_is_missing_is_not_mended_by_the_sample(
    settings: Settings, monkeypatch, tmp_path
):
    monkeypatch.setenv("WAREHOUSE_SITE", str(tmp_path / "nowhere"))
    get_settings.cache_clear()
    result = said("nightly")
    assert result.exit_code == 1
    assert "WAREHOUSE_SITE" in result.stderr
    assert "warehouse sample" not in result.stderr


def test_a_replay_of_a_form_that_is_not_there_names_the_nearest(settings: Settings):
    result = said("replay", "--form", "hosp_month")
    assert result.exit_code == 1
    assert "hosp_monthly" in result.stderr


@pytest.mark.parametrize(("severity", "good"), [("hard", False), ("soft", True)])
def test_a_file_with_a_record_of_an_unknown_unit_is_not_good(severity, good):
    finding = Finding("UNIT_UNKNOWN", "file", severity, "机构目录中没有", "unknown unit")
    assert data._is_good({"reports": (), "findings": (finding,)}) is good


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"release": None, "undone": None}, "none published yet"),
        ({"release": 3, "undone": None}, "3"),
        ({"release": 2, "undone": 3}, "2  (release 3 is undone: nights build nothing until"),
        ({"release": None, "undone": 1}, "none  (release 1 is undone"),
    ],
)
def test_status_says_that_a_release_is_undone(found, told):
    assert _release(found).startswith(told)
