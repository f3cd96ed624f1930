"""MetricFlow's own command on this project: the core indicators as metrics, asked by name and grouping."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from warehouse import building
from warehouse.errors import SettingsError
from warehouse.settings import Settings

FILES = ("dbt_project.yml", "profiles.yml")


def ask(settings: Settings, arguments: Sequence[str]) -> int:
    """Run ``mf`` with the project's profile (role builder) and present metrics; returns its exit code.

    ``mf`` wants to stand in a dbt project whose folder ``target`` has the metrics: that is a folder of the instance.
    Raises :class:`SettingsError` when MetricFlow is not installed.
    """
    command = Path(sys.executable).with_name("mf")
    if not command.exists():
        raise SettingsError(
            "MetricFlow is not installed here.",
            mend="It comes with the development tools (group dev of pyproject.toml).",
        )
    folder = settings.home / "dbt" / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        _link(folder / name, building.PROJECT / name)
    _link(folder / "target", settings.home / "dbt" / "target")
    building.parse(settings)
    with building.environment(settings):
        environment = os.environ | {
            "DBT_PROFILES_DIR": str(folder),
            "DBT_LOG_PATH": str(settings.home / "dbt" / "logs"),
        }
    return subprocess.run([str(command), *arguments], cwd=folder, env=environment, check=False).returncode


def _link(link: Path, target: Path) -> None:
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(target)
