"""The correction workbook: a unit's own file with its faults marked, ready to be mended and sent again.

It shows the reports asked for and nothing of any other: sent again, it must neither tell one unit another's
numbers nor bring back an older state of a report that has been amended since.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from openpyxl.utils import coordinate_to_tuple
from psycopg import sql
from sqlalchemy import Connection, Engine, text

from ingestion import registry, store
from ingestion.errors import FileError
from ingestion.findings import ROW_FAULTS
from ingestion.forms_catalogue import Catalogue, load_forms
from ingestion.readers import read_tables
from ingestion.reading import SourceContext, UnreadCards, read_file
from ingestion.registry import RegisteredFinding, ReportNotFound
from ingestion.site import SiteError, load_site
from ingestion.workbooks.marking import mark
from ingestion.workbooks.originals import open_workbook, write_tables
from ingestion.workbooks.shares import Place, Share, share_of, share_of_long
from warehouse.errors import WarehouseError
from warehouse.settings import Settings

# What waits for correction comes first; a report that is accepted may still have warnings or cards set aside.
_ASKED = """
select distinct on (r.report_id) v.revision_id, v.report_id, v.status, v.revision_no, r.form_code, r.part,
    r.subject_code, r.period_start, r.period_end, a.arrival_id, a.source_code, a.file_name, f.stored_path
from registry.revision as v
inner join registry.report as r on r.report_id = v.report_id
inner join registry.arrival as a on a.arrival_id = v.arrival_id
inner join registry.file as f on f.file_id = a.file_id
where (
        v.status = 'quarantined'
        or (not :quarantined and v.revision_id = r.current_revision_id)
    )
    and (cast(:report as bigint) is null or r.report_id = :report)
    and (cast(:unit as text) is null or r.subject_code = :unit)
order by r.report_id, v.revision_no desc
"""

_STATUS = """
select coalesce(v.status, 'missing') from registry.report as r
left join lateral (
    select l.status from registry.revision as l where l.report_id = r.report_id order by l.revision_no desc limit 1
) as v on true
where r.report_id = :report
"""

# Other reports that the file carried, or rows of units that the directory does not have.
_OTHERS = """
select exists (
    select from registry.arrival_report as o where o.arrival_id = :arrival and o.revision_id <> all(:own)
) or exists (
    select from registry.finding as f
    where f.arrival_id = :arrival and f.revision_id is null and f.report_id is null and f.level = 'unit'
)
"""

_NOT_IN_FILE_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
_LONGEST_STEM = 80
_SUFFIX = "_更正"


@dataclass(frozen=True)
class Asked:
    """A revision whose faults are to be mended, and the file that brought it."""

    revision_id: int
    report_id: int
    status: str
    revision_no: int
    form_code: str
    part: str
    subject_code: str
    period_start: date
    period_end: date
    arrival_id: int
    source_code: str
    file_name: str
    stored_path: str


@dataclass(frozen=True)
class Written:
    """A correction workbook. ``kept_original``: whether it is the sender's workbook itself."""

    path: Path
    file_name: str
    reports: tuple[int, ...]
    findings: int
    cells: int
    kept_original: bool


def correct_report(engine: Engine, settings: Settings, report_id: int, out: Path) -> Written:
    """Write the correction workbook of a report; into a folder, it is named after the unit's file.

    Raises ReportNotFound when there is no such report, or nothing of it to correct.
    """
    asked = _asked(engine, report=report_id)
    found = registry.findings(engine, revisions=[one.revision_id for one in asked]) if asked else []
    if not any(not finding.waived for finding in found):
        with engine.connect() as connection:
            status = connection.scalar(text(_STATUS), {"report": report_id})
        if asked:
            status = asked[0].status
        raise ReportNotFound(
            f"Report {report_id} does not exist."
            if status is None
            else f"Report {report_id} has nothing to correct: it is {status.replace('_', ' ')}.",
            mend="See: warehouse quarantine",
            report=report_id,
        )
    path = _free(out, asked[0].file_name) if out.is_dir() else out
    return _write(engine, settings, load_forms(settings), asked, path)


def correct_unit(engine: Engine, settings: Settings, unit: str, folder: Path) -> list[Written]:
    """Write a correction workbook for each file with reports of a unit in quarantine."""
    asked = sorted(
        _asked(engine, unit=unit, quarantined=True), key=lambda one: (one.arrival_id, one.report_id)
    )
    catalogue = load_forms(settings)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for _, of_file in groupby(asked, key=lambda one: one.arrival_id):
        reports = list(of_file)
        path = _free(folder, reports[0].file_name)
        written.append(_write(engine, settings, catalogue, reports, path))
    return written


