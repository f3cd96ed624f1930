"""What every command shares: printing for a person or as JSON, and errors as one clear line."""

import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import OperationalError, ProgrammingError
from typer.core import TyperGroup

from warehouse.database import no_answer
from warehouse.errors import ServerError, SettingsError, WarehouseError
from warehouse.logs import configure_logs
from warehouse.settings import get_settings

CELL = 160
"""Longest text in a cell of a table."""

NARROW = {
    "code",
    "status",
    "release_id",
    "severity",
    "rule_id",
    "check_id",
    "cell",
    "opened_at",
    "closed_at",
    "started_at",
}
"""Columns that are never broken over lines."""

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

console = Console(width=None if sys.stdout.isatty() else 160)
errors = Console(stderr=True)


def _remember(ctx: typer.Context, wanted: bool) -> bool:
    ctx.meta["json"] = wanted
    return wanted


Json = Annotated[
    bool, typer.Option("--json", help="Print JSON for machines.", callback=_remember, is_eager=True)
]
"""Option of every command that prints something."""


class _Group(TyperGroup):
    """A group of commands whose errors a person can act on."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a :class:`WarehouseError` is printed and ends the process with code 1."""
        try:
            # To standard error: what a command prints is for its reader, and with --json for a machine.
            configure_logs()
            return super().invoke(ctx)
        except WarehouseError as error:
            known = error
        except ValidationError as error:
            known = _settings_error(error)
        except OperationalError as error:
            known = no_answer(get_settings(), error)
        except ProgrammingError as error:
            known = ServerError(f"The database is not set up: {error.orig}".strip(), mend="Run: warehouse up")
        except OSError as error:
            # One that names no file, such as a pipe that its reader closed, is not for a person to mend.
            if error.filename is None:
                raise
            known = WarehouseError(
                f"{error.filename}: {error.strerror}.",
                mend="Check the path, and that you may read and write there; WAREHOUSE_HOME is the instance's folder.",
            )
        print_error(known, as_json=bool(ctx.meta.get("json")))
        raise typer.Exit(1)


class App(typer.Typer):
    """The command, or a group of it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=_Group, **settings)


def _settings_error(error: ValidationError) -> WarehouseError:
    """The error of a setting, without its value: it may be a password."""
    wrong = "; ".join(
        f"WAREHOUSE_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
        for one in error.errors()
        if one["type"] != "default_factory_not_called"
    )
    return SettingsError(f"{error.title} are wrong: {wrong}.", mend="Correct or unset these variables.")


def print_error(error: WarehouseError, *, as_json: bool) -> None:
    """Print what happened and how to mend it."""
    if as_json:
        print_json(
            {
                "error": type(error).__name__,
                "message": error.message,
                "mend": error.mend,
                "context": error.context,
            }
        )
        return
    line = Text("error: ", style="bold red").append(error.message, style="default")
    errors.print(line, soft_wrap=True)
    if error.mend:
        errors.print(Text("mend:  ", style="bold").append(error.mend, style="default"), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def print_rows(rows: Iterable[Any], columns: Sequence[str], *, title: str, empty: str) -> None:
    """Print rows (mappings or dataclasses) as a table of the given columns."""
    table = Table(title=title, title_justify="left", header_style="dim", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column in NARROW)
    for row in rows:
        record = row if isinstance(row, Mapping) else vars_of(row)
        # As text: brackets in what a sender wrote are no markup.
        table.add_row(*(Text(shortened(harmless(shown(record.get(column))))) for column in columns))
    console.print(table if table.row_count else empty)


def vars_of(row: Any) -> dict[str, Any]:
    """The fields of a dataclass's instance."""
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def harmless(text: str) -> str:
    """Text that neither steers a terminal nor turns a line round."""
    return _STEERING.sub("\ufffd", text)


def told(text: str) -> str:
    """What somebody else wrote, to stand as it is in a line with markup."""
    return escape(harmless(text))


def shortened(cell: str) -> str:
    """The text, cut where a table would become unreadable; ``--json`` has it whole."""
    return cell if len(cell) <= CELL else f"{cell[: CELL - 1]}…"


def shown(value: Any) -> str:  # noqa: PLR0911 - one line a type
    """A value as a person reads it in a table."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(get_settings().timezone)):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return shown(plain(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """The value in JSON's own types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(item) for name, item in vars_of(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Path):
        return str(value)
    return value
