"""Releases: published states of the whole star, as versions of rows.

Every table of schema ``star`` carries ``release_from`` and ``release_to``. A row is part of release R when
``release_from <= R < release_to``. A candidate adds rows and closes rows; publishing moves one pointer, so
readers see all of a release or nothing of it. Nothing here knows a table by name.

Life of a release::

    open_candidate ──▶ candidate ──▶ publish ──▶ published ──▶ undo ──▶ undone ──▶ redo ──▶ published
                           └──▶ reject ──▶ rejected                        └──▶ resume ──▶ set_aside
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from psycopg import sql
from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import DBAPIError

from warehouse import star
from warehouse.errors import (
    CandidateBusy,
    CandidateLost,
    GateNotPassed,
    ReleaseNotFound,
    ReleaseUndone,
    WarehouseError,
)

log = structlog.get_logger()

OPEN_END = 2147483647
"""``release_to`` of a row that no release has replaced: the largest 4-byte integer."""

_REOPEN = """
insert into {table} ({columns}, release_from, release_to)
select {columns}, {new}, {open_end} from {table}
where release_from <= {base} and release_to > {base} and release_to < {new}
"""

_CLOSE = """
update {table} set release_to = {new}
where release_from > {base} and release_from < {new} and release_to = {open_end}
"""


@dataclass(frozen=True)
class Candidate:
    """A release being built: its number, the release it starts from, and the run that owns it."""

    release_id: int
    base_release: int
    owner: str
    attempt: int
    changed_reports: int


@dataclass(frozen=True)
class Release:
    """One row of ``warehouse.release``; ``current`` marks the one that BI reads."""

    release_id: int
    status: str
    verdict: str | None
    base_release: int
    opened_at: datetime
    closed_at: datetime | None
    reason: str | None
    summary: dict[str, Any]
    current: bool


def open_candidate(builder: Engine, owner: str, *, force: bool = False) -> Candidate | None:
    """Open a candidate on the current release and claim every change that no release has yet.

    A candidate that a dead run left behind is cleared and taken over under its own number. Returns None
    when nothing has changed (``force`` builds all the same, for a changed model).

    Raises :class:`CandidateBusy` while a process, or another run that goes on, works on a candidate, and
    :class:`ReleaseUndone` while an undone release waits for a person's decision.
    """
    with builder.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        left_behind = connection.execute(
            text(
                "select l.release_id, l.attempt, l.owner, r.status as run from warehouse.release l"
                " left join warehouse.run r on r.run_id = l.owner where l.status = 'candidate'"
            )
        ).one_or_none()
        if left_behind is not None and left_behind.run == "running" and left_behind.owner != owner:
            # Between two stages nobody holds the lock, but the run is alive: a reload must not rob a night.
            raise CandidateBusy(
                f"Release {left_behind.release_id} is the candidate of run {left_behind.owner}, which goes on.",
                mend="Wait for it to end (warehouse status), then run this again.",
            )
        if left_behind is not None:
            _clear(connection, left_behind.release_id)
        _refuse_if_undone(connection)
        changed = connection.scalar(
            text("select count(distinct report_id) from registry.change where release_id is null")
        )
        if not changed and not force:
            if left_behind is not None:
                _close(
                    connection,
                    left_behind.release_id,
                    "rejected",
                    "left behind by a dead run; nothing to build",
                )
            return None
        base = int(connection.scalar(text("select current_release from warehouse.pointer for update")) or 0)
        if left_behind is not None:
            release_id, attempt = left_behind.release_id, left_behind.attempt + 1
            connection.execute(
                text(
                    "update warehouse.release set owner = :owner, attempt = :attempt, base_release = :base,"
                    " opened_at = now(), verdict = null, summary = '{}' where release_id = :id"
                ),
                {"owner": owner, "attempt": attempt, "base": base, "id": release_id},
            )
        else:
            attempt = 1
            release_id = connection.execute(
                text(
                    "insert into warehouse.release (release_id, status, base_release, owner)"
                    " select coalesce(max(release_id), 0) + 1, 'candidate', :base, :owner from warehouse.release"
                    " returning release_id"
                ),
                {"base": base, "owner": owner},
            ).scalar_one()
        connection.execute(text("update warehouse.pointer set candidate_release = :id"), {"id": release_id})
        connection.execute(
            text("update registry.change set release_id = :id where release_id is null"), {"id": release_id}
        )
        _revert_to(connection, base, release_id)
    log.info("candidate opened", release=release_id, base=base, attempt=attempt, changed_reports=changed)
    return Candidate(release_id, base, owner, attempt, int(changed or 0))


@contextmanager
def holding(engine: Engine, candidate: Candidate) -> Iterator[None]:
    """Hold the candidate's lock while a stage works on it, after checking that it is still this run's.

    Raises :class:`CandidateBusy` or :class:`CandidateLost`.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _lock(connection, "pg_try_advisory_lock")
        try:
            _check_owner(connection, candidate)
            _check_base(connection, candidate)
            yield
        finally:
            # Freed by name, because the server frees a closed session's locks only a moment after it closed; and
            # closed rather than given back to the pool, so that a lock that could not be freed ends with it.
            with suppress(DBAPIError):
                connection.execute(text("select pg_advisory_unlock(hashtext('warehouse.candidate'))"))
            connection.detach()


