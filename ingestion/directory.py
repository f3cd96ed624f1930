"""The directory of units and their duties, from the site folder into the registry, with the bureau's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import structlog
from sqlalchemy import Connection, Engine, text

from ingestion.bureau_rules import take_in_holidays, take_in_regions, take_in_severities, take_in_waivers
from ingestion.load import copy_frame
from ingestion.site import Duty, OrganizationEvent, Site, SiteError
from ingestion.unit_history import ATTRIBUTES, FLAGS, DirectoryFinding, contradictions, merged, spells

log = structlog.get_logger()

_EVENT_COLUMNS = (*ATTRIBUTES, "related_organization_key", "note")
_SET = ", ".join(f"{name} = excluded.{name}" for name in _EVENT_COLUMNS)
_OLD = ", ".join(f"e.{name}" for name in _EVENT_COLUMNS)
_NEW = ", ".join(f"excluded.{name}" for name in _EVENT_COLUMNS)
_COLUMNS = ", ".join(_EVENT_COLUMNS)
_VALUES = ", ".join(f"i.{name}" for name in (*ATTRIBUTES,)) + ", related.organization_key, i.note"

_INCOMING_EVENT = """
create temporary table incoming_event (
    organization_code text, event_date date, event_type text, name_zh text, uscc text, org_code_22 text,
    class_code text, second_class_code text, economic_type_code text, sponsor_code text,
    management_class_code text, level_code text, grade_code text, region_code text, township_code text,
    is_proxy_reporter boolean, is_branch boolean, is_counted_by_second_class boolean,
    related_organization_code text, note text
) on commit drop
"""


_RESOLVED_FINDINGS = """
update registry.directory_finding as f set resolved_at = now()
where f.resolved_at is null and not exists (
    select from incoming_finding as i
    where (i.organization_code, i.event_date, i.rule_id, i.message_en)
        = (f.organization_code, f.event_date, f.rule_id, f.message_en)
)
"""

_NEW_FINDINGS = """
insert into registry.directory_finding (organization_code, event_date, rule_id, message_zh, message_en)
select i.organization_code, i.event_date, i.rule_id, i.message_zh, i.message_en
from incoming_finding as i
where not exists (
    select from registry.directory_finding as f
    where f.resolved_at is null
        and (i.organization_code, i.event_date, i.rule_id, i.message_en)
        = (f.organization_code, f.event_date, f.rule_id, f.message_en)
)
order by i.organization_code, i.event_date, i.rule_id, i.message_en
"""


@dataclass(frozen=True)
class DirectoryChange:
    """What taking in the site folder changed."""

    units: int = 0
    duties: int = 0
    waivers: int = 0
    reports: int = 0
    severities: int = 0
    holidays: int = 0
    contradictions: int = 0
    regions: int = 0

    def __bool__(self) -> bool:
        """True if anything changed."""
        return bool(
            self.units or self.duties or self.waivers or self.severities or self.holidays or self.regions
        )


def take_in(engine: Engine, site: Site) -> DirectoryChange:
    """Bring units, duties, waivers, severities and days off of the registry to what the site folder says.

    In one transaction, and idempotent: where nothing differs nothing is written. Every report of a unit whose history
    changed is logged for the next release. A waiver or severity that was taken out or reworded ends; its row stays.
    Events that contradict each other are findings (``registry.directory_finding``), never errors.

    Raises :class:`SiteError` when a unit that has reports would vanish.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('registry.directory'))"))
        units = _take_in_units(connection, site)
        reports = _log_changes(connection, units) if units else 0
        change = DirectoryChange(
            units=len(units),
            duties=_take_in_duties(connection, site.duties),
            waivers=take_in_waivers(connection, site.waivers),
            reports=reports,
            severities=take_in_severities(connection, site.severities),
            holidays=take_in_holidays(connection, site.holidays),
            contradictions=_take_in_findings(connection, contradictions(site.organizations)),
            regions=take_in_regions(connection, site.regions),
        )
    if change:
        log.info(
            "directory changed",
            units=change.units,
            duties=change.duties,
            waivers=change.waivers,
            reports=change.reports,
            severities=change.severities,
            holidays=change.holidays,
            contradictions=change.contradictions,
            regions=change.regions,
        )
    return change


