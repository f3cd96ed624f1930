"""What dated events make of a unit: its spells, and where events contradict each other.

Pure: the order in which events are given never matters, so that repairs may come in any order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import polars as pl

from ingestion.site import OrganizationEvent

OPENINGS = ("open", "reopen", "split")
"""Kinds of events from which a unit is open; a unit that was split off begins with it."""

ENDINGS = ("close", "merge")
"""Kinds of events from which a unit is closed; a unit that was merged has gone into the related one."""

OPEN_END = date(9999, 12, 31)

FLAGS = ("is_proxy_reporter", "is_branch", "is_counted_by_second_class")

ATTRIBUTES = (
    "name_zh",
    "uscc",
    "org_code_22",
    "class_code",
    "second_class_code",
    "economic_type_code",
    "sponsor_code",
    "management_class_code",
    "level_code",
    "grade_code",
    "region_code",
    "township_code",
    *FLAGS,
)
"""What a dated event may change about a unit."""

GIVES = {
    "rename": ("name_zh",),
    "reclass": ("class_code", "second_class_code", "is_counted_by_second_class"),
    "regrade": ("level_code", "grade_code"),
    "ownership": ("economic_type_code", "management_class_code"),
    "sponsor": ("sponsor_code",),
    "district": ("region_code", "township_code"),
}
"""What an event of a kind must say at least one of."""


@dataclass(frozen=True, order=True)
class DirectoryFinding:
    """A contradiction in the dated events of a unit; nothing is refused for it."""

    organization_code: str
    event_date: date
    rule_id: str
    message_zh: str
    message_en: str


def merged(events: Iterable[OrganizationEvent]) -> list[OrganizationEvent]:
    """One event a unit, day and kind: lines that repeat these are put together, the greatest value counting."""

    def key(event: OrganizationEvent) -> tuple[str, date, str]:
        return (event.organization_code, event.event_date, event.event_type)

    found = []
    for _, lines in groupby(sorted(events, key=key), key):
        first, *others = lines
        values = {name: _greatest([first, *others], name) for name in OrganizationEvent.model_fields}
        found.append(first.model_copy(update=values) if others else first)
    return found


def spells(events: pl.DataFrame) -> pl.DataFrame:
    """Units as they were, spell by spell: attributes carried forward from day to day.

    ``events``: organization_key, organization_code, event_date, event_type and the attributes, in any order. Of several
    values of one attribute on one day the greatest counts; who is opened and closed on one day is open.

    Columns: organization_key, organization_code, valid_from, valid_to (exclusive), is_open, then the attributes.
    """
    unit = ["organization_key", "organization_code"]
    opened, ended = pl.col("event_type").is_in(OPENINGS), pl.col("event_type").is_in(ENDINGS)
    return (
        events.group_by(*unit, pl.col("event_date").alias("valid_from"))
        .agg(
            pl.when(opened.any()).then(True).when(ended.any()).then(False).alias("is_open"),
            *(pl.col(name).max() for name in ATTRIBUTES),
        )
        .sort("organization_key", "valid_from")
        .with_columns(pl.col("is_open", *ATTRIBUTES).forward_fill().over("organization_key"))
        .with_columns(
            pl.col("is_open").fill_null(value=True),
            valid_to=pl.col("valid_from").shift(-1).over("organization_key").fill_null(OPEN_END),
        )
        .select(*unit, "valid_from", "valid_to", "is_open", *ATTRIBUTES)
    )


def contradictions(events: Iterable[OrganizationEvent]) -> list[DirectoryFinding]:
    """Where the events of units contradict each other or leave out what their kind is about; sorted."""
    ordered = sorted(events, key=lambda event: (event.organization_code, event.event_date))
    by_unit = {code: list(own) for code, own in groupby(ordered, key=lambda event: event.organization_code)}
    open_days = {code: _open_days(own) for code, own in by_unit.items()}
    found: set[DirectoryFinding] = set()
    for own in by_unit.values():
        found.update(_of_unit(own))
        for event in own:
            found.update(_of_event(event, open_days))
    return sorted(found)


def _of_unit(events: Sequence[OrganizationEvent]) -> Iterable[DirectoryFinding]:
    """What a unit's days say about each other; ``events`` by day."""
    is_open: bool | None = None
    second: str | None = None
    for _, group in groupby(events, key=lambda event: event.event_date):
        day = list(group)
        opens = [event for event in day if event.event_type in OPENINGS]
        ends = [event for event in day if event.event_type in ENDINGS]
        yield from _of_day(day)
        if opens and ends:
            yield _finding(
                day[0],
                "DIR_OPENED_AND_CLOSED",
                "同日既开业又停业，按开业计",
                "is opened and closed on one day; counted as open",
            )
        elif is_open is None and not opens:
            yield _finding(
                day[0],
                "DIR_NOT_OPENED",
                "最早的事件不是开业，此前视同已开业",
                "begins with another event than an opening; counted as open before it",
            )
        elif opens and is_open:
            yield _finding(opens[0], "DIR_OPENED_TWICE", "已开业而再次开业", "is opened while it is open")
        elif ends and is_open is False:
            yield _finding(ends[0], "DIR_CLOSED_TWICE", "已停业而再次停业", "is closed while it is closed")
        elif is_open is False and not opens:
            yield _finding(
                day[0], "DIR_CHANGED_WHILE_CLOSED", "停业期间发生变更", "changes while it is closed"
            )
        second = _greatest(day, "second_class_code") or second
        if _greatest(day, "is_counted_by_second_class") and second is None:
            yield _finding(
                day[0],
                "DIR_NO_SECOND_CLASS",
                "按第二名称类别统计，但没有登记第二名称类别，仍按第一名称类别计",
                "is counted by the class of its second name, but has none; counted by its own",
            )
        is_open = True if opens else False if ends else (True if is_open is None else is_open)


