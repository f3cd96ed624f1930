"""Obligations: which reports have fallen due, from duties, calendars and the forms' due rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import structlog
from sqlalchemy import Connection, Engine, text

from warehouse.settings import Settings

log = structlog.get_logger()

# A duty covers the periods on whose last day it holds. A unit owes nothing for a period in which the directory has it
# open on no day. A form that arrives in parts is due as a whole (part '') and knows the parts that make one. What comes
# as events is never due.
_EXPECTED = """
create temporary table expected on commit drop as
with form as (
    select distinct on (f.form_code) f.form_code, f.period_type,
        (f.definition -> 'due' ->> 'months_after')::int as months_after, (f.definition -> 'due' ->> 'day')::int as day,
        (
            select array_agg(distinct part ->> 'code' order by part ->> 'code')
            from jsonb_array_elements(f.definition -> 'layouts') as layout
            cross join lateral jsonb_array_elements(coalesce(layout -> 'parts', '[]')) as part
        ) as parts
    from registry.form as f
    where jsonb_typeof(f.definition -> 'due') = 'object'
    order by f.form_code, f.loaded_at desc
),

spell as (
    select d.form_code, d.subject_type, d.subject_code, d.reporter_key, d.valid_from, d.valid_to, d.exempt_reason,
        d.grace_days, form.period_type, form.months_after, form.day, form.parts, kind.months,
        make_date(extract(year from d.valid_from)::int - 1, kind.first_month, 1) as first_start
    from registry.duty as d
    inner join form using (form_code)
    inner join (
        -- months that a period of each kind lasts, and the month it begins in
        values ('month', 1, 1), ('quarter', 3, 1), ('cumulative_quarter', 3, 1), ('year', 12, 1), ('mch_year', 12, 10)
    ) as kind (period_type, months, first_month) using (period_type)
),

period as (
    select s.form_code, s.subject_type, s.subject_code, s.reporter_key, s.exempt_reason, s.grace_days, s.period_type,
        s.parts, s.valid_from, s.valid_to,
        case when s.period_type = 'cumulative_quarter' then date_trunc('year', starts)::date else starts::date end
            as period_start,
        (starts + make_interval(months => s.months))::date - 1 as period_end,
        s.months_after, s.day
    from spell as s
    cross join lateral generate_series(
        s.first_start::timestamp,
        least(coalesce(s.valid_to, :today), :today)::timestamp,
        make_interval(months => s.months)
    ) as starts
),

due as (
    select p.*,
        least(
            due_month + make_interval(days => p.day - 1), due_month + interval '1 month' - interval '1 day'
        )::date as nominal
    from period as p
    cross join lateral (
        select date_trunc('month', p.period_end) + make_interval(months => p.months_after) as due_month
    ) as m
    where p.period_end >= p.valid_from and (p.valid_to is null or p.period_end < p.valid_to)
),

-- In a year whose days off are known a due date moves to the next day that is worked.
moved as (
    select n.nominal,
        case
            when exists (
                select from registry.holiday as h where date_trunc('year', h.day) = date_trunc('year', n.nominal)
            ) then (
                select min(later.day)::date
                from generate_series(n.nominal, n.nominal + 60, interval '1 day') as later (day)
                left join registry.holiday as h on h.day = later.day::date
                where coalesce(h.is_working, extract(isodow from later.day) < 6)
            )
            else n.nominal
        end as due_on
    from (select distinct due.nominal from due) as n
),

-- Who is opened and closed on one day is open (ingestion.unit_history).
opening as (
    select e.organization_key,
        case when bool_or(e.event_type in ('open', 'reopen', 'split')) then 'open' else 'close' end as event_type,
        e.event_date as opened_on,
        lead(e.event_date, 1, date 'infinity') over unit as closed_on,
        row_number() over unit as nth
    from registry.organization_event as e
    where e.event_type in ('open', 'reopen', 'split', 'close', 'merge')
    group by e.organization_key, e.event_date
    window unit as (partition by e.organization_key order by e.event_date)
),

