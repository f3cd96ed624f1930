"""Commands about the servers of this instance: up, down, status, url, psql."""

import os
import shutil
import subprocess
import sys
from typing import Annotated, Any

import typer

from warehouse.cli.output import App, Json, console, print_json, print_rows, told
from warehouse.database import DATABASE, Role, check_connection, engine, url, way_in
from warehouse.errors import ServerError
from warehouse.settings import Settings, get_settings

NO_CONNECTION = 2
"""What psql ends with when there is no connection; it has said why."""


def register(app: App) -> None:
    """Add the commands of this module."""
    for command in (up, down, status, url_command, psql):
        name = command.__name__.removesuffix("_command")
        app.command(name)(command)


def prepare(settings: Settings) -> None:
    """Bring up the database, its schemas and Airflow's database. Idempotent, under a second when all is there."""
    from warehouse import migrate  # noqa: PLC0415
    from warehouse.airflow import metadata  # noqa: PLC0415

    migrate.up(settings)
    metadata.ensure(settings)


def up(
    *,
    database_only: Annotated[bool, typer.Option("--database-only", help="Leave Airflow off.")] = False,
    as_json: Json = False,
) -> None:
    """Start PostgreSQL and Airflow on loopback, with the nightly schedule on."""
    from ingestion import raw  # noqa: PLC0415

    settings = get_settings()
    prepare(settings)
    raw.prepare(settings)
    if not database_only:
        from warehouse.airflow import services  # noqa: PLC0415

        if not services.is_up(settings):
            _make_airflow_ready(settings)
        services.start(settings)
    status(as_json=as_json)


def down(*, as_json: Json = False) -> None:
    """Stop what ``up`` started; an external PostgreSQL is left alone."""
    from warehouse import embedded  # noqa: PLC0415
    from warehouse.airflow import services  # noqa: PLC0415

    settings = get_settings()
    stopped = services.stop(settings)
    if settings.database_url is None and embedded.stop(settings):
        stopped.append("postgresql")
    if as_json:
        print_json({"stopped": stopped})
    else:
        console.print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def status(*, as_json: Json = False) -> None:
    """Say what runs, which release is public and how the last runs went."""
    settings = get_settings()
    found = _status(settings)
    if as_json:
        print_json(found)
        return
    database, airflow = found["database"], found["airflow"]
    console.print(f"home       {found['home']}", highlight=False, soft_wrap=True)
    if "version" not in database:
        console.print(
            f"database   [red]down[/red]  {told(database['error'])}", highlight=False, soft_wrap=True
        )
        console.print(f"mend       {database['mend']}", highlight=False, soft_wrap=True)
    else:
        console.print(
            f"database   [green]up[/green]  PostgreSQL {database['version']}  {database['address']}",
            highlight=False,
        )
        console.print(f"release    {_release(found)}", highlight=False, soft_wrap=True)
    running = [service["name"] for service in airflow["services"] if service["pid"]]
    if running:
        console.print(
            f"airflow    [green]up[/green]  {airflow['address']}  ({', '.join(running)})", highlight=False
        )
        console.print(f"login      see {airflow['login']}", highlight=False, soft_wrap=True)
    else:
        console.print("airflow    off  (start it with: warehouse up)", highlight=False)
    if found.get("runs"):
        console.print()
        print_rows(
            found["runs"],
            ("run_id", "status", "started_at", "seconds", "outcome"),
            title="Last runs",
            empty="",
        )


def url_command(
    *,
    role: Annotated[Role, typer.Option(help="Whose connection.")] = Role.READER,
    password: Annotated[bool, typer.Option(help="Show the password.")] = True,
    as_json: Json = False,
) -> None:
    """Print the connection URL of a role (for BI: reader)."""
    found = (
        url(get_settings(), role).set(drivername="postgresql").render_as_string(hide_password=not password)
    )
    if as_json:
        print_json({"role": role, "url": found})
    else:
        console.print(found, highlight=False, soft_wrap=True)


