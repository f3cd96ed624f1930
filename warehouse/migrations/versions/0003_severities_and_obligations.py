"""Severities of a bureau's own, obligations with parts, holidays and grace, and statuses that only move as they may.

Revision ID: 0003
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEVERITIES = """
create table registry.rule_severity (
    severity_id bigint generated always as identity primary key,
    rule_id text not null,
    form_code text,
    severity text not null check (severity in ('hard', 'soft')),
    owner text not null,
    reason text not null,
    registered_at timestamptz not null default now(),
    ended_at timestamptz
);
create unique index one_open_severity on registry.rule_severity (rule_id, form_code)
    nulls not distinct where ended_at is null;
comment on table registry.rule_severity is
    'Severities that the bureau sets itself: rule, form, owner, reason. Rows are kept as history; an open row counts. '
    'Grain: one row per rule, form and wording.';
comment on column registry.rule_severity.ended_at is 'When the site took it out or reworded it; null while it is open.';

alter table registry.finding add column severity_id bigint references registry.rule_severity;
comment on column registry.finding.severity_id is 'Severity of the bureau''s own that took the place of the rule''s.';
"""

OBLIGATIONS = """
alter table registry.revision add column nonzero_count int;
comment on column registry.revision.nonzero_count is
    'Filled values other than zero; null where they were not counted. A report without any is empty.';

create table registry.holiday (
    day date primary key,
    is_working boolean not null default false,
    name_zh text
);
comment on table registry.holiday is
    'Days off, and weekend days that are worked; due dates move to the next working day in the years that it names. '
    'Grain: one row per day.';

alter table registry.duty add column grace_days int not null default 0 check (grace_days >= 0);
comment on column registry.duty.grace_days is 'Days after the due date on which a report still counts as on time.';

alter table registry.obligation
    add column grace_until date,
    add column parts text[];
alter table registry.obligation add check (grace_until >= due_on);
comment on column registry.obligation.grace_until is
    'Last day on which the report counts as on time, where that is later than the due date.';
comment on column registry.obligation.parts is
    'Parts that together fulfil it as the whole form does; null for a form that comes as a whole only.';

create view registry.fulfilment as
select
    o.report_id, r.form_code, r.subject_type, r.subject_code, r.period_type, r.period_start, r.period_end,
    o.due_on, coalesce(o.grace_until, o.due_on) as grace_until, o.reporter_key, o.exempt_reason,
    coalesce(whole.revision_id, pieces.revision_id) as revision_id,
    case
        when coalesce(whole.revision_id, pieces.revision_id) is not null
            then coalesce(whole.value_count, 0) + coalesce(pieces.value_count, 0)
    end::int as value_count,
    case
        when coalesce(whole.revision_id, pieces.revision_id) is not null
            then coalesce(whole.nonzero_count, 0) + coalesce(pieces.nonzero_count, 0)
    end::int as nonzero_count,
    least(whole.first_accepted_at, pieces.first_accepted_at) as first_accepted_at
from registry.obligation as o
inner join registry.report as r on r.report_id = o.report_id
left join lateral (
    select v.revision_id, v.value_count, coalesce(v.nonzero_count, v.value_count) as nonzero_count,
        (
            select min(earlier.received_at)
            from registry.revision as earlier
            where earlier.report_id = r.report_id and earlier.status <> 'withdrawn'
                and exists (
                    select from registry.revision_status as s
                    where s.revision_id = earlier.revision_id and s.status in ('accepted', 'accepted_with_warnings')
                )
        ) as first_accepted_at
    from registry.revision as v
    where v.revision_id = r.current_revision_id
) as whole on true
left join lateral (
    select max(v.revision_id) as revision_id, sum(v.value_count) as value_count,
        sum(coalesce(v.nonzero_count, v.value_count)) as nonzero_count,
        max((
            select min(earlier.received_at)
            from registry.revision as earlier
            where earlier.report_id = p.report_id and earlier.status <> 'withdrawn'
                and exists (
                    select from registry.revision_status as s
                    where s.revision_id = earlier.revision_id and s.status in ('accepted', 'accepted_with_warnings')
                )
        )) as first_accepted_at
    from registry.report as p
    inner join registry.revision as v on v.revision_id = p.current_revision_id
    where p.form_code = r.form_code and p.part = any(o.parts)
        and p.subject_type = r.subject_type and p.subject_code = r.subject_code
        and p.period_type = r.period_type and p.period_start = r.period_start and p.period_end = r.period_end
    having count(*) = cardinality(o.parts)
) as pieces on o.parts is not null;
comment on view registry.fulfilment is
    'Obligations with what fulfils them: the whole form, or all of its parts. Grain: one row per report due.';
comment on column registry.fulfilment.revision_id is 'Null while nothing, or not every part, has been accepted.';
comment on column registry.fulfilment.first_accepted_at is
    'When what was first good enough was received (its last part); later corrections and re-sent copies do not move it.';
"""

STATUSES = """
insert into registry.revision_status (revision_id, status, at, cause)
select v.revision_id, 'received', v.received_at, 'received'
from registry.revision as v
on conflict do nothing;

create function registry.check_transitions() returns trigger
language plpgsql
as $body$
declare
    wrong record;
begin
    select t.revision_id, t.earlier, t.status into wrong
    from (
        select s.revision_id, s.status, s.at,
            lag(s.status, 1, '') over (partition by s.revision_id order by s.at) as earlier
        from registry.revision_status as s
        where s.revision_id in (select i.revision_id from incoming as i)
    ) as t
    where (t.earlier, t.status) not in (
        ('', 'received'),
        ('received', 'accepted'), ('received', 'accepted_with_warnings'), ('received', 'quarantined'),
        ('accepted', 'superseded'), ('accepted_with_warnings', 'superseded'), ('quarantined', 'superseded'),
        ('accepted', 'withdrawn'), ('accepted_with_warnings', 'withdrawn')
    )
    limit 1;
    if found then
        raise exception 'revision % cannot become % when it is %',
            wrong.revision_id, wrong.status, coalesce(nullif(wrong.earlier, ''), 'not received')
            using errcode = 'check_violation';
    end if;
    return null;
end
$body$;
comment on function registry.check_transitions is
    'received, then accepted (with warnings) or quarantined, then superseded; what was accepted may be withdrawn.';

create trigger only_transitions_that_exist
after insert on registry.revision_status
referencing new table as incoming
for each statement execute function registry.check_transitions();
"""

DOWNGRADE = """
drop trigger only_transitions_that_exist on registry.revision_status;
drop function registry.check_transitions();
delete from registry.revision_status where status = 'received';
drop view registry.fulfilment;
alter table registry.obligation drop column grace_until, drop column parts;
alter table registry.duty drop column grace_days;
drop table registry.holiday;
alter table registry.revision drop column nonzero_count;
alter table registry.finding drop column severity_id;
drop table registry.rule_severity;
"""


def upgrade() -> None:
    op.execute(SEVERITIES)
    op.execute(OBLIGATIONS)
    op.execute(STATUSES)


def downgrade() -> None:
    op.execute(DOWNGRADE)