-- A unit of which only a closing is known was open before it.
open_spell as (
    select o.organization_key, o.opened_on, o.closed_on from opening as o where o.event_type <> 'close'
    union all
    select o.organization_key, date '-infinity', o.opened_on
    from opening as o where o.nth = 1 and o.event_type = 'close'
)

select distinct on (
    due.form_code, due.subject_type, due.subject_code, due.period_type, due.period_start, due.period_end
)
    due.form_code, due.subject_type, due.subject_code, due.period_type, due.period_start, due.period_end,
    moved.due_on, case when due.grace_days > 0 then moved.due_on + due.grace_days end as grace_until, due.parts,
    due.reporter_key, due.exempt_reason, o.organization_key,
    case when due.subject_type = 'region' then due.subject_code else region.region_code end as region_code
from due
inner join moved on moved.nominal = due.nominal
left join registry.organization as o
    on due.subject_type = 'organization' and o.organization_code = due.subject_code
left join lateral (
    select e.region_code
    from registry.organization_event as e
    where e.organization_key = o.organization_key and e.region_code is not null and e.event_date <= due.period_end
    order by e.event_date desc, e.region_code desc limit 1
) as region on true
where moved.due_on <= :today
    and (due.subject_type = 'region' or o.organization_key is not null)
    and (
        o.organization_key is null
        or not exists (select from opening as n where n.organization_key = o.organization_key)
        or exists (
            select from open_spell as s
            where s.organization_key = o.organization_key
                and s.opened_on <= due.period_end and s.closed_on > due.period_start
        )
    )
order by due.form_code, due.subject_type, due.subject_code, due.period_type, due.period_start, due.period_end,
    due.valid_from desc
"""

_IDENTITY = (
    "(r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end)"
    " = (e.form_code, '', e.subject_type, e.subject_code, e.period_type, e.period_start, e.period_end)"
)

_REPORTS = f"""
insert into registry.report (
    form_code, part, subject_type, subject_code, organization_key, region_code,
    period_type, period_start, period_end
)
select e.form_code, '', e.subject_type, e.subject_code, e.organization_key, e.region_code,
    e.period_type, e.period_start, e.period_end
from expected as e
where not exists (select from registry.report as r where {_IDENTITY})
order by 1, 3, 4, 7, 8, 9
on conflict do nothing
"""  # noqa: S608

_OBLIGATIONS = f"""
insert into registry.obligation as o (report_id, due_on, grace_until, parts, reporter_key, exempt_reason)
select r.report_id, e.due_on, e.grace_until, e.parts, e.reporter_key, e.exempt_reason
from expected as e
inner join registry.report as r on {_IDENTITY}
on conflict (report_id) do update set
    due_on = excluded.due_on, grace_until = excluded.grace_until, parts = excluded.parts,
    reporter_key = excluded.reporter_key, exempt_reason = excluded.exempt_reason
where (o.due_on, o.grace_until, o.parts, o.reporter_key, o.exempt_reason) is distinct from
    (excluded.due_on, excluded.grace_until, excluded.parts, excluded.reporter_key, excluded.exempt_reason)
returning o.report_id
"""  # noqa: S608

_NO_LONGER = f"""
delete from registry.obligation as o
where o.due_on <= :today and not exists (
    select from registry.report as r inner join expected as e on {_IDENTITY} where r.report_id = o.report_id
)
returning o.report_id
"""  # noqa: S608

_CHANGES = """
insert into registry.change (report_id, from_revision_id, to_revision_id, cause)
select r.report_id, r.current_revision_id, r.current_revision_id, :cause
from registry.report as r where r.report_id = any(:reports) order by r.report_id
"""


_WHOLES = """
insert into registry.change (report_id, from_revision_id, to_revision_id, cause)
select distinct r.report_id, r.current_revision_id, r.current_revision_id, cast(:cause as text)
from registry.report as p
inner join registry.report as r
    on (r.form_code, r.part, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end)
    = (p.form_code, '', p.subject_type, p.subject_code, p.period_type, p.period_start, p.period_end)
