"""Passwords are made once and only their owner can read them."""

import stat

from warehouse.secrets import password


def test_a_password_is_made_once_and_kept(settings):
    first = password(settings, "reader")
    assert len(first) >= 24
    assert password(settings, "reader") == first
    assert password(settings, "loader") != first


def test_only_the_owner_can_read_a_password_file(settings):
    password(settings, "reader")
    assert stat.S_IMODE((settings.secrets / "reader").stat().st_mode) == 0o600
    assert [file.name for file in settings.secrets.iterdir()] == ["reader"]


def test_a_password_given_by_the_operator_is_used(settings):
    settings.secrets.mkdir()
    (settings.secrets / "reader").write_text("given\n")
    assert password(settings, "reader") == "given"
