"""Commands about releases: list, differences, undo, redo, resume."""

from typing import Annotated, Any

import typer

from warehouse.cli.output import App, Json, console, plain, print_json, print_rows
from warehouse.database import Role, engine

Reason = Annotated[str, typer.Option(help="Why; kept in the log of the pointer.")]


def register(app: App) -> None:
    """Add the commands of this module."""
    app.command()(releases)
    group = App(help="Compare releases, take one back, bring it again.", no_args_is_help=True)
    for command in (diff, undo, redo, resume):
        group.command()(command)
    app.add_typer(group, name="release")


def releases(*, as_json: Json = False) -> None:
    """List the releases, the newest first."""
    from warehouse import release  # noqa: PLC0415

    rows = release.releases(engine(Role.AUDITOR))
    if as_json:
        print_json(rows)
        return
    columns = (
        "release_id",
        "current",
        "status",
        "verdict",
        "base_release",
        "opened_at",
        "closed_at",
        "reason",
    )
    print_rows(rows, columns, title="Releases", empty="No release yet; run: warehouse nightly")


def diff(
    a: Annotated[int, typer.Argument(help="The earlier release; 0 is the empty star.")],
    b: Annotated[int, typer.Argument(help="The later release.")],
    *,
    limit: Annotated[int, typer.Option(help="At most so many changed cells a table.")] = 1000,
    as_json: Json = False,
) -> None:
    """Say what readers see differently at release B than at A, table by table and cell by cell."""
    from warehouse import difference  # noqa: PLC0415

    found = difference.diff(engine(Role.PUBLISHER), a, b, limit=limit)
    if as_json:
        print_json(found)
        return
    columns = ("table", "added", "removed", "changed")
    print_rows(found, columns, title=f"Release {a} → {b}", empty="No difference.")
    for table in found:
        if table.cells:
            console.print()
            cells: list[dict[str, Any]] = plain(table.cells)
            for cell in cells:
                cell["key"] = " ".join(str(part) for part in cell["key"].values())
            print_rows(
                cells, ("key", "column", "old", "new"), title=f"{table.table}: changed cells", empty=""
            )


def undo(*, reason: Reason, as_json: Json = False) -> None:
    """Take the current release back: BI reads the one before it at once."""
    from warehouse import release  # noqa: PLC0415

    _say("current", release.undo(engine(Role.PUBLISHER), reason), as_json=as_json)


def redo(*, reason: Reason, as_json: Json = False) -> None:
    """Bring the release that was taken back last again."""
    from warehouse import release  # noqa: PLC0415

    _say("current", release.redo(engine(Role.PUBLISHER), reason), as_json=as_json)


def resume(*, reason: Reason, as_json: Json = False) -> None:
    """Give up what was taken back: the next night builds on the current release."""
    from warehouse import release  # noqa: PLC0415

    _say("set_aside", release.resume(engine(Role.PUBLISHER), reason), as_json=as_json)


def _say(what: str, value: object, *, as_json: bool) -> None:
    if as_json:
        print_json({what: value})
    elif value == 0:
        console.print("BI now reads empty tables: no release was published before this one")
    else:
        label = {"current": "BI now reads release", "set_aside": "set aside: release"}[what]
        console.print(f"{label} {value if not isinstance(value, list) else ', '.join(map(str, value))}")
