"""Build a candidate with dbt: seeds and views that changed, then the models of the star, then dbt's own tests.

dbt runs inside this process, as role builder. Its password is in the environment for the moment of the call
only; nothing secret is written to disk.
"""

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import structlog
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from warehouse import star
from warehouse.database import Role, make_engine, url
from warehouse.errors import WarehouseError
from warehouse.release import Candidate
from warehouse.settings import CHECKOUT, Settings

log = structlog.get_logger()

PROJECT = CHECKOUT / "dbt_project"
LISTS = ("models/dimensional/lists", "models/intermediate/lists")
"""Models made of seeds alone."""

ROUNDS = 3
"""How often a build starts over because reports it had read changed under it."""

_invocation = RLock()

_BUILT = """
create table if not exists staging.built (
    part text primary key,
    content_hash text not null,
    release_id int not null,
    attempt int not null,
    built_at timestamptz not null default now()
)
"""

# The lists are rows of the star: those that a rejected, undone or cleared candidate wrote are not there any more.
_STANDING = """
select built.part, built.content_hash
from staging.built as built
left join warehouse.release as release on built.release_id = release.release_id
where built.part <> 'lists' or release.status = 'published'
    or (built.release_id = :release_id and built.attempt = :attempt)
"""

_REMEMBER = """
insert into staging.built (part, content_hash, release_id, attempt)
values (:part, :content_hash, :release_id, :attempt)
on conflict (part) do update set
    content_hash = excluded.content_hash, release_id = excluded.release_id, attempt = excluded.attempt,
    built_at = now()
"""

_CLAIM_LATE = """
update registry.change set release_id = :id
where release_id is null
    and (:everything or report_id in (select c.report_id from registry.change c where c.release_id = :id))
"""

_UNKNOWN_TO_THE_PLANNER = """
select format('%I.%I', n.nspname, c.relname)
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
left join pg_stat_user_tables as told on c.oid = told.relid
where n.nspname in ('registry', 'raw') and c.relkind = 'r'
    and ((c.reltuples < 0 and pg_relation_size(c.oid) > 0) or told.n_mod_since_analyze > 1000 + c.reltuples / 5)
order by 1
"""

_CHANGED_FORMS = """
select distinct report.form_code
from registry.change
inner join registry.report on change.report_id = report.report_id
where change.release_id = :id
"""


class BuildFailed(WarehouseError):
    """dbt could not build the candidate: a model, a seed or the project itself is at fault."""


@dataclass(frozen=True)
class ModelResult:
    """What a build did to one table of the star; ``seconds`` are those of the steps to it as well."""

    name: str
    seconds: float
    inserted: int
    closed: int


@dataclass(frozen=True)
class TestResult:
    """Outcome of one dbt data test over the candidate; ``severity`` is ``error`` or ``warn``."""

    __test__ = False

    name: str
    model: str
    severity: str
    status: str
    failures: int
    message: str | None
    query: str | None


@dataclass(frozen=True)
class BuildResult:
    """What a build did: rows a model, outcomes of dbt's tests, seconds."""

    release_id: int
    models: tuple[ModelResult, ...]
    tests: tuple[TestResult, ...]
    seconds: float

    @property
    def inserted(self) -> int:
        """Rows that the candidate added."""
        return sum(model.inserted for model in self.models)

    @property
    def closed(self) -> int:
        """Rows that the candidate replaced or ended."""
        return sum(model.closed for model in self.models)