def versions(connection: Connection) -> pl.DataFrame:
    """Units as they were, spell by spell: attributes carried forward from event to event.

    Columns: organization_key, organization_code, valid_from, valid_to (exclusive), is_open, then the attributes.
    """
    columns = ", ".join(f"e.{name}" for name in ATTRIBUTES)
    rows = connection.execute(
        text(
            f"select e.organization_key, o.organization_code, e.event_date, e.event_type, {columns}"  # noqa: S608
            " from registry.organization_event e join registry.organization o using (organization_key)"
        )
    ).all()
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "organization_key": pl.Int32,
        "organization_code": pl.String,
        "event_date": pl.Date,
        "event_type": pl.String,
        **{name: pl.Boolean if name in FLAGS else pl.String for name in ATTRIBUTES},
    }
    return spells(pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row"))


def standing_findings(engine: Engine) -> list[dict[str, Any]]:
    """Contradictions that the dated events of units hold now: unit, day, rule and both messages."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select organization_code, event_date, rule_id, message_zh, message_en, found_at"
                " from registry.directory_finding where resolved_at is null order by 1, 2, 3, 5"
            )
        )
        return [dict(row._mapping) for row in rows]


def _take_in_units(connection: Connection, site: Site) -> list[int]:
    """Write what differs; returns the keys of the units whose events changed."""
    events = merged(site.organizations)
    connection.execute(text(_INCOMING_EVENT))
    if events:
        frame = pl.DataFrame(
            [event.model_dump() for event in events],
            schema={name: _type_of(name) for name in (*OrganizationEvent.model_fields,)},
        )
        copy_frame(connection, "pg_temp", "incoming_event", frame)
    _refuse_vanishing_units(connection, site)
    connection.execute(
        text(
            "insert into registry.organization (organization_code)"
            " select distinct i.organization_code from incoming_event i where not exists"
            " (select from registry.organization o where o.organization_code = i.organization_code) order by 1"
        )
    )
    gone = connection.scalars(
        text(
            "delete from registry.organization_event e using registry.organization o"
            " where o.organization_key = e.organization_key and not exists (select from incoming_event i"
            "  where i.organization_code = o.organization_code and i.event_date = e.event_date"
            "  and i.event_type = e.event_type)"
            " returning e.organization_key"
        )
    ).all()
    written = connection.scalars(
        text(
            f"insert into registry.organization_event as e (organization_key, event_date, event_type, {_COLUMNS})"  # noqa: S608
            f" select o.organization_key, i.event_date, i.event_type, {_VALUES} from incoming_event i"
            " join registry.organization o using (organization_code)"
            " left join registry.organization related on related.organization_code = i.related_organization_code"
            f" on conflict (organization_key, event_date, event_type) do update set {_SET}"
            f" where ({_OLD}) is distinct from ({_NEW})"
            " returning e.organization_key"
        )
    ).all()
    return sorted({*gone, *written})


def _take_in_findings(connection: Connection, found: Sequence[DirectoryFinding]) -> int:
    """Keep new contradictions, end those that the directory no longer holds; returns how many stand."""
    connection.execute(
        text(
            "create temporary table incoming_finding (organization_code text, event_date date, rule_id text,"
            " message_zh text, message_en text) on commit drop"
        )
    )
    if found:
        schema = dict.fromkeys(DirectoryFinding.__dataclass_fields__, pl.String) | {"event_date": pl.Date}
        frame = pl.DataFrame([vars(finding) for finding in found], schema=schema)
        copy_frame(connection, "pg_temp", "incoming_finding", frame)
    connection.execute(text(_RESOLVED_FINDINGS))
    new = connection.execute(text(_NEW_FINDINGS)).rowcount
    if new:
        log.warning("units with contradictory events", new=new, standing=len(found))
    return len(found)


def _type_of(name: str) -> pl.DataType | type[pl.DataType]:
    if name == "event_date":
        return pl.Date
    return pl.Boolean if name in FLAGS else pl.String


def _refuse_vanishing_units(connection: Connection, site: Site) -> None:
    vanishing = connection.scalars(
        text(
            "select distinct o.organization_code from registry.organization o"
            " join registry.organization_event e using (organization_key)"
            " join registry.report r using (organization_key)"
            " where not exists (select from incoming_event i where i.organization_code = o.organization_code)"
            " order by 1 limit 5"
        )
    ).all()
    if vanishing:
        raise SiteError(
            f"{site.folder / 'organizations.csv'} no longer has {', '.join(vanishing)}, but there are reports of it.",
            mend="Put the unit back; to end it, add an event of type close.",
            units=vanishing,
        )


def _log_changes(connection: Connection, units: list[int]) -> int:
    connection.execute(
        text(
            "update registry.report r set region_code = v.region_code from ("
            " select r.report_id, (select e.region_code from registry.organization_event e"
            "  where e.organization_key = r.organization_key and e.region_code is not null"
            "  order by (e.event_date <= r.period_end) desc,"
            "   case when e.event_date <= r.period_end then e.event_date end desc nulls last, e.event_date,"
            "   e.region_code desc"
            "  limit 1) as region_code"
            " from registry.report r where r.organization_key = any(:units)) v"
            " where v.report_id = r.report_id and r.region_code is distinct from v.region_code"
        ),
        {"units": units},
    )
    return connection.execute(
        text(
            "insert into registry.change (report_id, from_revision_id, to_revision_id, cause)"
            " select report_id, current_revision_id, current_revision_id, 'directory' from registry.report"
            " where organization_key = any(:units) order by report_id"
        ),
        {"units": units},
    ).rowcount


def _take_in_duties(connection: Connection, duties: tuple[Duty, ...]) -> int:
    connection.execute(
        text(
            "create temporary table incoming_duty (form_code text, subject_type text, subject_code text,"
            " reporter_code text, valid_from date, valid_to date, exempt_reason text, grace_days int) on commit drop"
        )
    )
    if duties:
        types = {"valid_from": pl.Date, "valid_to": pl.Date, "grace_days": pl.Int32}
        schema = {name: types.get(name, pl.String) for name in (*Duty.model_fields,)}
        copy_frame(
            connection,
            "pg_temp",
            "incoming_duty",
            pl.DataFrame([duty.model_dump() for duty in duties], schema=schema),
        )
    gone = connection.execute(
        text(
            "delete from registry.duty d where not exists (select from incoming_duty i"
            " where (i.form_code, i.subject_type, i.subject_code, i.valid_from)"
            "  = (d.form_code, d.subject_type, d.subject_code, d.valid_from))"
        )
    ).rowcount
    written = connection.execute(
        text(
            "insert into registry.duty as d"
            " (form_code, subject_type, subject_code, reporter_key, valid_from, valid_to, exempt_reason, grace_days)"
            " select i.form_code, i.subject_type, i.subject_code, o.organization_key, i.valid_from, i.valid_to,"
            "  i.exempt_reason, i.grace_days"
            " from incoming_duty i join registry.organization o on o.organization_code = i.reporter_code"
            " on conflict (form_code, subject_type, subject_code, valid_from) do update"
            " set reporter_key = excluded.reporter_key, valid_to = excluded.valid_to,"
            "  exempt_reason = excluded.exempt_reason, grace_days = excluded.grace_days"
            " where (d.reporter_key, d.valid_to, d.exempt_reason, d.grace_days) is distinct from"
            "  (excluded.reporter_key, excluded.valid_to, excluded.exempt_reason, excluded.grace_days)"
        )
    ).rowcount
    return gone + written
