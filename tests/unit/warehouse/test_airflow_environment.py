"""What Airflow's processes are told about the instance."""

import os
from pathlib import Path

import pytest

from warehouse.airflow.environment import environment
from warehouse.settings import Settings


def test_folders_given_as_relative_paths_reach_airflow_as_absolute_ones(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"WAREHOUSE_FORMS": f"own{os.pathsep}more", "WAREHOUSE_SITE": "bureau"}.items():
        monkeypatch.setenv(name, value)
    told = environment(Settings(home=settings.home))
    assert told["WAREHOUSE_FORMS"].split(os.pathsep) == [str(tmp_path / "own"), str(tmp_path / "more")]
    assert told["WAREHOUSE_SITE"] == str(tmp_path / "bureau")


def test_without_forms_of_its_own_the_instance_names_none(settings: Settings) -> None:
    assert environment(settings)["WAREHOUSE_FORMS"] == ""
