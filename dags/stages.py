"""The stages of a night and of a reload: each calls a room's public function and records how it went.

Nothing here imports a room before the stage runs, so that Airflow loads the DAG files in milliseconds.
Candidates and results pass between tasks as plain dictionaries.
"""

# ruff: noqa: PLC0415 - the rooms are imported by the stage that needs them

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import text

from warehouse.database import Role, engine
from warehouse.errors import WarehouseError
from warehouse.release import Candidate
from warehouse.runs import bury_dead_runs, finish_run, stage, start_run
from warehouse.settings import get_settings

Kind = Literal["nightly", "backfill"]

GATE_LINES = 3
"""Failed checks that a message names; all are in ``audit.check_result``."""

PLAN_LINES = 200
"""Changes of a chunk that a plan lists one by one; its counts are always complete."""


class GateFailed(WarehouseError):
    """The gate did not pass the candidate."""


class RunFailed(WarehouseError):
    """A stage of the run failed; the message names each with its reason."""


def begin(run_id: str, kind: Kind) -> None:
    """Record the run, and as failed those of its kind whose process died: Airflow runs one at a time."""
    loader = engine(Role.LOADER)
    with loader.connect() as connection:
        known = connection.scalar(text("select true from warehouse.run where run_id = :id"), {"id": run_id})
    if not known:
        bury_dead_runs(loader, kind)
    start_run(loader, run_id, kind)


def prepare(run_id: str) -> list[str]:
    """Forms, raw tables, units, duties, waivers and what has fallen due; returns the codes of the sources."""
    from ingestion import directory, obligations, raw, site

    settings, loader = get_settings(), engine(Role.LOADER)
    with stage(loader, run_id, "prepare") as result:
        forms = raw.prepare(settings)
        here = site.load_site(settings)
        changed = directory.take_in(loader, here)
        result.update(
            forms=list(forms.forms),
            directory=asdict(changed),
            due=obligations.mark_due(loader, _today()),
        )
    return [source.code for source in here.sources]


def receive(run_id: str, source_code: str) -> dict[str, Any]:
    """Take in what waits in a source's inbox; returns the counts."""
    from ingestion import inbox, intake, site

    settings, loader = get_settings(), engine(Role.LOADER)
    with stage(loader, run_id, "receive", source_code) as result:
        source = next(known for known in site.load_site(settings).sources if known.code == source_code)
        taken = intake.take_in(settings, source, inbox.waiting(settings, source), run_id)
        result.update(taken.summary())
    return dict(result)


def rejudge(run_id: str) -> dict[str, Any]:
    """Read again the kept files that wait (in quarantine, of an unknown unit, unread); returns the counts.

    Nothing to do while forms, units and waivers are those on which this was last done to the end, whoever brought
    them in: a night that was cut off, ``warehouse up``, ``warehouse ingest`` or a reload.
    """
    from ingestion import rederive

    with stage(engine(Role.LOADER), run_id, "rejudge") as result:
        done = rederive.reconsider(get_settings(), reason="a form, a unit or a waiver changed")
        result.update(done.summary())
    return dict(result)


def open_candidate(run_id: str, lane: str = "") -> dict[str, Any] | None:
    """Open a candidate release for what changed; None when nothing did."""
    from warehouse import release

    with stage(engine(Role.LOADER), run_id, "open", lane) as result:
        candidate = release.open_candidate(engine(Role.BUILDER), run_id)
        result.update(asdict(candidate) if candidate else {"nothing_changed": True})
    return asdict(candidate) if candidate else None


def build(run_id: str, candidate: dict[str, Any], lane: str = "") -> dict[str, Any]:
    """Build the candidate's star with dbt."""
    from warehouse import building, release

    opened = Candidate(**candidate)
    with (
        stage(engine(Role.LOADER), run_id, "build", lane) as result,
        release.holding(engine(Role.BUILDER), opened),
    ):
        built = building.build(get_settings(), opened)
        result.update(
            {
                "rows_added": built.inserted,
                "rows_closed": built.closed,
                "tables": {model.name: asdict(model) for model in built.models},
            }
        )
    return candidate


def audit(run_id: str, candidate: dict[str, Any], lane: str = "") -> dict[str, Any]:
    """Ask the gate; raises :class:`GateFailed` unless it passes the candidate."""
    from expectations import gate

    with stage(engine(Role.LOADER), run_id, "audit", lane) as result:
        verdict = gate.audit(get_settings(), Candidate(**candidate))
        result.update(verdict.counts)
        if not verdict.passed:
            failed = "; ".join(check.brief() for check in verdict.blocking[:GATE_LINES])
            raise GateFailed(
                f"{len(verdict.blocking)} critical checks did not pass: {failed}",
                mend=f"To see the rows: warehouse checks --release {verdict.release_id}",
            )
    return candidate


def mark(run_id: str, candidate: dict[str, Any], lane: str = "") -> dict[str, Any]:
    """Mark in the candidate the values that failed checks spoil."""
    from expectations import fitness

    with stage(engine(Role.LOADER), run_id, "mark", lane) as result:
        result["marked"] = fitness.mark(engine(Role.BUILDER), Candidate(**candidate))
    return candidate


