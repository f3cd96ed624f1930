"""What the pages show of the star: a table of all facts, and a picture of keys for each area.

Everything comes from dbt's manifest, and which column leads to which dimension from the dbt test that proves every
key. No database is asked.
"""

import ast
import json
import re
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"

Model = Mapping[str, Any]

MOST_IN_A_PICTURE = 4


def facts() -> str:
    """A table of the facts and marts by area: what a row stands for, and the forms that feed it."""
    lines = ["| area | table | one row per | from |", "|---|---|---|---|"]
    for area, models in _by_area(("fct_", "mart_")).items():
        lines += [
            f"| {area if number == 0 else ''} | `{name}` | {_grain(model)} | {_sources(model)} |"
            for number, (name, model) in enumerate(models.items())
        ]
    return "\n".join(lines) + "\n"


def areas() -> str:
    """For each area pictures of its facts with their keys and the dimensions that these name."""
    parts = []
    for area, models in _by_area(("fct_", "mart_")).items():
        # With more tables in a row a picture is too small to be read.
        pictures = -(-len(models) // MOST_IN_A_PICTURE)
        shared = -(-len(models) // pictures)
        tables = list(models.items())
        drawn = [_picture(dict(tables[i : i + shared])) for i in range(0, len(tables), shared)]
        parts.append(f"## {area}\n\n" + "\n".join(drawn))
    return "\n".join(parts)


def _picture(models: Mapping[str, Model]) -> str:
    """Tables with their keys, and a line to each dimension."""
    lines = ["erDiagram"]
    for name, model in models.items():
        lines += _entity(name, model, _resolved_keys())
    for name, model in models.items():
        lines += [
            f'    {name} }}o--|| {dimension} : "{", ".join(columns)}"'
            for dimension, columns in _dimensions(model).items()
        ]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def dimensions() -> str:
    """The dimensions and bridges with their keys."""
    lines = ["erDiagram"]
    for models in _by_area(("dim_", "bridge_")).values():
        for name, model in models.items():
            lines += _entity(name, model, {})
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _entity(name: str, model: Model, named: Mapping[str, str]) -> list[str]:
    """A table with its key columns."""
    grain = model["config"]["unique_key"]
    lines = [f"    {name} {{"]
    for column, described in model["columns"].items():
        marks = [mark for mark, holds in (("PK", column in grain), ("FK", column in named)) if holds]
        if marks:
            lines.append(f"        {described['data_type']} {column} {', '.join(marks)}")
    return [*lines, "    }"]


def _dimensions(model: Model) -> dict[str, list[str]]:
    """Dimensions that the columns of a fact lead to; of a mart, the tables that it reads."""
    keys = _resolved_keys()
    found: dict[str, list[str]] = {}
    for column in model["columns"]:
        if column in keys:
            found.setdefault(keys[column], []).append(column)
    return found


def _grain(model: Model) -> str:
    return str(re.split(r"[.:]", model["description"].removeprefix("Grain: one row per "))[0].strip())


def _sources(model: Model) -> str:
    """Forms that a fact reads, or the tables of the star that a mart reads."""
    forms = model["config"]["meta"].get("forms")
    if forms:
        return ", ".join(f"`{form}`" for form in forms)
    read = {node.rpartition(".")[2] for node in model["depends_on"]["nodes"]}
    tables = sorted(name for name in read if name.startswith(("fct_", "mart_")))
    return ", ".join(f"`{name}`" for name in tables) or "every form"


def _by_area(prefixes: tuple[str, ...]) -> dict[str, dict[str, Model]]:
    """Models by the folder they lie in; what lies in none concerns every form, and marts come last."""
    found: dict[str, dict[str, Model]] = {}
    for name, model in _models().items():
        if name.startswith(prefixes):
            found.setdefault(_area(model), {})[name] = model
    return {area: found[area] for area in sorted(found, key=lambda area: (area == "Marts", area))}


def _area(model: Model) -> str:
    folders = model["path"].split("/")[:-1]
    folder = folders[1] if len(folders) > 1 else ("marts" if folders == ["marts"] else "all_forms")
    return str(folder.replace("maternal_child", "mothers_and_children").replace("_", " ").capitalize())


@lru_cache
def _models() -> dict[str, Model]:
    """Models of the star by name, as dbt parses them."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - takes seconds

    with tempfile.TemporaryDirectory() as target:
        places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", target]
        parsed = dbtRunner().invoke(
            ["--quiet", "--log-level", "none", "--log-path", target, "parse", *places]
        )
        if not parsed.success:
            raise RuntimeError("dbt cannot parse the project") from parsed.exception
        nodes = json.loads((Path(target) / "manifest.json").read_text())["nodes"].values()
    models = {
        node["name"]: node for node in nodes if node["resource_type"] == "model" and node["schema"] == "star"
    }
    return dict(sorted(models.items()))


@lru_cache
def _resolved_keys() -> dict[str, str]:
    """Which dimension each key column names, from the dbt test that proves it of every candidate."""
    source = (PROJECT / "tests" / "keys_resolve.sql").read_text()
    found = re.search(r"set keys = (\{.*?\}) %", source, re.DOTALL)
    if found is None:
        raise RuntimeError("keys_resolve.sql names no keys")
    return {column: dimension for column, (dimension, _) in ast.literal_eval(found[1]).items()}
