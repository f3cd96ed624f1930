"""What reading kept files again changes, report by report, down to the cells."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from psycopg import sql
from sqlalchemy import Connection

from ingestion.findings import cell_name
from ingestion.form import Form
from ingestion.items import Group, Item
from ingestion.readers.table import number_text

CELLS = 50
"""Cells of a report that are told one by one; their number is always complete."""


@dataclass(frozen=True)
class CellChange:
    """A value that is read differently now: its field, its member, its cell, what it was and what it becomes."""

    field_code: str
    breakdown: str | None
    cell: str | None
    old: str | None
    new: str | None


@dataclass(frozen=True)
class PlannedChange:
    """One report whose outcome differs: its file, what it was and what it becomes, and the rules that fail now.

    ``before`` and ``revision_before`` are of the revision that this file gave when it was read before (``missing``
    when it gave none); ``after`` is ``not_found`` when the file no longer gives the report, which then stays as it is
    until somebody withdraws it. ``stands`` is the status of what counted until now. ``cells_changed`` counts the
    values that differ from that revision, ``cells`` tells the first of them; of cards neither is told.
    """

    report_id: int
    form_code: str
    part: str
    subject_code: str
    period_start: date
    period_end: date
    file_name: str
    before: str
    after: str
    revision_before: int | None
    revision_after: int
    stands: str | None
    content_differs: bool
    becomes_current: bool
    rules: tuple[str, ...]
    cells_changed: int = 0
    cells: tuple[CellChange, ...] = ()


@dataclass(frozen=True)
class Rederivation:
    """What reading the scope's files again changed, or would change (``dry_run``)."""

    dry_run: bool
    files: int
    changes: tuple[PlannedChange, ...]
    unchanged: int
    touched: int = 0
    failed: tuple[str, ...] = ()

    def summary(self) -> dict[str, object]:
        """Counts for a run's record."""
        return {
            "dry_run": self.dry_run,
            "files": self.files,
            "changes": dict(Counter(f"{change.before} → {change.after}" for change in self.changes)),
            "unchanged": self.unchanged,
            "touched": self.touched,
            "failed": list(self.failed),
        }


def planned(connection: Connection, item: Item, group: Group, file_name: str) -> PlannedChange:
    """The change that an item's decision is, compared with what its file gave before."""
    before = next((one for one in item.history.revisions if one.revision_id == item.again), None)
    compared = before or item.history.current
    differs = compared is None or compared.content_hash != item.content_hash
    cells: list[CellChange] = []
    # What is only planned has no rows yet; what a card says about a person is nobody's business here.
    if differs and compared is not None and compared.revision_id > 0 and group.reading.form.cards is None:
        cells = _cells(connection, item, group, compared.revision_id)
    current = item.history.current
    return PlannedChange(
        report_id=item.report_id,
        form_code=item.form_code,
        part=item.part,
        subject_code=item.subject_code,
        period_start=item.period_start,
        period_end=item.period_end,
        file_name=file_name,
        before=before.status if before is not None else "missing",
        after=item.decision.status,
        revision_before=before.revision_no if before is not None else None,
        revision_after=item.revision_no,
        stands=current.status if current is not None else None,
        content_differs=differs,
        becomes_current=item.decision.becomes_current,
        rules=tuple(sorted({one.finding.rule_id for one in item.judged})),
        cells_changed=len(cells),
        cells=tuple(cells[:CELLS]),
    )


def _cells(connection: Connection, item: Item, group: Group, revision_id: int) -> list[CellChange]:
    form, reading = group.reading.form, group.reading
    records = reading.records.filter(pl.col("report_no") == item.report_no)
    new = {_member(form, row): row for row in records.iter_rows(named=True)}
    old = {_member(form, row): row for row in _stored(connection, form, revision_id)}
    positions = {
        (sheet, code): (row, column)
        for sheet, code, row, column in reading.positions.select(
            "sheet", "field_code", "source_row", "source_column"
        ).iter_rows()
    }
    changes = []
    for member in dict.fromkeys([*new, *old]):
        was, now = old.get(member, {}), new.get(member, {})
        for field in form.columns:
            if field.role == "breakdown":
                continue
            before, after = _shown(was.get(field.code)), _shown(now.get(field.code))
            if before != after:
                row, column = positions.get((now.get("source_sheet") or "", field.code), (None, None))
                cell = cell_name(now.get("source_row") or row, now.get("source_column") or column)
                changes.append(
                    CellChange(field.code, "/".join(member) or None, cell if now else None, before, after)
                )
    return changes


def _member(form: Form, row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[field.code]) for field in form.breakdowns)


def _stored(connection: Connection, form: Form, revision_id: int) -> list[dict[str, Any]]:
    columns = [field.code for field in form.columns]
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor:  # type: ignore[union-attr]
        cursor.execute(
            sql.SQL("select {} from {} where revision_id = %s order by record_no").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier("raw", form.code)
            ),
            (revision_id,),
        )
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    return number_text(float(value))
