"""The command that writes constructed reports: where it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

from warehouse.cli.sample import sample
from warehouse.errors import SettingsError
from warehouse.settings import Settings


def test_a_prefecture_is_generated_into_a_folder_of_its_own(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample(units=5, years=1, errors=0.05, out=tmp_path / "out", file_format="csv", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["reports"] > 100
    assert told["errors"] > 0
    assert all(Path(file).is_file() for file in told["files"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"site", "inbox", "truth"}
    assert not settings.site.exists()


def test_an_instance_with_units_of_its_own_keeps_them(settings: Settings) -> None:
    settings.site.mkdir(parents=True)
    with pytest.raises(SettingsError, match="has a site folder already"):
        sample(units=5, years=1)


def test_nothing_is_written_when_a_site_folder_is_there(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.site.mkdir(parents=True)
    sample(if_missing=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"written": []}
    assert not settings.inbox.exists()


def test_what_a_person_wrote_into_the_site_folder_is_not_written_over(settings: Settings) -> None:
    sample(as_json=True)
    sample(as_json=True)
    waivers = settings.site / "waivers.yml"
    waivers.write_text("# ours\n[]\n")
    with pytest.raises(SettingsError, match=r"files of its own: waivers\.yml"):
        sample()
    assert waivers.read_text() == "# ours\n[]\n"
    sample(delivery="amendment", as_json=True)