def reject(builder: Engine, candidate: Candidate, reason: str) -> None:
    """Remove the candidate's rows, reopen those it closed, and give its changes back to the next one."""
    with builder.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        _check_owner(connection, candidate)
        _clear(connection, candidate.release_id)
        _close(connection, candidate.release_id, "rejected", reason)
    log.warning("candidate rejected", release=candidate.release_id, reason=reason)


def publish(publisher: Engine, candidate: Candidate, summary: dict[str, Any] | None = None) -> None:
    """Make the candidate the current release: one pointer moves, in one transaction.

    Views of tables that are new, or have new columns, are made in the same transaction. Once published, doing it
    again does nothing: a run that was cut off after the commit may try again.
    Raises :class:`GateNotPassed` unless the gate has passed the candidate, :class:`CandidateLost` when the release
    it starts from was undone meanwhile.
    """
    with publisher.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        if _is_published(connection, candidate):
            log.info("release is published already", release=candidate.release_id)
            return
        _check_owner(connection, candidate)
        _check_base(connection, candidate)
        verdict = connection.scalar(
            text("select verdict from warehouse.release where release_id = :id"), {"id": candidate.release_id}
        )
        if verdict != "passed":
            raise GateNotPassed(
                f"Release {candidate.release_id} has not passed the gate (verdict: {verdict or 'none'}).",
                mend="See: warehouse releases",
                release=candidate.release_id,
            )
        star.make_views(connection, "published", "reading_release")
        star.make_views(connection, "released", "reading_release", versions=True)
        connection.execute(
            text(
                "update warehouse.release set status = 'published', closed_at = now(),"
                " summary = summary || cast(:summary as jsonb) where release_id = :id"
            ),
            {"id": candidate.release_id, "summary": json.dumps(summary or {}, ensure_ascii=False)},
        )
        _move_pointer(connection, "publish", candidate.release_id, f"run {candidate.owner}")
    log.info("release published", release=candidate.release_id)


def undo(publisher: Engine, reason: str) -> int:
    """Move the pointer back to the release before the current one; returns that release.

    The undone release stays stored: :func:`redo` brings it back, :func:`resume` gives it up.
    """
    _check_reason(reason)
    with publisher.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        current = connection.execute(
            text(
                "select r.* from warehouse.release r join warehouse.pointer p on p.current_release = r.release_id"
            )
        ).one_or_none()
        if current is None:
            raise ReleaseNotFound("There is no published release to undo.", mend="See: warehouse releases")
        connection.execute(
            text("update warehouse.release set status = 'undone', reason = :reason where release_id = :id"),
            {"id": current.release_id, "reason": reason},
        )
        _move_pointer(connection, "undo", current.base_release, reason)
    log.warning("release undone", release=current.release_id, current=current.base_release, reason=reason)
    return int(current.base_release)


