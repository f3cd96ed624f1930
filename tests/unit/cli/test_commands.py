"""The ``warehouse`` command without a database: help, errors, JSON, the sample."""

import json

import pytest
from typer.testing import CliRunner

from warehouse.cli import app

runner = CliRunner()


def run(*arguments):
    return runner.invoke(app, list(arguments))


@pytest.fixture
def home(settings):
    """Home of an instance whose database was never started."""
    return settings.home


def test_help_lists_every_command():
    listed = run("--help").output
    for command in [
        "up",
        "down",
        "status",
        "url",
        "psql",
        "indicators",
        "metrics",
        "ingest",
        "check",
        "replay",
        "reports",
        "timeliness",
        "quarantine",
        "findings",
        "withdraw",
        "nightly",
        "backfill",
        "sample",
        "checks",
        "releases",
        "release",
    ]:
        assert f" {command} " in listed


@pytest.mark.parametrize(
    "arguments",
    [["releases"], ["reports"], ["quarantine"], ["checks"], ["findings"], ["release", "diff", "1", "2"]],
)
def test_without_a_database_a_command_says_how_to_start_it(home, arguments):
    result = run(*arguments)
    assert result.exit_code == 1
    assert "warehouse up" in result.stderr
    assert "Traceback" not in result.output


def test_doing_a_replay_needs_a_reason(home):
    result = run("replay", "--do")
    assert result.exit_code == 1
    assert "--reason" in result.output


def test_error_is_json_when_json_is_asked_for(home):
    result = run("releases", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["mend"] == "Start it with: warehouse up"


def test_status_says_that_all_is_down(home):
    found = json.loads(run("status", "--json").stdout)
    assert "version" not in found["database"]
    assert {service["pid"] for service in found["airflow"]["services"]} == {None}


def test_nightly_without_a_site_says_what_to_do(home):
    result = run("nightly")
    assert result.exit_code == 1
    assert "warehouse sample" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["release", "undo"], ["backfill", "--from", "2015"]]
)
def test_wrong_use_ends_with_code_two(home, arguments):
    assert run(*arguments).exit_code == 2


def test_wrong_setting_is_named_without_its_value(home, monkeypatch):
    from warehouse.settings import get_settings

    monkeypatch.setenv("WAREHOUSE_DATABASE_URL", "not-a-url-but-a-secret")
    get_settings.cache_clear()
    result = run("status")
    assert result.exit_code == 1
    assert "WAREHOUSE_DATABASE_URL" in result.stderr
    assert "a-secret" not in result.output


def test_sample_is_written_once(home):
    written = json.loads(run("sample", "--json").stdout)["written"]
    assert len(written) > 100
    assert (home / "site" / "sources.yml").exists()
    assert json.loads(run("sample", "--if-missing", "--json").stdout)["written"] == []


def test_sample_leaves_a_site_elsewhere_alone(home, monkeypatch, tmp_path):
    from warehouse.settings import get_settings

    monkeypatch.setenv("WAREHOUSE_SITE", str(tmp_path / "elsewhere"))
    get_settings.cache_clear()
    result = run("sample")
    assert result.exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("role", ["reader", "loader", "builder", "auditor", "publisher", "owner"])
def test_url_of_a_role(home, role):
    found = json.loads(run("url", "--role", role, "--json").stdout)["url"]
    assert found.startswith(f"postgresql://{role}:")
    assert found.endswith("/warehouse")


def test_url_can_hide_the_password(home):
    assert ":***@" in run("url", "--no-password").stdout


def test_passwords_are_readable_by_their_owner_alone(home):
    run("url")
    assert {file.stat().st_mode & 0o077 for file in (home / "secrets").iterdir()} == {0}
