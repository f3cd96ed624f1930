"""Pictures and tables of the documentation, made from the code they show: ``make docs``.

Each stands between ``<!-- generated: NAME -->`` and ``<!-- end: NAME -->`` in one of the pages. The walk comes from the
nightly DAG and from what its stages import, the star from dbt's manifest and from the test that proves every key, the
settings from their class, the figures of the plan from the sample. ``--check`` writes nothing and fails on a stale
page.
"""

import ast
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import star_pictures

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / name for name in ("longhu-2015.md", "nantong-and-haian.md", "star.md")),
)

_BLOCK = re.compile(
    r"(<!-- generated: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end: (?P=name) -->)", re.DOTALL
)

VERDICTS = {
    "agrees": "agrees",
    "truncated": "cut off, not rounded",
    "rounding": "off by one in the last digit",
    "conflict": "**conflict**",
    "impossible": "**impossible**",
}


def main(arguments: list[str]) -> int:
    """Write the generated blocks of every page, or with ``--check`` say which page is stale."""
    only_check = "--check" in arguments
    stale = [page for page in PAGES if rendered(page.read_text()) != page.read_text()]
    for page in stale:
        if not only_check:
            page.write_text(rendered(page.read_text()))
        sys.stdout.write(
            f"{page.relative_to(ROOT)} {'is stale; run: make docs' if only_check else 'written'}\n"
        )
    return int(only_check and bool(stale))