def build(settings: Settings, candidate: Candidate) -> BuildResult:
    """Build ``candidate``: every model for the reports that it claimed, its views, dbt's data tests.

    Running it again for the same candidate gives the same rows. The tests judge nothing here: their outcomes
    are in the result and in ``warehouse.release.summary`` (key ``dbt_tests``) for the gate. Call it inside
    :func:`warehouse.release.holding`. Raises :class:`BuildFailed`.
    """
    started = time.monotonic()
    _tell_planner(settings)
    builder = make_engine(settings, Role.BUILDER)
    try:
        with builder.begin() as connection:
            _check_candidate(connection, candidate)
            connection.execute(text(_BUILT))
            star.drop_never_published(connection)
            known = set(star.tables(connection))
            rows = connection.execute(text(_STANDING), _identity(candidate))
            standing = {row.part: row.content_hash for row in rows}
        outdated = {part: wanted for part, wanted in parts().items() if standing.get(part) != wanted}
        manifest = _parse(settings)
        seconds: dict[str, float] = {}
        for _ in range(ROUNDS):
            with builder.connect() as connection:
                chosen = _selection(
                    outdated,
                    manifest.nodes.values(),
                    _changed_forms(connection, candidate),
                    star.tables(connection),
                )
            seconds |= _run(settings, candidate, chosen, bool(outdated), manifest)
            with builder.begin() as connection:
                for part, content_hash in outdated.items():
                    connection.execute(
                        text(_REMEMBER), {**_identity(candidate), "part": part, "content_hash": content_hash}
                    )
                # The first build of a table reads every report, not only those of the candidate.
                everything = bool(set(star.tables(connection)) - known)
                late = connection.execute(
                    text(_CLAIM_LATE), {"id": candidate.release_id, "everything": everything}
                )
                star.make_views(connection, "candidate", "candidate_release")
            outdated = {}
            if not late.rowcount:
                break
            log.info("reports changed during the build, building them again", changes=late.rowcount)
        else:
            # The last ones are claimed but not built. The candidate is rejected, which gives them back.
            raise BuildFailed(
                f"Reports went on changing while they were built, {ROUNDS} times over.",
                mend="Run it again when the files that are being taken in are done.",
            )
        tests = _test(settings, candidate, manifest)
        result = BuildResult(
            candidate.release_id,
            _count(builder, candidate, _with_steps(seconds, manifest.nodes.values())),
            tests,
            round(time.monotonic() - started, 3),
        )
        _keep(builder, candidate, result)
    finally:
        builder.dispose()
    log.info(
        "candidate built",
        release=candidate.release_id,
        inserted=result.inserted,
        closed=result.closed,
        tests=len(tests),
        seconds=result.seconds,
    )
    return result


def _tell_planner(settings: Settings) -> None:
    """Statistics of what was just received: autovacuum may come to it only after the plans were made without."""
    owner = make_engine(settings, Role.OWNER)
    try:
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            unknown = connection.scalars(text(_UNKNOWN_TO_THE_PLANNER)).all()
            if unknown:
                connection.exec_driver_sql(f"analyze {', '.join(unknown)}")
    finally:
        owner.dispose()


def docs(settings: Settings) -> Path:
    """Write dbt's documentation as one static page; returns its path."""
    _results(settings, None, ["docs", "generate", "--static"])
    page = settings.artifacts / "dbt_docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    made = _target(settings) / "static_index.html"
    made.write_text(_without_places(settings, made.read_text(encoding="utf-8")), encoding="utf-8")
    made.replace(page)
    return page


def _without_places(settings: Settings, page: str) -> str:
    """The page without this machine's folders, which dbt writes beside every model."""
    for place in (_target(settings), PROJECT):
        # As dbt's JSON has it, where a path may have letters beyond ASCII.
        page = page.replace(json.dumps(str(place))[1:-1], place.name).replace(str(place), place.name)
    return page


def parts() -> dict[str, str]:
    """Hash of each part of the project that is built only when it changed.

    ``seed.<name>`` one seed each, ``views`` all staging views, ``lists`` the dimensions and steps made of seeds alone.
    """
    seeds = sorted((PROJECT / "seeds").glob("*.csv"))
    macros = sorted((PROJECT / "macros").glob("*.sql"))
    views = sorted((PROJECT / "models" / "staging").rglob("*.sql"))
    lists = sorted(file for folder in LISTS for file in (PROJECT / folder).iterdir())
    return {
        **{f"seed.{seed.stem}": _hash([seed]) for seed in seeds},
        "views": _hash([*views, *macros]),
        "lists": _hash([*lists, *macros, *seeds]),
    }