def _of_day(day: Sequence[OrganizationEvent]) -> Iterable[DirectoryFinding]:
    for name in ATTRIBUTES:
        values = sorted({str(value) for event in day if (value := getattr(event, name)) is not None})
        if len(values) > 1:
            yield _finding(
                day[0],
                "DIR_SAME_DAY",
                f"同日的{name}有{len(values)}个值：{'、'.join(values)}；取{values[-1]}",
                f"{name} has {len(values)} values on one day: {', '.join(values)}; {values[-1]} counts",
            )


def _of_event(
    event: OrganizationEvent, open_days: dict[str, list[tuple[date, bool]]]
) -> Iterable[DirectoryFinding]:
    wanted = GIVES.get(event.event_type, ())
    if wanted and all(getattr(event, name) is None for name in wanted):
        yield _finding(
            event,
            "DIR_NOTHING_GIVEN",
            f"{event.event_type}没有写明{'或'.join(wanted)}，什么也没有改变",
            f"{event.event_type} gives none of {', '.join(wanted)}, so nothing changes",
        )
    if event.event_type not in ("merge", "split"):
        return
    partner = event.related_organization_code
    if partner is None or partner == event.organization_code:
        yield _finding(
            event,
            "DIR_NO_PARTNER",
            f"{event.event_type}没有写明另一方（related_organization_code）",
            f"{event.event_type} does not name the other unit (related_organization_code)",
        )
    elif partner in open_days and not _is_open(open_days[partner], event):
        yield _finding(
            event,
            "DIR_PARTNER_CLOSED",
            f"{event.event_type}的另一方{partner}当日并未开业",
            f"the other unit of the {event.event_type}, {partner}, is not open on that day",
        )


def _open_days(events: Sequence[OrganizationEvent]) -> list[tuple[date, bool]]:
    """Days on which a unit opened (True) or ended (False), by day."""
    days: dict[date, bool] = {}
    for event in events:
        if event.event_type in (*OPENINGS, *ENDINGS):
            opens = event.event_type in OPENINGS
            days[event.event_date] = days.get(event.event_date, False) or opens
    return sorted(days.items())


def _is_open(days: list[tuple[date, bool]], event: OrganizationEvent) -> bool:
    """Whether a unit is open for a merge on its day, or was before a split."""
    before = [opens for day, opens in days if day < event.event_date]
    on_day = [opens for day, opens in days if day == event.event_date]
    if event.event_type == "merge":
        known = before + on_day
        return known[-1] if known else not days or not days[0][1]
    return before[-1] if before else not days or not days[0][1]


def _greatest(events: Sequence[OrganizationEvent], name: str) -> Any:
    return max((value for event in events if (value := getattr(event, name)) is not None), default=None)


def _finding(event: OrganizationEvent, rule_id: str, message_zh: str, message_en: str) -> DirectoryFinding:
    code = event.organization_code
    return DirectoryFinding(code, event.event_date, rule_id, f"{code}：{message_zh}", f"{code}: {message_en}")
