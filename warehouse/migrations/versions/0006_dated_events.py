"""More kinds of dated events, what is wrong with them, spells that the database keeps whole, and the list of releases.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Trusted since PostgreSQL 13: who may create in the database may install it. Ships with postgresql-contrib.
EXTENSION = "create extension if not exists btree_gist"

EVENTS = """
alter table registry.organization_event
    drop constraint organization_event_event_type_check,
    add constraint organization_event_event_type_check check (event_type in (
        'open', 'close', 'reopen', 'rename', 'reclass', 'regrade', 'move', 'district', 'ownership', 'sponsor',
        'merge', 'split', 'other'
    )),
    add column is_counted_by_second_class boolean;
comment on column registry.organization_event.is_counted_by_second_class is
    'From this day on the unit''s services count in the class of its second name.';
comment on column registry.organization_event.related_organization_key is
    'Of a merge: the unit that this one goes into. Of a split: the unit that this one comes out of.';

create table registry.directory_finding (
    directory_finding_id bigint generated always as identity primary key,
    organization_code text not null,
    event_date date not null,
    rule_id text not null,
    message_zh text not null,
    message_en text not null,
    found_at timestamptz not null default now(),
    resolved_at timestamptz
);
create unique index one_open_directory_finding
    on registry.directory_finding (organization_code, event_date, rule_id, message_en) where resolved_at is null;
comment on table registry.directory_finding is
    'Dated events of units that contradict each other or themselves; the star takes what the documentation says of each '
    'rule. Grain: one row per unit, day and contradiction; resolved_at is set once the directory no longer says so.';
"""

# Rows of earlier releases keep what they said; the next build says the rest of every row that is open.
DIMENSIONS = """
alter table if exists star.dim_organization
    add column if not exists class_name_zh text,
    add column if not exists is_counted_by_second_class boolean not null default false,
    add column if not exists registered_class_group text not null default 'other',
    add column if not exists second_class_group text,
    add column if not exists economic_type_zh text,
    add column if not exists ownership_zh text,
    add column if not exists sponsor_group text,
    add column if not exists sponsor_zh text,
    add column if not exists profit_status text,
    add column if not exists profit_status_zh text,
    add column if not exists level_zh text,
    add column if not exists grade_zh text,
    add column if not exists came_from_key int,
    add column if not exists went_into_key int;
alter table if exists star.dim_region
    add column if not exists applies_from date not null default '1900-01-01',
    add column if not exists legal_from date not null default '1900-01-01',
    add column if not exists region_type text not null default 'administrative',
    add column if not exists county_code text,
    add column if not exists prefecture_code text,
    add column if not exists province_code text,
    add column if not exists inside_code text,
    add column if not exists is_counted_inside boolean not null default false,
    add column if not exists date_basis text not null default 'unknown',
    add column if not exists is_code_reused boolean not null default false;
alter table if exists star.dim_disease
    add column if not exists is_managed_as_a boolean not null default false,
    add column if not exists report_within_hours int,
    add column if not exists icd10 text;
"""

SPELLS = """
create function warehouse.spells_meet() returns trigger
language plpgsql as $body$
declare
    gap boolean;
begin
    execute format(
        'select exists (select from (select s.valid_to, lead(s.valid_from) over (order by s.valid_from) as next_from'
        ' from %I.%I as s where s.%I = ($1).%I and s.release_to = 2147483647) as spell'
        ' where spell.next_from <> spell.valid_to)',
        tg_table_schema, tg_table_name, tg_argv[0], tg_argv[0]
    ) into gap using coalesce(new, old);
    if gap then
        raise exception 'spells of %.% do not follow each other: %', tg_table_schema, tg_table_name,
            to_jsonb(coalesce(new, old)) -> tg_argv[0]
            using errcode = 'exclusion_violation', hint = 'Every spell begins on the day on which the one before ends.';
    end if;
    return null;
end
$body$;
comment on function warehouse.spells_meet is
    'Constraint trigger of a dimension of spells: at the end of a transaction the open rows of a key leave no gap.';
"""

RELEASES = """
create view published.dim_release as
select
    r.release_id as release,
    (
        select min(l.at) from warehouse.pointer_log as l where l.action = 'publish' and l.to_release = r.release_id
    ) as published_at,
    case when r.release_id = p.current_release then 'current' when r.status = 'published' then 'earlier' else r.status end
        as status,
    r.base_release,
    r.release_id = (select warehouse.reading_release()) as is_read,
    r.reason
from warehouse.release as r
cross join warehouse.pointer as p
where exists (
    select from warehouse.pointer_log as l where l.action = 'publish' and l.to_release = r.release_id
);
comment on view published.dim_release is
    'Grain: one row per release that was ever public. 发布维：曾经公开的各次发布；以 SET warehouse.as_of_release 回看。';
comment on column published.dim_release.release is '发布号';
comment on column published.dim_release.published_at is '首次公开的时间';
comment on column published.dim_release.status is 'current 现行、earlier 早先、undone 已撤回、set_aside 已搁置';
comment on column published.dim_release.base_release is '在哪次发布的基础上构建';
comment on column published.dim_release.is_read is '本会话所读的发布';
comment on column published.dim_release.reason is '撤回、搁置的理由';
"""


def upgrade() -> None:
    for statement in (EXTENSION, EVENTS, DIMENSIONS, SPELLS, RELEASES):
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "drop view published.dim_release;"
        "drop function warehouse.spells_meet() cascade;"
        "drop table registry.directory_finding;"
        "alter table registry.organization_event drop column is_counted_by_second_class"
    )