def _hash(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _selection(
    outdated: Iterable[str], nodes: Iterable[Any], changed_forms: Collection[str], tables: Collection[str]
) -> list[str]:
    """dbt's node selection: seeds, views and lists only when they changed, facts only when their forms did.

    A fact that names its forms (``meta.forms``) reads nothing but what the candidate claimed of them, so without
    such a claim it has nothing to do; one whose table is missing is built from everything.
    """
    chosen = [part.removeprefix("seed.") for part in outdated if part.startswith("seed.")]
    # A reloaded seed drops the views that read it.
    if chosen or "views" in outdated:
        chosen.append("path:models/staging")
    if "lists" in outdated:
        chosen += [f"path:{folder}" for folder in LISTS]
    for node in nodes:
        if (
            node.resource_type == "model"
            and not node.path.startswith("staging/")
            and "/lists/" not in node.path
        ):
            forms = node.config.meta.get("forms")
            if not forms or node.name not in tables or not set(forms).isdisjoint(changed_forms):
                chosen.append(node.name)
    return chosen


def _changed_forms(connection: Connection, candidate: Candidate) -> set[str]:
    """Forms of the reports whose changes the candidate claimed."""
    return set(connection.scalars(text(_CHANGED_FORMS), {"id": candidate.release_id}))


def _parse(settings: Settings) -> Any:
    """dbt's manifest of the project: parsed once a build, and by dbt itself only where files changed.

    Not where descriptions moved from one file to another, as an upgrade does it: dbt would take what it kept of
    the old file for a second description.
    """
    target = _target(settings)
    descriptions = _hash([PROJECT / "dbt_project.yml", *sorted((PROJECT / "models").rglob("*.yml"))])
    kept = target / "descriptions.sha256"
    if not kept.exists() or kept.read_text() != descriptions:
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
    manifest = _call(settings, None, ["parse", "--no-write-json"]).result
    kept.write_text(descriptions)
    return manifest


def _run(
    settings: Settings, candidate: Candidate, selection: Sequence[str], refresh: bool, manifest: Any = None
) -> dict[str, float]:
    line = ["build", "--no-write-json", "--exclude-resource-type", "test", "unit_test"]
    # Full refresh concerns seeds alone: the star's models refuse it.
    refreshing = ["--full-refresh"] if refresh else []
    results = _results(settings, candidate, [*line, *refreshing, "--select", *selection], manifest)
    return {result.node.name: float(result.execution_time) for result in results}


def _test(settings: Settings, candidate: Candidate, manifest: Any = None) -> tuple[TestResult, ...]:
    line = ["test", "--no-write-json", "--select", "test_type:data"]
    results = _results(settings, candidate, line, manifest, failing=False)
    return tuple(
        TestResult(
            name=result.node.name,
            model=str(getattr(result.node, "attached_node", None) or "").rpartition(".")[2],
            severity=str(result.node.config.severity).lower(),
            status=str(result.status),
            failures=int(result.failures or 0),
            message=result.message,
            query=getattr(result.node, "compiled_code", None) if result.failures else None,
        )
        for result in results
    )


def parse(settings: Settings) -> None:
    """Read the project and write its manifests below the instance's ``dbt/target``."""
    _call(settings, None, ["parse"])


@contextmanager
def environment(settings: Settings) -> Iterator[None]:
    """What the profile and the macros read, for a command of dbt's kin that is run beside it."""
    with _environment(settings, None):
        yield


def run_unit_tests(settings: Settings) -> dict[str, str | None]:
    """Run the project's dbt unit tests; returns the message of each one that does not pass."""
    results = _results(
        settings, None, ["test", "--no-write-json", "--select", "test_type:unit"], failing=False
    )
    return {result.node.name: result.message for result in results if str(result.status) != "pass"}


def _results(
    settings: Settings,
    candidate: Candidate | None,
    command: list[str],
    manifest: Any = None,
    *,
    failing: bool = True,
) -> list[Any]:
    """Results of one dbt command. A node that could not run raises; with ``failing``, one that failed too."""
    outcome = _call(settings, candidate, command, manifest)
    results = list(getattr(outcome.result, "results", None) or [])
    broken = [result for result in results if str(result.status) in ("error", "runtime error")]
    if broken or (failing and not outcome.success):
        raise _failure(settings, broken, outcome.exception)
    return results


def _call(
    settings: Settings,
    candidate: Candidate | None,
    command: list[str],
    manifest: Any = None,
) -> Any:
    """Run one dbt command in this process; raises when dbt itself stops."""
    # Importing dbt takes seconds: only those who build pay for it.
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    folder = settings.home / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    line = [
        "--quiet",
        "--log-level", "none",
        "--log-level-file", "info",
        "--log-path", str(folder / "logs"),
        *command,
        "--project-dir", str(PROJECT),
        "--profiles-dir", str(PROJECT),
        "--target-path", str(_target(settings)),
    ]  # fmt: skip
    # dbt reads its callers' whole stack again and again; below a task of Airflow that is deep, in a thread it is not.
    with _invocation, _environment(settings, candidate), ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(dbtRunner(manifest=manifest).invoke, line).result()
    if outcome.exception is not None:
        raise _failure(settings, (), outcome.exception)
    return outcome


def _failure(settings: Settings, broken: Sequence[Any], exception: BaseException | None) -> BuildFailed:
    logs = settings.home / "dbt" / "logs" / "dbt.log"
    if not broken:
        return BuildFailed(f"dbt stopped before the first model: {exception}", mend=f"See {logs}.")
    first = broken[0]
    cause = " ".join(str(first.message).split())
    others = f" ({len(broken) - 1} more failed)" if len(broken) > 1 else ""
    return BuildFailed(
        f"{first.node.resource_type} {first.node.name} failed{others}: {cause}",
        mend=f"Mend dbt_project/{first.node.original_file_path}, then run the build again. Log: {logs}",
        model=first.node.name,
        failed=[result.node.name for result in broken],
    )


def _target(settings: Settings) -> Path:
    return settings.home / "dbt" / "target"


@contextmanager
def _environment(settings: Settings, candidate: Candidate | None) -> Iterator[None]:
    """What profile and macros read, in ``os.environ`` for the moment of one call."""
    address = url(settings, Role.BUILDER)
    sslmode = address.query.get("sslmode", "prefer")
    values = {
        "DBT_ENV_SECRET_BUILDER": address.password or "",
        "DO_NOT_TRACK": "1",
        "WAREHOUSE_DBT_HOST": address.host or "127.0.0.1",
        "WAREHOUSE_DBT_PORT": str(address.port or 5432),
        "WAREHOUSE_DBT_USER": address.username or "",
        "WAREHOUSE_DBT_DATABASE": address.database or "",
        "WAREHOUSE_DBT_SSLMODE": sslmode if isinstance(sslmode, str) else sslmode[0],
        "WAREHOUSE_DBT_THREADS": str(settings.build_threads),
        "WAREHOUSE_CANDIDATE": str(candidate.release_id if candidate else 0),
        "WAREHOUSE_LOCAL_TIMEZONE": settings.timezone,
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _check_candidate(connection: Connection, candidate: Candidate) -> None:
    shown = connection.scalar(text("select warehouse.candidate_release()"))
    if shown != candidate.release_id:
        raise BuildFailed(
            f"Release {candidate.release_id} is not the open candidate (that is {shown}).",
            mend="Start the night again; it opens a candidate of its own.",
        )


def _identity(candidate: Candidate) -> dict[str, int]:
    return {"release_id": candidate.release_id, "attempt": candidate.attempt}


def _with_steps(seconds: dict[str, float], nodes: Iterable[Any]) -> dict[str, float]:
    """Seconds of each model, those of the steps to it among them (``meta.step_to``)."""
    total = dict(seconds)
    for node in nodes:
        goal = node.config.meta.get("step_to") if node.resource_type == "model" else None
        if goal in total:
            total[goal] += seconds.get(node.name, 0.0)
    return total


def _count(builder: Engine, candidate: Candidate, seconds: dict[str, float]) -> tuple[ModelResult, ...]:
    counted = []
    with builder.connect() as connection:
        for table in star.tables(connection):
            row = star.execute(
                connection,
                sql.SQL(
                    "select (select count(*) from {table} where release_from = {id}) as inserted,"
                    " (select count(*) from {table} where release_to = {id}) as closed"
                ).format(table=sql.Identifier("star", table), id=sql.Literal(candidate.release_id)),
            ).one()
            counted.append(ModelResult(table, round(seconds.get(table, 0.0), 3), row.inserted, row.closed))
    return tuple(counted)


def _keep(builder: Engine, candidate: Candidate, result: BuildResult) -> None:
    """Keep the outcome with the release, where the gate finds the tests in another process."""
    kept = {
        "models": [asdict(model) for model in result.models],
        "dbt_tests": [asdict(test) for test in result.tests],
    }
    with builder.begin() as connection:
        connection.execute(
            text(
                "update warehouse.release set summary = summary || cast(:kept as jsonb) where release_id = :id"
            ),
            {"kept": json.dumps(kept, ensure_ascii=False), "id": candidate.release_id},
        )
