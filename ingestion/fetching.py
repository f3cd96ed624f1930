"""One file out of an inbox: kept, then read. Touches no database, so that it can be done in another process."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestion import store
from ingestion.errors import FileError
from ingestion.forms_catalogue import Catalogue
from ingestion.inbox_files import FileChanged, WaitingFile, opened
from ingestion.readers.compiled import is_panic
from ingestion.readers.refusals import damaged
from ingestion.reading import Reading, SourceContext, UnreadCards, read_file
from ingestion.store import StoredFile
from warehouse.settings import Settings


@dataclass(frozen=True)
class Fetched:
    """A file on its way in. Exactly one of the last four says what it was.

    ``kept``: its copy in the file store; None when it could not be kept.
    ``readings``: what was read in it. ``refusal``: why it cannot be taken in, for its sender.
    ``changing``: it changed or vanished meanwhile. ``fault``: what failed on our side, and where.
    """

    file: WaitingFile
    kept: StoredFile | None = None
    readings: list[Reading] | None = None
    refusal: FileError | None = None
    changing: str | None = None
    fault: str | None = None

    @property
    def records(self) -> int:
        """How many records were read."""
        return sum(reading.records.height for reading in self.readings or ())


def fetch(
    settings: Settings,
    file: WaitingFile,
    catalogue: Catalogue,
    source: SourceContext,
    *,
    keep: bool = True,
    on_kept: Callable[[StoredFile], None] | None = None,
) -> Fetched:
    """Keep and read a file; never raises for what is wrong with it.

    ``on_kept`` is told of the copy before the file is read. Without ``keep`` the file is only read where it lies.
    """
    kept: StoredFile | None = None
    try:
        path = Path(file.url)
        if keep:
            with opened(file) as stream:
                kept = store.keep(settings, stream)
            if on_kept is not None:
                on_kept(kept)
            path = store.locate(settings, kept.stored_path)
        readings = read_file(path, name=file.name, catalogue=catalogue, source=source)
        _hold_rows(readings)
        return Fetched(file, kept, readings=readings)
    except FileChanged as error:
        return Fetched(file, changing=str(error))
    except FileError as error:
        return Fetched(file, kept, refusal=error)
    except Exception as error:
        return Fetched(file, kept, fault=place_of(error))
    except BaseException as error:
        if is_panic(error):
            # Its content broke a reader that was not prepared for it, and would again the next night.
            return Fetched(file, kept, refusal=damaged(file.name, "报表文件", "a report", place_of(error)))
        raise


def _hold_rows(readings: list[Reading]) -> None:
    """Read the rows of cards that cannot be read piece by piece, here, where reading is bounded."""
    for one in readings:
        if isinstance(one, UnreadCards) and one.table and one.found and one.table.stream is None:
            one.table.rows_below(one.found.header_row + 1)


def place_of(error: BaseException) -> str:
    """Class of an error and where it arose; its message is left out, for it could quote what stands in a file."""
    told = getattr(error, "where", None)
    if isinstance(told, str):
        # It arose in another process, which said where.
        return told
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).parent.name in ("ingestion", "readers", "cards")]
    last = (own or frames)[-1]
    return f"{type(error).__name__} in {last.name} ({Path(last.filename).name}:{last.lineno})"
