"""Large texts of cards are kept and recognised in the process that records them, for that one reads their rows anyway.

A block of text is all that is held of such a file, and a few rows are all that is looked at closely: nothing in it
can ask for more memory or time than its size does. Any other file is read in a process of its own
(:mod:`ingestion.workers`).
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from threading import Thread

import polars as pl

from ingestion.fetching import Fetched, fetch
from ingestion.forms_catalogue import Catalogue
from ingestion.inbox_files import WaitingFile
from ingestion.layout import recognise
from ingestion.readers.delimited import read_head
from ingestion.readers.kinds import HEAD, kind_of, refused
from ingestion.readers.table import HEAD_ROWS, Table
from ingestion.reading import SourceContext
from warehouse.settings import Settings

LARGE = 1 << 20
"""Bytes from which on a text of cards is worth a look of its own."""

_WIDEST = 400
"""Columns of the widest table that is looked at here: several times those of any form of cards."""


def is_text_of_cards(file: WaitingFile, catalogue: Catalogue) -> bool:
    """Whether a large file of a folder is delimited text under the labels of a form of cards, by its first bytes."""
    if file.size < LARGE or "://" in file.url:
        return False
    try:
        with open(file.url, "rb") as stream:  # noqa: PTH123 - not a path of ours
            head = stream.read(HEAD)
        if refused(head) or kind_of(head) != "delimited":
            return False
        rows = list(islice(read_head(head), HEAD_ROWS))
    except (OSError, UnicodeError, csv.Error):
        # What is wrong with it is told by the process that reads it.
        return False
    if not rows or max(map(len, rows)) > _WIDEST:
        return False
    found = recognise(Table("", rows, lambda _: pl.DataFrame()), catalogue, file.name)
    return found is not None and found.form.cards is not None


@contextmanager
def fetched_here(
    settings: Settings, files: Sequence[WaitingFile], catalogue: Catalogue, source: SourceContext
) -> Iterator[Iterator[Fetched]]:
    """Keep and recognise files in order, each while the caller is busy with the one before; the first at once."""
    if files:
        # What copies cards takes a while to load; until the first file is read a core is idle.
        Thread(target=import_module, args=("pgpq",), daemon=True).start()
    with ThreadPoolExecutor(1, thread_name_prefix="texts") as pool:
        begun = deque(pool.submit(fetch, settings, file, catalogue, source) for file in files[:1])

        def results() -> Iterator[Fetched]:
            for file in (*files[1:], None):
                done = begun.popleft().result()
                if file is not None:
                    begun.append(pool.submit(fetch, settings, file, catalogue, source))
                yield done

        yield results() if files else iter(())