def redo(publisher: Engine, reason: str) -> int:
    """Move the pointer forward again to the release that was undone last; returns that release."""
    _check_reason(reason)
    with publisher.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        undone = connection.execute(
            text(
                "select r.release_id from warehouse.release r join warehouse.pointer p"
                " on r.base_release = p.current_release where r.status = 'undone' order by 1 desc limit 1"
            )
        ).one_or_none()
        if undone is None:
            raise ReleaseNotFound(
                "No undone release follows the current one.", mend="See: warehouse releases"
            )
        connection.execute(
            text("update warehouse.release set status = 'published', reason = null where release_id = :id"),
            {"id": undone.release_id},
        )
        _move_pointer(connection, "redo", undone.release_id, reason)
    log.info("release redone", release=undone.release_id)
    return int(undone.release_id)


def resume(publisher: Engine, reason: str) -> list[int]:
    """Give up the undone releases: the next candidate is built on the current one, with their changes again.

    Returns the releases set aside. They stay readable with ``warehouse.as_of_release`` once a newer release is
    published.
    """
    _check_reason(reason)
    with publisher.begin() as connection:
        _lock(connection, "pg_try_advisory_xact_lock")
        set_aside = list(
            connection.scalars(
                text(
                    "update warehouse.release set status = 'set_aside',"
                    " reason = concat_ws('; ', reason, cast(:reason as text))"
                    " where status = 'undone' returning release_id"
                ),
                {"reason": reason},
            )
        )
        if not set_aside:
            raise ReleaseNotFound("No release is undone.", mend="See: warehouse releases")
        connection.execute(
            text(
                "insert into registry.change (report_id, from_revision_id, to_revision_id, cause)"
                " select distinct on (report_id) report_id, from_revision_id, to_revision_id,"
                " 'release ' || release_id || ' set aside' from registry.change"
                " where release_id = any(:ids) order by report_id, change_id desc"
            ),
            {"ids": set_aside},
        )
    log.info("releases set aside", releases=sorted(set_aside), reason=reason)
    return sorted(set_aside)