def _asked(
    engine: Engine, *, report: int | None = None, unit: str | None = None, quarantined: bool = False
) -> list[Asked]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(_ASKED), {"report": report, "unit": unit, "quarantined": quarantined}
        ).mappings()
        return [Asked(**row) for row in rows]


def _free(folder: Path, file_name: str) -> Path:
    """A path for the workbook that keeps the file's own name, which may say the period, and is not taken."""
    stem = _NOT_IN_FILE_NAME.sub("_", Path(file_name).stem).strip(" ._")[:_LONGEST_STEM] or "报表"
    stem = stem.removesuffix(_SUFFIX)
    path, number = folder / f"{stem}{_SUFFIX}.xlsx", 2
    while path.exists():
        path, number = folder / f"{stem}{_SUFFIX}({number}).xlsx", number + 1
    return path


def _write(
    engine: Engine, settings: Settings, catalogue: Catalogue, asked: Sequence[Asked], path: Path
) -> Written:
    if path.suffix.lower() != ".xlsx":
        raise WarehouseError(f"{path.name} is no name of a workbook.", mend="Let it end in .xlsx.")
    stored = store.locate(settings, asked[0].stored_path)
    shares = _shares(engine, settings, catalogue, asked, stored)
    if shares is not None and not shares:
        raise ReportNotFound(
            f"Nothing of report {asked[0].report_id} can be sent again by itself.",
            mend=f"See: warehouse findings --report {asked[0].report_id}",
            report=asked[0].report_id,
        )
    original = open_workbook(stored) if shares is None else None
    kept_original = original is not None
    if original is None:
        original = write_tables(read_tables(stored, asked[0].file_name), shares)
    findings = _findings(engine, asked, shares)
    marked = mark(original, findings, catalogue.forms, _about(catalogue, asked))
    # The file may hold what only its sender may know.
    path.touch(mode=0o600)
    path.chmod(0o600)
    original.save(path)
    return Written(
        path=path,
        file_name=asked[0].file_name,
        reports=tuple(one.report_id for one in asked),
        findings=marked.findings,
        cells=marked.cells,
        kept_original=kept_original,
    )


def _findings(
    engine: Engine, asked: Sequence[Asked], shares: Mapping[str, Share] | None
) -> list[RegisteredFinding]:
    """Findings of the reports, and of the file as a whole as far as they concern no other unit's rows."""
    found = registry.findings(engine, revisions=[one.revision_id for one in asked])
    of_file = registry.findings(engine, arrivals=[asked[0].arrival_id])
    found += [
        finding
        for finding in of_file
        if finding.report_id is None
        and (shares is None or (finding.level == "layout" and finding.rule_id not in ROW_FAULTS))
    ]
    return sorted(
        (finding for finding in found if not finding.waived and _is_shown(finding, shares)),
        key=lambda finding: (finding.severity != "hard", finding.finding_id),
    )


def _is_shown(finding: RegisteredFinding, shares: Mapping[str, Share] | None) -> bool:
    """Whether the cell of a finding is written, if it has one."""
    if shares is None or finding.cell is None:
        return True
    share = shares.get(finding.sheet or "")
    return share is not None and share.kept(*coordinate_to_tuple(finding.cell))


def _about(catalogue: Catalogue, asked: Sequence[Asked]) -> str:
    forms = dict.fromkeys(
        catalogue[one.form_code].name_zh if one.form_code in catalogue else one.form_code for one in asked
    )
    units = dict.fromkeys(one.subject_code for one in asked)
    first, last = min(one.period_start for one in asked), max(one.period_end for one in asked)
    return f"{'、'.join(forms)}　{'、'.join(units)}　{first}至{last}　原文件：{Path(asked[0].file_name).name}"


# Which cells