def psql(
    *,
    role: Annotated[Role, typer.Option(help="Whose connection.")] = Role.READER,
    command: Annotated[str | None, typer.Option("--command", "-c", help="Run this SQL and leave.")] = None,
) -> None:
    """Open psql, with the schema ``published`` first in its path."""
    settings = get_settings()
    program = _psql(settings)
    target = url(settings, role)
    environment = {
        **os.environ,
        "PGHOST": str(target.host),
        "PGPORT": str(target.port or 5432),
        "PGUSER": str(target.username),
        "PGPASSWORD": str(target.password),
        "PGDATABASE": str(target.database or DATABASE),
        "PGOPTIONS": "-c search_path=published",
        "PGCLIENTENCODING": "UTF8",
    }
    arguments = [program, *(["--command", command] if command else [])]
    code = subprocess.run(arguments, env=environment, check=False).returncode
    if code == NO_CONNECTION:
        raise ServerError("psql got no connection, or lost it.", mend=way_in(settings))
    raise typer.Exit(code)


def _release(found: dict[str, Any]) -> str:
    """What BI reads, and whether a person has still to decide about a release that was taken back."""
    if found["undone"]:
        return (
            f"{found['release'] or 'none'}  (release {found['undone']} is undone: nights build nothing until"
            " warehouse release redo or resume)"
        )
    return str(found["release"] or "none published yet")


def _psql(settings: Settings) -> str:
    from warehouse import embedded  # noqa: PLC0415

    found = shutil.which("psql") or str(embedded.locate(settings).binaries / "psql")
    if not os.access(found, os.X_OK):
        raise ServerError("psql is not installed.", mend="Install the package postgresql-client.")
    return found


def _make_airflow_ready(settings: Settings) -> None:
    """Migrate Airflow's tables and end what killed runs left, in a process with Airflow's environment."""
    from warehouse.airflow.environment import environment  # noqa: PLC0415
    from warehouse.airflow.launch import BUSY, RunnerBusy  # noqa: PLC0415

    done = subprocess.run(
        [sys.executable, "-m", "warehouse.airflow.runner"],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == BUSY:
        raise RunnerBusy()
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise ServerError(f"Airflow's database could not be prepared:\n{tail}")


def _status(settings: Settings) -> dict[str, Any]:
    from sqlalchemy import text  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from warehouse.airflow import services  # noqa: PLC0415
    from warehouse.airflow.environment import login_file, ui_address  # noqa: PLC0415

    found: dict[str, Any] = {
        "home": settings.home,
        "database": {},
        "release": None,
        "undone": None,
        "airflow": {
            "address": ui_address(settings),
            "login": login_file(settings),
            "services": services.services(settings),
        },
    }
    found["airflow"]["services"] = [
        {"name": service.name, "pid": service.pid, "log": service.log_file}
        for service in services.services(settings)
    ]
    try:
        version = check_connection(settings)
        address = url(settings, Role.READER).set(drivername="postgresql", password=None).render_as_string()
        found["database"] = {"version": version.split()[0], "address": address}
        with engine(Role.AUDITOR).connect() as connection:
            found["release"], found["undone"] = connection.execute(
                text(
                    "select nullif(current_release, 0), (select max(release_id) from warehouse.release"
                    " where status = 'undone') from warehouse.pointer"
                )
            ).one()
            found["runs"] = [
                dict(row)
                for row in connection.execute(
                    text(
                        "select run_id, kind, status, started_at, outcome, release_id,"
                        " round(extract(epoch from coalesce(finished_at, now()) - started_at), 1)::float as seconds"
                        " from warehouse.run order by started_at desc limit 5"
                    )
                ).mappings()
            ]
    except ServerError as error:
        found["database"] = {"error": error.message, "mend": error.mend}
    except SQLAlchemyError as error:
        found["database"] |= {"error": f"not migrated ({type(error).__name__})", "mend": "warehouse up"}
    return found