def publish(run_id: str, candidate: dict[str, Any], lane: str = "") -> int:
    """Make the candidate what BI reads; returns its number."""
    from warehouse import release

    opened = Candidate(**candidate)
    with stage(engine(Role.LOADER), run_id, "publish", lane) as result:
        release.publish(engine(Role.PUBLISHER), opened, {"run_id": run_id})
        result["release"] = opened.release_id
    return opened.release_id


def reject(run_id: str, candidate: dict[str, Any], lane: str = "") -> None:
    """Take the candidate back; its changes wait for the next one. BI goes on reading the last release."""
    from warehouse import release

    opened, reason = Candidate(**candidate), "; ".join(_failures(run_id)) or "the run failed"
    with stage(engine(Role.LOADER), run_id, "reject", lane) as result:
        release.reject(engine(Role.BUILDER), opened, reason)
        result["release"] = opened.release_id


def quality_pages(run_id: str) -> None:
    """Write the Data Docs of the last audit, and what each unit has to mend."""
    from expectations import docs, quality

    with stage(engine(Role.LOADER), run_id, "docs", "quality"):
        docs.build(get_settings())
        quality.build(get_settings())


def model_pages(run_id: str) -> None:
    """Write the pages of the star's tables and their lineage."""
    from warehouse import building

    with stage(engine(Role.LOADER), run_id, "docs", "models"):
        building.docs(get_settings())


def finish(run_id: str, failed_tasks: list[str]) -> str:
    """Record how the run ended; raises :class:`RunFailed` if any stage failed, so that the run shows red."""
    loader = engine(Role.LOADER)
    failures = _failures(run_id) or [f"task {name} failed before its stage began" for name in failed_tasks]
    release_id = _published(run_id)
    outcome = f"published release {release_id}" if release_id else "nothing changed, nothing published"
    if failures:
        outcome = "; ".join(failures) + (
            f" (published release {release_id} all the same)" if release_id else ""
        )
    finish_run(loader, run_id, succeeded=not failures, outcome=outcome, release_id=release_id)
    if failures:
        raise RunFailed(outcome, mend="See: warehouse status, warehouse quarantine")
    return outcome


def plan_reload(
    run_id: str, *, first: date, last: date, by: Literal["year", "month"], scope: dict[str, Any]
) -> list[dict[str, str]]:
    """What a reload would change, chunk by chunk; writes nothing but the plan itself. Returns the chunks.

    ``scope`` holds the arguments of ``ingestion.rederive.rederive`` other than the days.
    """
    from ingestion import rederive
    from warehouse.spans import split

    chunks, plan = [], {}
    with stage(engine(Role.LOADER), run_id, "plan") as result:
        for start, end in split(first, last, by):
            chunk = {"from": start.isoformat(), "to": end.isoformat()}
            found = rederive.rederive(get_settings(), start, end, **scope, dry_run=True)
            chunks.append(chunk)
            plan[_lane(chunk)] = {
                **found.summary(),
                "changes": [asdict(change) for change in found.changes[:PLAN_LINES]],
            }
        result["plan"] = plan
    return chunks


def reload(run_id: str, chunk: dict[str, str], scope: dict[str, Any]) -> int | None:
    """Read one chunk's files again and publish it through the gate; the release, None when nothing changed."""
    from ingestion import rederive

    lane = _lane(chunk)
    first, last = (date.fromisoformat(chunk[end]) for end in ("from", "to"))
    with stage(engine(Role.LOADER), run_id, "rederive", lane) as result:
        result.update(rederive.rederive(get_settings(), first, last, **scope, dry_run=False).summary())
    candidate = open_candidate(run_id, lane)
    if candidate is None:
        return None
    try:
        audit(run_id, build(run_id, candidate, lane), lane)
    except Exception:
        reject(run_id, candidate, lane)
        raise
    return publish(run_id, mark(run_id, candidate, lane), lane)


def _failures(run_id: str) -> list[str]:
    """Stages of the run whose last try failed, each with its reason."""
    with engine(Role.LOADER).connect() as connection:
        rows = connection.execute(
            text(
                "select distinct on (stage, lane) stage, lane, status, detail ->> 'error' as error"
                " from warehouse.stage where run_id = :run_id order by stage, lane, attempt desc"
            ),
            {"run_id": run_id},
        ).all()
    return [
        f"{' '.join(filter(None, (row.stage, row.lane)))}: {row.error or 'the process ended'}"
        for row in rows
        if row.status != "succeeded"
    ]


def _published(run_id: str) -> int | None:
    with engine(Role.LOADER).connect() as connection:
        found = connection.scalar(
            text(
                "select max((detail ->> 'release')::int) from warehouse.stage"
                " where run_id = :run_id and stage = 'publish' and status = 'succeeded'"
            ),
            {"run_id": run_id},
        )
    return None if found is None else int(found)


def _lane(chunk: dict[str, str]) -> str:
    return f"{chunk['from']}..{chunk['to']}"


def _today() -> date:
    return datetime.now(ZoneInfo(get_settings().timezone)).date()
