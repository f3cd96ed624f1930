"""What an audit rests on: the checks, and the small dimensions that facts are judged against.

Rows of reports that a candidate does not rebuild were passed when they were written. That judgement still holds
when checks and dimensions are the same as then; so a night looks at what changed, and when its ground moves, at
everything again.
"""

import hashlib

from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from expectations.catalogue import Catalogue
from expectations.scope import SCHEMA
from warehouse.release import Candidate


def basis(auditor: Engine, catalogue: Catalogue) -> str | None:
    """Hash of the catalogue and of the dimensions it names as ground; None when one of them is not there."""
    digest = hashlib.sha256(catalogue.fingerprint.encode())
    try:
        with auditor.connect() as connection:
            for suite in catalogue.suites:
                if suite.ground:
                    query = f"select string_agg(md5(t::text), '' order by md5(t::text)) from {SCHEMA}.{suite.table} t"  # noqa: S608
                    digest.update(str(connection.scalar(text(query))).encode())
    except ProgrammingError:
        return None
    return digest.hexdigest()


def must_look_at_everything(auditor: Engine, candidate: Candidate, now: str | None) -> bool:
    """Whether the base release was not passed on this ground, or nothing says which reports changed."""
    with auditor.connect() as connection:
        before = connection.scalar(
            text(
                "select summary -> 'gate' ->> 'ground' from warehouse.release"
                " where release_id = :base and verdict = 'passed'"
            ),
            {"base": candidate.base_release},
        )
    return now is None or before != now or candidate.changed_reports == 0