def releases(engine: Engine) -> list[Release]:
    """Every release, the newest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select r.release_id, r.status, r.verdict, r.base_release, r.opened_at, r.closed_at, r.reason,"
                " r.summary, r.release_id = p.current_release as current"
                " from warehouse.release r cross join warehouse.pointer p order by r.release_id desc"
            )
        )
        return [Release(**row._mapping) for row in rows]


def _check_reason(reason: str) -> None:
    """Whoever finds the pointer moved must be able to read why."""
    if not reason.strip():
        raise WarehouseError("Moving BI to another release needs a reason.", mend='Say why: --reason "…"')


def _lock(connection: Connection, function: str) -> None:
    """Take the lock that says: a process works on the candidate now. It dies with the process."""
    if not connection.scalar(text(f"select {function}(hashtext('warehouse.candidate'))")):
        raise CandidateBusy(
            "Another process is working on the candidate release.",
            mend="Wait for it to end (warehouse status), then run this again.",
        )


def _check_owner(connection: Connection, candidate: Candidate) -> None:
    row: Row[Any] | None = connection.execute(
        text("select status, owner, attempt from warehouse.release where release_id = :id"),
        {"id": candidate.release_id},
    ).one_or_none()
    if (
        row is None
        or row.status != "candidate"
        or (row.owner, row.attempt) != (candidate.owner, candidate.attempt)
    ):
        now = f"it is {row.status}, of run {row.owner}" if row else "it does not exist"
        raise CandidateLost(
            f"Release {candidate.release_id} is no longer the candidate of run {candidate.owner}: {now}.",
            mend="Start the night again; it takes up what is left.",
            release=candidate.release_id,
        )


def _is_published(connection: Connection, candidate: Candidate) -> bool:
    return bool(
        connection.scalar(
            text(
                "select true from warehouse.release where release_id = :id and status = 'published'"
                " and owner = :owner and attempt = :attempt"
            ),
            {"id": candidate.release_id, "owner": candidate.owner, "attempt": candidate.attempt},
        )
    )


def _check_base(connection: Connection, candidate: Candidate) -> None:
    """Nobody moved the pointer since the candidate was opened: what was undone must not come back with it."""
    current, shown = connection.execute(
        text("select current_release, candidate_release from warehouse.pointer")
    ).one()
    if (current, shown) != (candidate.base_release, candidate.release_id):
        raise CandidateLost(
            f"Candidate {candidate.release_id} starts from release {candidate.base_release}, which was undone or"
            f" brought back meanwhile; BI reads release {current}.",
            mend="Decide what becomes of the undone release (warehouse releases), then start the night again.",
            release=candidate.release_id,
        )


def _refuse_if_undone(connection: Connection) -> None:
    undone = connection.execute(
        text(
            "select release_id, reason from warehouse.release where status = 'undone' order by 1 desc limit 1"
        )
    ).one_or_none()
    if undone is not None:
        raise ReleaseUndone(
            f"Release {undone.release_id} was undone ({undone.reason}); nothing is built until that is decided.",
            mend="Bring it back with `warehouse release redo`, or go on without it with `warehouse release resume`.",
            release=undone.release_id,
        )


def _clear(connection: Connection, release_id: int) -> None:
    """Take back all that a candidate did to the star, and its claim on changes."""
    for name in star.tables(connection):
        parts = {
            "table": sql.Identifier("star", name),
            "this": sql.Literal(release_id),
            "open_end": sql.Literal(OPEN_END),
        }
        star.execute(connection, sql.SQL("delete from {table} where release_from = {this}").format(**parts))
        star.execute(
            connection,
            sql.SQL("update {table} set release_to = {open_end} where release_to = {this}").format(**parts),
        )
    connection.execute(
        text("update registry.change set release_id = null where release_id = :id"), {"id": release_id}
    )


def _close(connection: Connection, release_id: int, status: str, reason: str) -> None:
    connection.execute(
        text(
            "update warehouse.release set status = :status, reason = :reason, closed_at = now()"
            " where release_id = :id"
        ),
        {"id": release_id, "status": status, "reason": reason},
    )
    connection.execute(text("update warehouse.pointer set candidate_release = current_release"))


def _revert_to(connection: Connection, base: int, release_id: int) -> None:
    """Let the candidate start from ``base`` although releases after it were published and set aside."""
    set_aside = connection.scalar(
        text("select true from warehouse.release where status = 'set_aside' and release_id > :base limit 1"),
        {"base": base},
    )
    if not set_aside:
        return
    for table in star.tables(connection):
        parts = {
            "table": sql.Identifier("star", table),
            "columns": star.names(star.content_columns(connection, table)),
            "base": sql.Literal(base),
            "new": sql.Literal(release_id),
            "open_end": sql.Literal(OPEN_END),
        }
        star.execute(connection, sql.SQL(_REOPEN).format(**parts))
        star.execute(connection, sql.SQL(_CLOSE).format(**parts))


def _move_pointer(connection: Connection, action: str, to: int, reason: str) -> None:
    connection.execute(
        text(
            "insert into warehouse.pointer_log (action, from_release, to_release, reason)"
            " select :action, current_release, :to, :reason from warehouse.pointer"
        ),
        {"action": action, "to": to, "reason": reason},
    )
    connection.execute(
        text("update warehouse.pointer set current_release = :to, candidate_release = :to"), {"to": to}
    )
