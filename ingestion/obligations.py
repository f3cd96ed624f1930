"""Obligations: which reports have fallen due, from duties, calendars and the forms' due rules."""

from datetime import date

import structlog
from sqlalchemy import Connection, Engine, text

log = structlog.get_logger()

# A duty covers the periods on whose last day it holds. A unit that the directory has as closed before a period
# owes nothing for it. A form that arrives in parts is due as a whole (part '').
_EXPECTED = """
create temporary table expected on commit drop as
with form as (
    select distinct on (f.form_code) f.form_code, f.period_type,
        (f.definition -> 'due' ->> 'months_after')::int as months_after, (f.definition -> 'due' ->> 'day')::int as day
    from registry.form as f
    where jsonb_typeof(f.definition -> 'due') = 'object'
    order by f.form_code, f.loaded_at desc
),

spell as (
    select d.form_code, d.subject_type, d.subject_code, d.reporter_key, d.valid_from, d.valid_to, d.exempt_reason,
        form.period_type, form.months_after, form.day, kind.months,
        make_date(extract(year from d.valid_from)::int - 1, kind.first_month, 1) as first_start
    from registry.duty as d
    inner join form using (form_code)
    inner join (
        -- months that a period of each kind lasts, and the month it begins in
        values ('month', 1, 1), ('quarter', 3, 1), ('cumulative_quarter', 3, 1), ('year', 12, 1), ('mch_year', 12, 10)
    ) as kind (period_type, months, first_month) using (period_type)
),

period as (
    select s.form_code, s.subject_type, s.subject_code, s.reporter_key, s.exempt_reason, s.period_type,
        s.valid_from, s.valid_to,
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
        )::date as due_on
    from period as p
    cross join lateral (
        select date_trunc('month', p.period_end) + make_interval(months => p.months_after) as due_month
    ) as m
    where p.period_end >= p.valid_from and (p.valid_to is null or p.period_end < p.valid_to)
)

select due.form_code, due.subject_type, due.subject_code, due.period_type, due.period_start, due.period_end,
    due.due_on, due.reporter_key, due.exempt_reason, o.organization_key,
    case when due.subject_type = 'region' then due.subject_code else region.region_code end as region_code
from due
left join registry.organization as o
    on due.subject_type = 'organization' and o.organization_code = due.subject_code
left join lateral (
    select e.region_code
    from registry.organization_event as e
    where e.organization_key = o.organization_key and e.region_code is not null and e.event_date <= due.period_end
    order by e.event_date desc limit 1
) as region on true
left join lateral (
    select e.event_type
    from registry.organization_event as e
    where e.organization_key = o.organization_key and e.event_type in ('open', 'reopen', 'close')
        and e.event_date <= due.period_start
    order by e.event_date desc limit 1
) as state on true
where due.due_on <= :today and state.event_type is distinct from 'close'
    and (due.subject_type = 'region' or o.organization_key is not null)
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
insert into registry.obligation as o (report_id, due_on, reporter_key, exempt_reason)
select r.report_id, e.due_on, e.reporter_key, e.exempt_reason
from expected as e
inner join registry.report as r on {_IDENTITY}
on conflict (report_id) do update set
    due_on = excluded.due_on, reporter_key = excluded.reporter_key, exempt_reason = excluded.exempt_reason
where (o.due_on, o.reporter_key, o.exempt_reason)
    is distinct from (excluded.due_on, excluded.reporter_key, excluded.exempt_reason)
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


def _log(connection: Connection, reports: list[int], cause: str) -> None:
    if reports:
        connection.execute(text(_CHANGES), {"reports": reports, "cause": cause})
