"""Findings into the registry: those of a revision, and those that belong to no revision."""

from collections.abc import Iterable, Sequence

import polars as pl
from sqlalchemy import Connection, text

from ingestion.items import Arrival, Item
from ingestion.judging import Judged
from ingestion.load import copy_frame

_SCHEMA = {
    "arrival_id": pl.Int64,
    "revision_id": pl.Int64,
    "report_id": pl.Int64,
    "rule_id": pl.String,
    "level": pl.String,
    "severity": pl.String,
    "waiver_id": pl.Int64,
    "severity_id": pl.Int64,
    "sheet": pl.String,
    "cell": pl.String,
    "field_code": pl.String,
    "breakdown": pl.String,
    "value": pl.String,
    "record_no": pl.Int64,
    "kept": pl.String,
    "message_zh": pl.String,
    "message_en": pl.String,
}


def write_findings(
    connection: Connection,
    findings: Sequence[tuple[Arrival, Judged, Item | None]],
    *,
    of_revision: bool = True,
) -> None:
    """Write judged findings of arrivals, each of its report's new revision, or of the arrival alone."""
    if not findings:
        return
    rows = [
        (
            arrival.arrival_id,
            item.revision_id if item is not None and of_revision else None,
            item.report_id if item is not None else None,
            one.finding.rule_id,
            one.finding.level,
            one.finding.severity,
            one.waiver_id,
            one.severity_id,
            one.finding.sheet,
            one.finding.cell,
            one.finding.field_code,
            one.finding.breakdown,
            one.finding.value,
            one.finding.record_no,
            one.finding.kept,
            one.finding.message_zh,
            one.finding.message_en,
        )
        for arrival, one, item in findings
    ]
    copy_frame(connection, "registry", "finding", pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def write_file_findings(
    connection: Connection,
    arrival: Arrival,
    findings: Iterable[tuple[Judged, Item | None]],
    *,
    again: bool = False,
    partial: bool = False,
) -> None:
    """Write findings that belong to no revision; on a second reading only what differs from the first.

    What a second reading of the whole file no longer meets is resolved.
    """
    wanted = list(findings)
    if again:
        known = {
            tuple(row[1:]): row[0]
            for row in connection.execute(
                text(
                    "select finding_id, rule_id, sheet, cell, value, kept is null from registry.finding"
                    " where arrival_id = :arrival_id and revision_id is null and report_id is null"
                    " and resolved_at is null"
                ),
                {"arrival_id": arrival.arrival_id},
            )
        }
        found = {_place(one) for one, _ in wanted}
        gone = [finding_id for place, finding_id in known.items() if place not in found]
        if gone and not partial:
            connection.execute(
                text("update registry.finding set resolved_at = now() where finding_id = any(:gone)"),
                {"gone": gone},
            )
        wanted = [(one, item) for one, item in wanted if _place(one) not in known]
    write_findings(connection, [(arrival, one, item) for one, item in wanted], of_revision=False)


def _place(one: Judged) -> tuple[object, ...]:
    """What makes a finding of a file the same as one of an earlier reading."""
    finding = one.finding
    return finding.rule_id, finding.sheet, finding.cell, finding.value, finding.kept is None