inner join registry.obligation as o on o.report_id = r.report_id and p.part = any(o.parts)
where p.report_id = any(:parts)
order by r.report_id
"""

_TIMELINESS = """
with state as (
    select f.form_code, f.period_type, f.period_start, f.period_end,
        case
            when f.exempt_reason is not null then 'exempt'
            when f.revision_id is null then 'missing'
            when f.value_count = 0 or f.nonzero_count = 0 then 'empty'
            when (f.first_accepted_at at time zone :timezone)::date > f.grace_until then 'late'
            else 'on_time'
        end as status
    from registry.fulfilment as f
    where (cast(:form as text) is null or f.form_code = :form)
        and (cast(:unit as text) is null or f.subject_code = :unit)
        and (cast(:from_ as date) is null or f.period_end >= :from_)
        and (cast(:to as date) is null or f.period_start <= :to)
)

select form_code, period_type, period_start, period_end,
    count(*) filter (where status <> 'exempt') as due,
    count(*) filter (where status = 'on_time') as on_time,
    count(*) filter (where status = 'late') as late,
    count(*) filter (where status = 'empty') as empty,
    count(*) filter (where status = 'missing') as missing,
    count(*) filter (where status = 'exempt') as exempt
from state
group by form_code, period_type, period_start, period_end
order by form_code, period_start, period_end
"""


@dataclass(frozen=True)
class Timeliness:
    """How the reports due of a form and period came: counts of obligations, of which exempt ones are not due.

    ``empty`` came, but all blank or all zero. Only what was due counts as received, so no rate exceeds 100 %.
    """

    form_code: str
    period_type: str
    period_start: date
    period_end: date
    due: int
    on_time: int
    late: int
    empty: int
    missing: int
    exempt: int

    @property
    def received(self) -> int:
        """Reports due that came, empty ones included."""
        return self.on_time + self.late + self.empty

    @property
    def reporting_rate(self) -> float | None:
        """Share of the reports due that came; None when none was due."""
        return self.received / self.due if self.due else None

    @property
    def on_time_rate(self) -> float | None:
        """Share of the reports due that came filled and in time; None when none was due."""
        return self.on_time / self.due if self.due else None


def timeliness(
    settings: Settings,
    engine: Engine,
    *,
    form: str | None = None,
    unit: str | None = None,
    from_: date | None = None,
    to: date | None = None,
) -> list[Timeliness]:
    """What was due and how it came, by form and period; the same as ``fct_report_timeliness`` says once published."""
    values = {"timezone": settings.timezone, "form": form, "unit": unit, "from_": from_, "to": to}
    with engine.connect() as connection:
        return [Timeliness(*row) for row in connection.execute(text(_TIMELINESS), values).all()]


def mark_due(engine: Engine, today: date) -> int:
    """Bring obligations to what duties and calendars say is due by today; returns how many changed.

    Each obligation that is new, has changed or no longer holds (the duty was corrected) is logged for the next
    release. Idempotent; where nothing differs nothing is written.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('registry.obligation'))"))
        connection.execute(text(_EXPECTED), {"today": today})
        connection.execute(text("analyze expected"))
        connection.execute(text(_REPORTS))
        due = connection.scalars(text(_OBLIGATIONS)).all()
        gone = connection.scalars(text(_NO_LONGER), {"today": today}).all()
        _log(connection, list(due), "due")
        _log(connection, list(gone), "no longer due")
    if due or gone:
        log.info("obligations marked", due=len(due), gone=len(gone))
    return len(due) + len(gone)


def tell_wholes(connection: Connection, parts: Sequence[int], cause: str) -> None:
    """Log for the next release the whole forms that are due and that these reports are parts of."""
    if parts:
        connection.execute(text(_WHOLES), {"parts": list(parts), "cause": cause})


def _log(connection: Connection, reports: list[int], cause: str) -> None:
    if reports:
        connection.execute(text(_CHANGES), {"reports": reports, "cause": cause})