def _shares(
    engine: Engine, settings: Settings, catalogue: Catalogue, asked: Sequence[Asked], stored: Path
) -> dict[str, Share] | None:
    """What of each sheet belongs to the reports; None when the whole file does."""
    form = catalogue[asked[0].form_code]
    with engine.connect() as connection:
        if form.cards and form.period.type == "event":
            if asked[0].status == "quarantined":
                return None
            return _cards_at_fault(
                connection, asked[0], _rows_named(engine, asked[0]) if form.cards.key else {}
            )
        if form.cards and not connection.scalar(
            text(_OTHERS), {"arrival": asked[0].arrival_id, "own": [one.revision_id for one in asked]}
        ):
            return None
        own: dict[str, set[Place]] = {}
        for one in asked:
            for sheet, row, column in _places(connection, one):
                own.setdefault(sheet, set()).add((row, column))
    if form.cards:
        heads = _header_rows(catalogue, asked[0], stored)
        return {
            sheet: _rows_of(heads[sheet] + 1, frozenset(row for row, _ in places if row is not None))
            for sheet, places in own.items()
            if sheet in heads
        }
    every: dict[str, set[Place]] = {}
    long: set[str] = set()
    for sheet, kind, place in _places_of_file(settings, catalogue, asked[0], stored):
        every.setdefault(sheet, set()).add(place)
        if kind == "long":
            long.add(sheet)
    if all(places <= own.get(sheet, set()) for sheet, places in every.items()):
        return None
    tables = {table.sheet: table for table in read_tables(stored, asked[0].file_name)} if long else {}
    shares: dict[str, Share | None] = {}
    for sheet, places in every.items():
        mine = own.get(sheet, set())
        if sheet in long and mine and places - mine:
            shares[sheet] = share_of_long(tables[sheet], catalogue, asked[0].file_name, mine)
        else:
            shares[sheet] = share_of(mine, places - mine)
    return {sheet: share for sheet, share in shares.items() if share is not None}


def _places(connection: Connection, one: Asked) -> Iterator[tuple[str, int | None, int | None]]:
    """Where the records of a revision stood in its file."""
    query = sql.SQL(
        "select source_sheet, source_row, source_column from raw.{} where revision_id = {}"
    ).format(sql.Identifier(one.form_code), sql.Literal(one.revision_id))
    for sheet, row, column in _rows(connection, query):
        yield sheet or "", row, column


def _header_rows(catalogue: Catalogue, one: Asked, stored: Path) -> dict[str, int]:
    """The last row of the labels, counted from 1, of each sheet of cards."""
    return {
        reading.table.sheet: reading.found.header_row + 1
        for reading in read_file(stored, name=one.file_name, catalogue=catalogue)
        if isinstance(reading, UnreadCards) and reading.table is not None and reading.found is not None
    }


def _places_of_file(
    settings: Settings, catalogue: Catalogue, one: Asked, stored: Path
) -> Iterator[tuple[str, str, Place]]:
    """Where all records of the file stand, and in which kind of layout."""
    try:
        site = load_site(settings).source(one.source_code)
        source = SourceContext(site.code, site.region_code, site.reporter)
    except SiteError:
        source = SourceContext(one.source_code)
    try:
        readings = read_file(stored, name=one.file_name, catalogue=catalogue, source=source)
    except FileError:
        return
    for reading in readings:
        kind = reading.form.layout_named(reading.layout).kind
        columns = ("source_sheet", "source_row", "source_column")
        for sheet, row, column in reading.records.select(columns).iter_rows():
            yield sheet or "", kind, (row, column)


def _cards_at_fault(connection: Connection, one: Asked, named: Mapping[str, set[int]]) -> dict[str, Share]:
    """Of an accepted batch the cards set aside, for the others count already, and those ``named`` by warnings.

    A card without a key must not come twice, so such a form's warnings bring back no card.
    """
    query = sql.SQL(
        "select source_sheet, min(source_row),"
        " array_agg(source_row) filter (where set_aside is not null) from raw.{} where revision_id = {}"
        " group by source_sheet"
    ).format(sql.Identifier(one.form_code), sql.Literal(one.revision_id))
    shares = {}
    for sheet, first, aside in _rows(connection, query):
        rows = frozenset(aside or ()) | named.get(sheet or "", set())
        if rows:
            shares[sheet or ""] = _rows_of(first, rows)
    return shares


def _rows_named(engine: Engine, one: Asked) -> dict[str, set[int]]:
    """Rows of cards that findings point at."""
    rows: dict[str, set[int]] = {}
    for finding in registry.findings(engine, revisions=[one.revision_id]):
        if finding.cell and not finding.waived:
            rows.setdefault(finding.sheet or "", set()).add(coordinate_to_tuple(finding.cell)[0])
    return rows


def _rows_of(first: int, rows: frozenset[int]) -> Share:
    return Share(lambda row, _column: row < first or row in rows, first - 1)


def _rows(connection: Connection, query: sql.Composed) -> Sequence[Any]:
    return connection.exec_driver_sql(query.as_string()).all()