def rendered(text: str) -> str:
    """The text with every generated block made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found['name']]()}{found[4]}", text)


# The walk: tasks and edges of the nightly DAG, and the modules that each task's stage calls


def walk() -> str:
    """The nightly DAG as Airflow knows it, each task with the room that does its work."""
    dag = _nightly()
    rooms = _rooms_of_tasks()
    tasks = [task for task in dag.topological_sort() if not task.is_setup]
    downstream = {task.task_id: set(task.downstream_task_ids) for task in tasks}
    failing = {task.task_id for task in tasks if task.trigger_rule == "one_failed"}
    solid = {name: followers - failing for name, followers in downstream.items()}
    lines = ["flowchart TD", '    inbox[/"inboxes: one folder a source"/] --> receive']
    for task in tasks:
        many = " (one a source)" if task.is_mapped else ""
        label = "<br/>".join([f"<b>{task.task_id}</b>{many}", *rooms.get(task.task_id, ())])
        lines.append(f'    {task.task_id}["{label}"]')
    for name, followers in solid.items():
        # An edge that a longer way says already is left out; Airflow has it all the same.
        lines += [f"    {name} --> {other}" for other in sorted(followers) if not _detour(solid, name, other)]
    for name in sorted(failing):
        lines += [f"    {before} -. failed .-> {name}" for before in downstream if name in downstream[before]]
    lines.append('    publish --> bi[("BI: schema published")]')
    return _mermaid(lines)


def _nightly() -> Any:
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        from dags.nightly import nightly  # noqa: PLC0415 - Airflow reads its home when it is imported

        return nightly()


def _detour(edges: Mapping[str, set[str]], start: str, end: str) -> bool:
    """Whether another way than the edge itself leads from start to end."""
    reached, waiting = set(), [other for other in edges[start] if other != end]
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += edges.get(here, ())
    return end in reached


def _rooms_of_tasks() -> dict[str, list[str]]:
    """For each task, ``room: modules`` that its stage imports, read from the source of both files."""
    stages = {
        node.name: _rooms_of_imports(node)
        for node in ast.walk(_tree("dags/stages.py"))
        if isinstance(node, ast.FunctionDef)
    }
    found: dict[str, list[str]] = {}
    for node in ast.walk(_tree("dags/nightly.py")):
        if isinstance(node, ast.FunctionDef) and node.decorator_list and node.name != "nightly":
            called = [
                part.attr
                for part in ast.walk(node)
                if isinstance(part, ast.Attribute) and getattr(part.value, "id", "") == "stages"
            ]
            names = [
                str(keyword.value.value)
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                for keyword in decorator.keywords
                if keyword.arg == "task_id" and isinstance(keyword.value, ast.Constant)
            ]
            found[(names or [node.name])[0]] = stages[called[0]] if called else []
    return found


def _rooms_of_imports(function: ast.FunctionDef) -> list[str]:
    from warehouse.building import PROJECT  # noqa: PLC0415

    modules = [
        (PROJECT.name, "dbt")
        if (part.module, name.name) == ("warehouse", "building")
        else (part.module, name.name)
        for part in ast.walk(function)
        if isinstance(part, ast.ImportFrom) and part.module in ("ingestion", "warehouse", "expectations")
        for name in part.names
    ]
    return [
        f"{room}/ {', '.join(name for _, name in group)}"
        for room, group in groupby(sorted(modules), key=lambda pair: pair[0])
    ]


def _tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


# Tables


def settings() -> str:
    """Every setting with its default and meaning."""
    from warehouse.settings import Settings  # noqa: PLC0415

    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if name == "home":
            shown = "`.warehouse` in the checkout"
        elif field.default_factory is not None and not field.default_factory_takes_validated_data:
            shown = "as many as cores"
        elif field.default_factory is not None:
            shown = f"`{field.default_factory({'home': Path()})}` below the home"  # type: ignore[call-arg]
        else:
            shown = (
                f"`{str(default).lower() if isinstance(default, bool) else default}`"
                if default or default == 0
                else ""
            )
        lines.append(f"| `WAREHOUSE_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def longhu() -> str:
    """Every figure that the plan prints and reports can carry."""
    from samples.longhu import EXPECTED  # noqa: PLC0415

    return _figures(EXPECTED)


def longhu_differences() -> str:
    """Those that do not agree with what the reports say."""
    from samples.longhu import EXPECTED, Verdict  # noqa: PLC0415

    return _figures(figure for figure in EXPECTED if figure.verdict is not Verdict.AGREES)


def longhu_not_carried() -> str:
    """What the plan prints and no report carries."""
    from samples.longhu import NOT_CARRIED  # noqa: PLC0415

    lines = ["| indicator | printed | verdict | why no reports yield it |", "|---|---|---|---|"]
    lines += [
        f"| `{code}` | {printed} | {VERDICTS['impossible']} | {why} |" for code, printed, why in NOT_CARRIED
    ]
    return "\n".join(lines) + "\n"


def nantong() -> str:
    """Every figure of Nantong's plan for 2015, and what the reports say of it."""
    from samples import reported  # noqa: PLC0415

    return reported.page("nantong_2015")


def haian() -> str:
    """Every figure of Hai'an's plan for 2024, and what the reports say of it."""
    from samples import reported  # noqa: PLC0415

    return reported.page("haian_2024")


def _figures(figures: Iterable[Any]) -> str:
    lines = [
        "| section | figure | printed | computed | from | verdict | note |",
        "|---|---|---:|---:|---|---|---|",
    ]
    for figure in figures:
        origin = (
            f"{figure.numerator:,} ÷ {figure.denominator:,}" if figure.denominator else "sum of the reports"
        )
        printed = f"{int(figure.printed):,}" if figure.printed.isdigit() else figure.printed
        printed = figure.words or ("≥ " if figure.operator == ">=" else "") + printed
        lines.append(
            f"| {figure.section} | {figure.name_zh}（{figure.unit}） | {printed} | {figure.rounded:,} | {origin}"
            f" | {VERDICTS[figure.verdict.value]} | {figure.note} |"
        )
    return "\n".join(lines) + "\n"


def _mermaid(lines: Iterable[str]) -> str:
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "walk": walk,
    "star": star_pictures.facts,
    "star-areas": star_pictures.areas,
    "star-dimensions": star_pictures.dimensions,
    "settings": settings,
    "longhu": longhu,
    "longhu-differences": longhu_differences,
    "longhu-not-carried": longhu_not_carried,
    "nantong": nantong,
    "haian": haian,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
