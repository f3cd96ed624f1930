"""Arrivals in the registry: that a file lay in an inbox, and what it was; several files in one statement each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC

from sqlalchemy import Connection, text

from ingestion.inbox import WaitingFile
from ingestion.items import Arrival
from ingestion.reading import Reading
from ingestion.store import StoredFile

# In one order of contents, so that lanes that are sent the same files wait for each other.
_KEEP_FILES = """
insert into registry.file (sha256, size_bytes, stored_path)
select i.sha256, max(i.size_bytes), max(i.stored_path)
from unnest(cast(:sha256 as text[]), cast(:size as bigint[]), cast(:path as text[]))
    as i (sha256, size_bytes, stored_path)
group by i.sha256
order by i.sha256
on conflict (sha256) do nothing
"""

# A sender's clock that is ahead must not make its file beat every later one.
_ARRIVE = """
insert into registry.arrival (file_id, source_code, file_name, received_at, run_id, status, detail)
select f.file_id, :source, i.file_name, least(i.received_at, now()), :run_id, :status, :detail
from unnest(cast(:sha256 as text[]), cast(:name as text[]), cast(:received_at as timestamptz[]))
    with ordinality as i (sha256, file_name, received_at, row_no)
inner join registry.file as f on f.sha256 = i.sha256
order by i.row_no
returning arrival_id, received_at, registered_at
"""

_FINISH = """
update registry.arrival as a
set status = i.status, form_code = i.form_code, edition = i.edition, layout = i.layout, detail = i.detail
from unnest(
    cast(:arrival_id as bigint[]), cast(:status as text[]), cast(:form_code as text[]), cast(:edition as text[]),
    cast(:layout as text[]), cast(:detail as text[])
) as i (arrival_id, status, form_code, edition, layout, detail)
where a.arrival_id = i.arrival_id
"""


@dataclass(frozen=True)
class Outcome:
    """What an arrival was: its status, the forms that were read in it, and one line about it."""

    arrival: Arrival
    status: str
    readings: Sequence[Reading]
    detail: str


def arrive(
    connection: Connection,
    source_code: str,
    files: Sequence[tuple[WaitingFile, StoredFile]],
    *,
    run_id: str | None = None,
    status: str = "received",
    detail: str | None = None,
) -> list[Arrival]:
    """Register files that are kept, in their order; the contents among them that are new, too."""
    connection.execute(
        text(_KEEP_FILES),
        {
            "sha256": [kept.sha256 for _, kept in files],
            "size": [kept.size for _, kept in files],
            "path": [kept.stored_path for _, kept in files],
        },
    )
    rows = connection.execute(
        text(_ARRIVE),
        {
            "sha256": [kept.sha256 for _, kept in files],
            "name": [file.name for file, _ in files],
            "received_at": [file.modified for file, _ in files],
            "source": source_code,
            "run_id": run_id,
            "status": status,
            "detail": detail,
        },
    ).all()
    # Keys are given out in the order of the files.
    return [
        Arrival(number, *(moment.astimezone(UTC) for moment in moments)) for number, *moments in sorted(rows)
    ]


def finish_all(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write down what the arrivals were."""
    if outcomes:
        connection.execute(
            text(_FINISH),
            {
                "arrival_id": [one.arrival.arrival_id for one in outcomes],
                "status": [one.status for one in outcomes],
                "form_code": [_only(reading.form.code for reading in one.readings) for one in outcomes],
                "edition": [_only(reading.edition for reading in one.readings) for one in outcomes],
                "layout": [_only(reading.layout for reading in one.readings) for one in outcomes],
                "detail": [one.detail for one in outcomes],
            },
        )


def _only(values: Iterable[str]) -> str | None:
    different = set(values)
    return different.pop() if len(different) == 1 else None
