"""The pages name only what exists: commands, options, settings, targets, files, messages. Their pictures are fresh."""

import csv
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from expectations.declared import from_files
from ingestion.forms_catalogue import BUILT_IN
from warehouse.cli import app
from warehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
README, CONTRIBUTING, RUNBOOK = ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "runbook.md"
PAGES = [README, CONTRIBUTING, *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = (
    "dags",
    "dbt_project",
    "docker",
    "docs",
    "expectations",
    "ingestion",
    "samples",
    "tests",
    "warehouse",
)

NOT_SETTINGS = {"WAREHOUSE_POSTGRES_OPTIONS"}

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def code(page: Path) -> Iterator[str]:
    """Lines of shell blocks, and inline code."""
    text = page.read_text()
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def commands(page: Path) -> Iterator[list[str]]:
    """Words of each ``warehouse …`` command that a page shows."""
    for line in code(page):
        for found in re.findall(r"(?:^|\$\(|&& )warehouse ([a-z].*)", line):
            yield shlex.split(
                re.split(r"\)\"|\s#\s", found)[0].split(" && ")[0].replace("…", "X"), comments=True
            )


@page
def test_every_command_exists_with_its_options(page: Path):
    for words in commands(page):
        command, rest = get_command(app), list(words)
        while hasattr(command, "commands"):
            if command.invoke_without_command and not rest:
                break
            assert rest, words
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        given = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert given <= known, words


def test_commands_are_found_on_the_pages():
    assert ["release", "diff", "1", "2"] in list(commands(README))
    assert ["url", "--role", "owner"] in list(commands(RUNBOOK))


@page
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings
            }, target


@page
def test_every_setting_exists(page: Path):
    known = {f"WAREHOUSE_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    assert set(re.findall(r"\bWAREHOUSE_[A-Z_]+\b", page.read_text())) <= known


@page
def test_every_make_target_exists(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in code(page) for word in re.findall(r"^make ([a-z-]+)", line)}
    assert named <= targets


@page
def test_every_path_of_the_checkout_exists(page: Path):
    for text in code(page):
        for name in re.findall(rf"(?:^|[\s(`])((?:{'|'.join(ROOMS)})/[\w./*<>-]*)", text):
            if "<" in name:
                continue
            assert (
                list(ROOT.glob(name.rstrip("./"))) if "*" in name else (ROOT / name.rstrip(".")).exists()
            ), name


def test_every_folder_stands_in_the_table_of_rooms():
    listed = set(re.findall(r"^\| `(\w+)/` \|", README.read_text(), re.MULTILINE))
    assert listed == set(ROOMS)


def test_messages_of_the_runbook_are_those_of_the_code():
    sources = " ".join(
        file.read_text()
        for room in ("warehouse", "ingestion", "expectations", "dags")
        for file in (ROOT / room).rglob("*.py")
    )
    said = re.sub(r'"\s*\n\s*f?"', "", sources)
    rows = re.findall(r"^\| (?:any|`\w+`)[^|]*\|([^|]+)\|", RUNBOOK.read_text(), re.MULTILINE)
    parts = [
        part.strip()
        for row in rows
        for message in re.findall(r"`([^`]+)`", row)
        for part in re.split(r"…|\b[NM]\b", message)
        if len(part.strip()) > 3
    ]
    assert len(parts) > 10
    assert [part for part in parts if part.strip(":, ") not in said] == []


def test_findings_of_the_runbook_are_those_of_the_intake():
    sources = "".join(file.read_text() for file in (ROOT / "ingestion").rglob("*.py"))
    named = re.findall(
        r"`([A-Z]+_[A-Z_]*)…?`", RUNBOOK.read_text().split("## A file was not taken in")[1].split("\n## ")[0]
    )
    assert len(named) > 8
    assert [name for name in named if f'"{name}' not in sources] == []


def test_stages_of_the_runbook_are_those_of_the_night():
    stages = set(
        re.findall(
            r'stage\(engine\(Role\.LOADER\)?,? ?run_id, "(\w+)"', (ROOT / "dags" / "stages.py").read_text()
        )
    )
    stages |= set(re.findall(r'stage\(loader, run_id, "(\w+)"', (ROOT / "dags" / "stages.py").read_text()))
    named = set(
        re.findall(
            r"^\| `(\w+)`", RUNBOOK.read_text().split("## A stage is red")[1].split("\n## ")[0], re.MULTILINE
        )
    )
    assert named
    assert named <= stages


def test_limits_name_the_forms_and_indicators_that_there_are():
    limits = README.read_text().split("## Limits")[1]
    assert f"({len(list(BUILT_IN.glob('*.yml')))} in all)" in limits.split("\n- ")[1]
    with (ROOT / "dbt_project" / "seeds" / "indicator.csv").open() as seed:
        assert f"- {len(list(csv.DictReader(seed)))} indicators" in limits


def test_every_table_of_the_star_has_a_suite():
    models = (ROOT / "dbt_project" / "models").glob("[dm]*/**/*.sql")
    assert {model.stem for model in models} == {suite.table for suite in from_files().suites}


def test_pictures_and_tables_are_those_of_the_code(tmp_path: Path):
    checked = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "pictures.py"), "--check"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_stale_table_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import pictures

    assert pictures.rendered(
        README.read_text().replace("Asia/Shanghai` |", "UTC` |")
    ) != README.read_text().replace("Asia/Shanghai` |", "UTC` |")
