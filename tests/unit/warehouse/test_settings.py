"""Settings: defaults below home, everything from the environment, wrong values refused."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from warehouse.settings import Settings


def test_folders_left_out_lie_below_home(tmp_path):
    settings = Settings(home=tmp_path)
    for folder in (
        settings.site,
        settings.inbox,
        settings.file_store,
        settings.secrets,
        settings.airflow_home,
    ):
        assert folder.is_relative_to(tmp_path)


def test_every_setting_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WAREHOUSE_INBOX", str(tmp_path / "inbox"))
    monkeypatch.setenv("WAREHOUSE_FORMS", os.pathsep.join(["/a", "/b"]))
    settings = Settings()
    assert settings.home == tmp_path / "elsewhere"
    assert settings.inbox == tmp_path / "inbox"
    assert settings.forms == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAREHOUSE_DATABASE_URL", "mysql://localhost/x"),
        ("WAREHOUSE_TIMEZONE", "Asia/Nowhere"),
        ("WAREHOUSE_TIMEZONE", "../etc/passwd"),
        ("WAREHOUSE_LOG_LEVEL", "LOUD"),
        ("WAREHOUSE_PORT", "70000"),
        ("WAREHOUSE_ROLE_PREFIX", "a;drop"),
    ],
)
def test_a_wrong_value_is_refused(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_an_empty_database_url_means_the_embedded_server(monkeypatch):
    monkeypatch.setenv("WAREHOUSE_DATABASE_URL", "")
    assert Settings().database_url is None


def test_a_database_password_does_not_show_when_settings_are_printed():
    settings = Settings(database_url="postgresql://owner:planted-secret@localhost/w")
    assert "planted-secret" not in repr(settings)
