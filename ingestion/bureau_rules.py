"""Waivers, severities, days off and regions of the site folder into the registry.

Waivers and severities keep their history: what was taken out or reworded ends, and its row stays, for findings that it
once decided refer to it.
"""

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Connection, text

from ingestion.load import copy_frame
from ingestion.site import Holiday, RuleSeverity, Waiver
from ingestion.site_regions import RegionEvent

_TYPES: dict[str, tuple[str, pl.DataType]] = {
    "date": ("date", pl.Date()),
    "text": ("text", pl.String()),
    "boolean": ("boolean", pl.Boolean()),
}

_WAIVER_SCOPE = {
    "rule_id": "text",
    "form_code": "text",
    "subject_code": "text",
    "period_from": "date",
    "period_to": "date",
}
_WAIVER_WORDING = {"owner": "text", "reason": "text", "expires_on": "date"}

_SEVERITY_SCOPE = {"rule_id": "text", "form_code": "text"}
_SEVERITY_WORDING = {"severity": "text", "owner": "text", "reason": "text"}


def take_in_waivers(connection: Connection, waivers: Sequence[Waiver]) -> int:
    """Bring the open waivers to what the site says; returns how many ended or began."""
    rows = [(*waiver.scope, waiver.owner, waiver.reason, waiver.expires_on) for waiver in waivers]
    return _bring(connection, "waiver", _WAIVER_SCOPE, _WAIVER_WORDING, rows)


def take_in_severities(connection: Connection, severities: Sequence[RuleSeverity]) -> int:
    """Bring the bureau's open severities to what the site says; returns how many ended or began."""
    rows = [(*one.scope, one.severity, one.owner, one.reason) for one in severities]
    return _bring(connection, "rule_severity", _SEVERITY_SCOPE, _SEVERITY_WORDING, rows)


def take_in_holidays(connection: Connection, holidays: Sequence[Holiday]) -> int:
    """Bring the days off to what the site says; returns how many days changed."""
    columns = {"day": "date", "is_working": "boolean", "name_zh": "text"}
    rows = [(holiday.day, holiday.working, holiday.name) for holiday in holidays]
    incoming = _incoming(connection, "holiday", columns, rows)
    same = "(i.day, i.is_working, i.name_zh) is not distinct from (h.day, h.is_working, h.name_zh)"
    gone = connection.execute(
        text(f"delete from registry.holiday as h where not exists (select from {incoming} as i where {same})")  # noqa: S608 - own names
    ).rowcount
    come = connection.execute(
        text(
            f"insert into registry.holiday (day, is_working, name_zh) select i.day, i.is_working, i.name_zh"  # noqa: S608 - own names
            f" from {incoming} as i where not exists (select from registry.holiday as h where h.day = i.day)"
        )
    ).rowcount
    return max(gone, come)


def take_in_regions(connection: Connection, events: Sequence[RegionEvent]) -> int:
    """Bring the bureau's own regions to what the site says; returns how many events changed."""
    columns = {
        "region_code": "text", "event_date": "date", "event_type": "text", "statistics_from": "date", "name_zh": "text",
        "level": "text", "region_type": "text", "parent_code": "text", "inside_code": "text",
        "is_counted_inside": "boolean", "became_code": "text", "note": "text",
    }  # fmt: skip
    rows = [tuple(getattr(event, name) for name in columns) for event in events]
    incoming = _incoming(connection, "region_event", columns, rows)
    named = ", ".join(columns)
    here = f"select {named} from {incoming}"  # noqa: S608 - own names
    there = f"select {named} from registry.region_event"  # noqa: S608 - own names
    differing = connection.scalar(
        text(f"select count(*) from (({here} except {there}) union ({there} except {here})) as d")  # noqa: S608 - own names
    )
    if differing:
        connection.execute(text("delete from registry.region_event"))
        connection.execute(text(f"insert into registry.region_event ({named}) {here}"))
    return int(differing or 0)


def _bring(
    connection: Connection,
    table: str,
    scope: dict[str, str],
    wording: dict[str, str],
    rows: Sequence[tuple[object, ...]],
) -> int:
    """End the open rows that the site no longer has in these words, begin those that are new."""
    incoming = _incoming(connection, table, {**scope, **wording}, rows)

    def columns(alias: str, names: dict[str, str]) -> str:
        return ", ".join(f"{alias}.{name}" for name in names)

    every = {**scope, **wording}
    ended = connection.execute(
        text(
            f"update registry.{table} as o set ended_at = now() where o.ended_at is null and not exists ("  # noqa: S608 - own names
            f" select from {incoming} as i"
            f" where ({columns('i', every)}) is not distinct from ({columns('o', every)}))"
        )
    ).rowcount
    begun = connection.execute(
        text(
            f"insert into registry.{table} ({', '.join(every)}) select {columns('i', every)} from {incoming} as i"  # noqa: S608 - own names
            f" where not exists (select from registry.{table} as o where o.ended_at is null"
            f" and ({columns('o', scope)}) is not distinct from ({columns('i', scope)}))"
        )
    ).rowcount
    return ended + begun


def _incoming(
    connection: Connection, table: str, columns: dict[str, str], rows: Sequence[tuple[object, ...]]
) -> str:
    """The site's rows in a temporary table; returns its name."""
    name = f"incoming_{table}"
    described = ", ".join(f"{column} {_TYPES[kind][0]}" for column, kind in columns.items())
    connection.execute(text(f"create temporary table {name} ({described}) on commit drop"))
    if rows:
        schema = {column: _TYPES[kind][1] for column, kind in columns.items()}
        copy_frame(connection, "pg_temp", name, pl.DataFrame(rows, schema=schema, orient="row"))
    return name
