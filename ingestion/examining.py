"""Everything that is wrong with what files say, before the histories of their reports are looked at.

Thousands of files of one report each are placed and checked together: every step costs the same for one record
as for hundreds.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection

from ingestion import dependents, filers, formats, units
from ingestion.checks import check as check_rules
from ingestion.findings import Finding
from ingestion.items import Group
from ingestion.neighbours import context_of, needs_of
from ingestion.placing import Lane, place
from ingestion.reading import Reading

STRIDE = 1_000_000_000
"""Report numbers of the second of several files begin here, of the third at twice this."""

File = list[tuple[Reading, pl.DataFrame]]
"""What was read in a file: its readings, each with its placed reports."""

_MARK = "\x1f"
"""Stands between a file's number and the name of a sheet while several files are checked as one."""


def examine(
    connection: Connection,
    reading: Reading,
    lane: Lane,
    *,
    reports: pl.DataFrame | None = None,
    beside: Sequence[Reading] = (),
    received: datetime | None = None,
) -> Group:
    """Find everything that is wrong with the reports of a reading.

    ``reports``: the reading's placed reports, if they are placed already; ``beside``: all readings of the file;
    ``received``: when the file came, if it is read again.
    """
    placed = place(reading, lane) if reports is None else reports
    findings = _findings(connection, reading, placed, lane, beside=beside, received=received)
    return Group(reading, placed, [*reading.findings, *findings])


def examine_file(connection: Connection, file: File, lane: Lane) -> list[Group]:
    """Examine everything that was read in one file."""
    readings = [reading for reading, _ in file]
    return [examine(connection, reading, lane, reports=reports, beside=readings) for reading, reports in file]


def examine_files(connection: Connection, files: Sequence[File], lane: Lane) -> list[list[Group]]:
    """Examine files of which none knows anything that a rule asks of another (see :mod:`ingestion.waves`).

    The same as :func:`examine_file` for each of them.
    """
    groups: list[list[Group]] = [[] for _ in files]
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        # Several readings of a file know each other; active units are compared with the reports of a file.
        if len(file) == 1 and not needs_of(file[0][0].form).active_units:
            alike[_kind(file[0][0])].append(number)
        else:
            groups[number] = examine_file(connection, file, lane)
    for numbers in alike.values():
        if len(numbers) == 1:
            groups[numbers[0]] = examine_file(connection, files[numbers[0]], lane)
            continue
        found = _examine_alike(connection, [files[number][0] for number in numbers], lane)
        for number, group in zip(numbers, found, strict=True):
            groups[number] = [group]
    return groups


def place_files(files: Sequence[Sequence[Reading]], lane: Lane) -> list[File]:
    """Place the reports of several files' readings, those of a form at once."""
    every = [reading for readings in files for reading in readings]
    alike: dict[str, list[int]] = defaultdict(list)
    for number, reading in enumerate(every):
        alike[reading.form.code].append(number)
    placed: dict[int, pl.DataFrame] = {}
    for numbers in alike.values():
        frames = [every[number].reports for number in numbers]
        together = place(replace(every[numbers[0]], reports=_numbered(frames)), lane)
        placed.update(zip(numbers, _apart(together, frames), strict=True))
    reports = iter(placed[number] for number in range(len(every)))
    return [[(reading, next(reports)) for reading in readings] for readings in files]


def _kind(reading: Reading) -> tuple[object, ...]:
    """What readings have in common that can be examined as one."""
    form = reading.form
    # Where the first day does not tell the last, each span is examined for itself.
    spans: frozenset[tuple[date, date]] = frozenset()
    if form.period.type in ("cumulative_quarter", "event"):
        spans = frozenset(reading.reports.select("period_start", "period_end").iter_rows())
    return (form.code, form.definition_hash, reading.edition, reading.layout, reading.part, spans)


