"""A file's cards through the reader into their raw tables, batch by batch, in the caller's transaction.

While one batch is sent to the database the next is checked and the one after it is typed, each in a thread of its own;
whatever the file's size no more than a few batches are held.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

import polars as pl
from sqlalchemy import Connection, text

from ingestion.cards.batch import Batch, BatchReader, TypedRows
from ingestion.cards.hashing import Hasher
from ingestion.cards.labels import header, rows_above
from ingestion.cards.ledger import Ledger
from ingestion.form import Form
from ingestion.load import copy_binary, copy_frame
from ingestion.placing import Lane
from ingestion.reading import UnreadCards
from ingestion.rule_tests import asked_of_batches

_Item = TypeVar("_Item")

BATCH_ROWS = 50_000
Skip = frozenset[tuple[str, str, object]]
"""Form, subject and period of reports whose cards are read but not copied."""

_DRAW = "select nextval('registry.revision_revision_id_seq') from generate_series(1, :count)"


@dataclass
class Streamed:
    """What the tables of one form held. ``revisions``: ids drawn for its reports, by report_no."""

    form: Form
    layout: str
    ledger: Ledger
    positions: pl.DataFrame
    revisions: dict[int, int] = field(default_factory=dict)
    asked: pl.DataFrame = field(default_factory=pl.DataFrame)


def stream(
    connection: Connection,
    tables: Sequence[UnreadCards],
    lane: Lane,
    hasher: Hasher,
    *,
    received_on: date,
    received_at: datetime,
    cap: int,
    skip: Skip = frozenset(),
    copy: bool = True,
) -> list[Streamed]:
    """Read tables of cards and copy their cards under revision ids drawn here; one result a form."""
    results: dict[str, Streamed] = {}
    for unread in tables:
        form = unread.form
        if unread.table is None or unread.found is None:
            continue
        result = results.setdefault(form.code, Streamed(form, unread.layout, Ledger(cap), pl.DataFrame()))
        reader = BatchReader(
            unread.found,
            unread.table.sheet,
            lane,
            result.ledger,
            hasher,
            file_name=unread.file_name,
            received_on=received_on,
            asked=asked_of_batches(form),
        )
        result.ledger.tell(header(unread.found, unread.table.sheet))
        result.ledger.tell(rows_above(unread.found, unread.table))
        asked = [result.asked] if not result.asked.is_empty() else []
        for batch in _ahead(map(reader.judged, _ahead(_typed(unread, reader)))):
            if not batch.asked.is_empty():
                asked.append(batch.asked)
            _copy(connection, result, batch, skip, copy=copy)
            if not batch.correcting.is_empty():
                reader.earlier.tell(connection, batch.correcting, received_at, result.ledger)
        result.ledger.tell(unread.table.told.values())
        if asked:
            result.asked = pl.concat(asked, how="diagonal")
        places = [result.positions] if not result.positions.is_empty() else []
        result.positions = pl.concat([*places, reader.where.positions])
    return list(results.values())


def _typed(unread: UnreadCards, reader: BatchReader) -> Iterator[TypedRows]:
    return (reader.typed(frame, first_row) for frame, first_row in unread.batches(BATCH_ROWS))


def _copy(connection: Connection, result: Streamed, batch: Batch, skip: Skip, *, copy: bool) -> None:
    records = batch.records
    if records.is_empty():
        return
    numbers = records["report_no"].unique().to_list()
    new = [number for number in numbers if number not in result.revisions]
    if new:
        ids = connection.scalars(text(_DRAW), {"count": len(new)}).all()
        result.revisions.update(zip(sorted(new), ids, strict=True))
    if not copy:
        return
    left_out = [
        entry.report_no
        for entry in result.ledger.entries
        if entry.placed and (result.form.code, str(entry.placed["subject_code"]), entry.period) in skip
    ]
    if left_out:
        records = records.filter(~pl.col("report_no").is_in(left_out))
    if len(numbers) == 1:
        revision = pl.lit(result.revisions[numbers[0]], dtype=pl.Int64)
    else:
        revision = pl.col("report_no").replace_strict(result.revisions, return_dtype=pl.Int64)
    records = records.select(
        revision.alias("revision_id"),
        pl.all().exclude("report_no", "record_no", "source_row"),
        pl.col("record_no", "source_row").cast(pl.Int32),
    )
    # PostgreSQL's own format knows no way from floats to exact numbers.
    floats = any(dtype.is_float() for dtype in records.dtypes)
    (copy_frame if floats else copy_binary)(connection, "raw", result.form.code, records)


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, each made in a thread while the caller works on the one before."""
    made: queue.Queue[_Item | _Failed | None] = queue.Queue()
    # The next one is begun when the last one was taken: no more than one lies ready.
    wanted = threading.Semaphore(1)
    stop = threading.Event()

    def work() -> None:
        try:
            while wanted.acquire() and not stop.is_set():
                item = next(items, None)
                made.put(item)
                if item is None:
                    return
                del item
        except BaseException as error:
            made.put(_Failed(error))

    thread = threading.Thread(target=work, name="cards", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, _Failed):
                raise item.error
            wanted.release()
            yield item
    finally:
        stop.set()
        wanted.release()
        thread.join()