def _examine_alike(
    connection: Connection, files: Sequence[tuple[Reading, pl.DataFrame]], lane: Lane
) -> list[Group]:
    readings = [reading for reading, _ in files]
    reports = _numbered([placed for _, placed in files])
    together = replace(
        readings[0],
        # Rules that count the reports of a reporter count those of a file.
        reports=_marked(_numbered([reading.reports for reading in readings]), "reporter_ref"),
        records=_marked(_numbered([reading.records for reading in readings]), "source_sheet"),
        positions=_marked(_numbered([reading.positions for reading in readings], number="file_no"), "sheet"),
        findings=[],
    )
    found: list[list[Finding]] = [list(reading.findings) for reading in readings]
    for finding in _findings(connection, together, reports, lane, beside=()):
        file_no, own = _of_file(finding)
        found[file_no].append(own)
    return [Group(*file, findings) for file, findings in zip(files, found, strict=True)]


def _apart(together: pl.DataFrame, frames: Sequence[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    """Rows of several files' frames that :func:`_numbered` put below one another, file by file again."""
    together = together.with_columns(pl.col("report_no") % STRIDE)
    first = 0
    for frame in frames:
        yield together.slice(first, frame.height)
        first += frame.height


def _numbered(frames: Sequence[pl.DataFrame], *, number: str = "report_no") -> pl.DataFrame:
    """The frames below one another; ``number`` says which file a row is of, and goes on counting within it."""
    files = pl.Series(
        number,
        [file_no * STRIDE for file_no, frame in enumerate(frames) for _ in range(frame.height)],
        dtype=pl.Int64,
    )
    whole = pl.concat(frames, how="vertical_relaxed")
    return whole.with_columns(files + whole[number] if number in whole.columns else files)


def _marked(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """A text column with the number of the file before it, so that two files' sheets stay two."""
    number = pl.col("report_no" if "report_no" in frame.columns else "file_no") // STRIDE
    marked = pl.concat_str(number.cast(pl.String), pl.lit(_MARK), pl.col(name).fill_null(""))
    return frame.with_columns(marked.alias(name))


def _of_file(finding: Finding) -> tuple[int, Finding]:
    """The number of the file that a finding is of, and the finding as that file alone would have it."""
    file_no, sheet = 0, finding.sheet
    if sheet is not None and _MARK in sheet:
        number, sheet = sheet.split(_MARK, 1)
        file_no = int(number)
    if finding.report_no is None:
        return file_no, replace(finding, sheet=sheet)
    file_no, report_no = divmod(finding.report_no, STRIDE)
    return file_no, replace(finding, sheet=sheet, report_no=report_no)


def _findings(
    connection: Connection,
    reading: Reading,
    reports: pl.DataFrame,
    lane: Lane,
    *,
    beside: Sequence[Reading],
    received: datetime | None = None,
) -> list[Finding]:
    of_units = reports.filter(pl.col("subject_type") == "organization")
    context = context_of(connection, reading, reports, lane, beside=beside)
    return [
        *_unknown_units(of_units, lane),
        *units.regions(reports.filter(pl.col("subject_type") == "region")),
        *units.contradictions(of_units, lane.known),
        *units.closed(of_units, context.units),
        *units.of_other_classes(of_units, context.units, reading.form),
        *units.without_duty(reports, lane.duties, reading.form),
        *filers.findings(reports, lane.versions, reading.form),
        *formats.findings(reading),
        *check_rules(reading, context),
        *dependents.findings(connection, reading, reports, lane, beside=beside, received=received),
    ]


def _unknown_units(of_units: pl.DataFrame, lane: Lane) -> Iterable[Finding]:
    """Findings on how units are named; similar names are offered for so many units of each file."""
    files = of_units["report_no"] // STRIDE
    if of_units["organization_key"].null_count() == 0 or files.n_unique() <= 1:
        yield from units.findings(of_units, lane.known)
        return
    for rows in of_units.with_columns(files.alias("file_no")).partition_by("file_no", maintain_order=True):
        yield from units.findings(rows.drop("file_no"), lane.known)
