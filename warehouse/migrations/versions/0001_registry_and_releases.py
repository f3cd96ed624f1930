"""Registry of files, reports and revisions; releases and their pointer; audit results.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = """
create schema registry;
create schema raw;
create schema staging;
create schema star;
create schema candidate;
create schema published;
create schema audit;

comment on schema registry is 'What arrived: files, reports, revisions, findings, obligations, changes.';
comment on schema raw is 'One table per report form; rows of every revision, never updated.';
comment on schema staging is 'dbt working area: typed views of the current revisions, seeds, intermediate models.';
comment on schema star is 'Dimensions, facts and marts as row versions (release_from, release_to).';
comment on schema candidate is 'Views of the star at the candidate release: what the gate audits.';
comment on schema published is 'Views of the star at the current release: what BI reads.';
comment on schema audit is 'Results of the gate: one row per declared check and release.';
comment on schema warehouse is 'Releases, the pointer to the current one, runs and their stages.';
"""

REGISTRY = """
create table registry.form (
    form_code text not null,
    edition text not null,
    name_zh text not null,
    name_en text not null,
    period_type text not null,
    subject_type text not null,
    definition jsonb not null,
    definition_hash text not null,
    loaded_at timestamptz not null default now(),
    primary key (form_code, edition)
);
comment on table registry.form is 'Form definitions as last loaded from YAML. Grain: one row per form and edition.';

create table registry.form_field (
    form_code text not null,
    field_code text not null,
    ordinal int not null,
    role text not null check (role in ('identity', 'breakdown', 'attribute', 'measure')),
    data_type text not null,
    name_zh text not null,
    unit text,
    source_unit text,
    nature text check (nature in ('stock', 'flow', 'cumulative')),
    primary key (form_code, field_code)
);
comment on table registry.form_field is 'Columns of the raw tables over all editions. Grain: one row per form and field.';

create table registry.organization (
    organization_key int generated always as identity primary key,
    organization_code text not null unique
);
comment on table registry.organization is 'Durable identity of a unit; its attributes are dated events.';

create table registry.organization_event (
    organization_key int not null references registry.organization,
    event_date date not null,
    event_type text not null check (event_type in (
        'open', 'close', 'reopen', 'rename', 'reclass', 'regrade', 'move', 'ownership', 'merge', 'split', 'other'
    )),
    name_zh text,
    uscc text,
    org_code_22 text,
    class_code text,
    second_class_code text,
    economic_type_code text,
    sponsor_code text,
    management_class_code text,
    level_code text,
    grade_code text,
    region_code text,
    township_code text,
    is_proxy_reporter boolean,
    is_branch boolean,
    related_organization_key int references registry.organization,
    note text,
    primary key (organization_key, event_date, event_type)
);
comment on table registry.organization_event is
    'Dated changes of units; an empty attribute means unchanged. Grain: one row per unit, day and kind of change.';

create table registry.duty (
    form_code text not null,
    subject_type text not null check (subject_type in ('organization', 'region')),
    subject_code text not null,
    reporter_key int not null references registry.organization,
    valid_from date not null,
    valid_to date,
    exempt_reason text,
    primary key (form_code, subject_type, subject_code, valid_from)
);
comment on table registry.duty is
    'Who must file which form for whom, in which spell. Grain: one row per form, subject and spell.';

create table registry.file (
    file_id bigint generated always as identity primary key,
    sha256 text not null unique check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes bigint not null,
    stored_path text not null,
    registered_at timestamptz not null default now()
);
comment on table registry.file is 'Files kept for ever under their SHA-256. Grain: one row per content.';

create table registry.arrival (
    arrival_id bigint generated always as identity primary key,
    file_id bigint not null references registry.file,
    source_code text not null,
    file_name text not null,
    received_at timestamptz not null,
    registered_at timestamptz not null default now(),
    run_id text,
    status text not null check (status in ('received', 'taken_in', 'duplicate', 'unreadable', 'unrecognised', 'failed')),
    form_code text,
    edition text,
    layout text,
    detail text
);
create index on registry.arrival (file_id);
create index on registry.arrival (source_code, file_name);
comment on table registry.arrival is
    'Each time a file lay in an inbox; received_at is the file''s own time there. Grain: one row per arrival.';

create table registry.report (
    report_id bigint generated always as identity primary key,
    form_code text not null,
    part text not null default '',
    subject_type text not null check (subject_type in ('organization', 'region')),
    subject_code text not null,
    organization_key int references registry.organization,
    region_code text,
    period_type text not null check (period_type in (
        'month', 'quarter', 'cumulative_quarter', 'year', 'mch_year', 'event'
    )),
    period_start date not null,
    period_end date not null,
    current_revision_id bigint,
    check (period_end >= period_start),
    check ((subject_type = 'organization') = (organization_key is not null)),
    unique (form_code, part, subject_type, subject_code, period_type, period_start, period_end)
);
create index on registry.report (form_code, period_start);
create index on registry.report (organization_key);
create index on registry.report (current_revision_id);
comment on table registry.report is
    'Identity of a report. Grain: one row per form, part, subject and period, whether received or only due.';
comment on column registry.report.period_end is 'Last day of the period, inclusive.';
comment on column registry.report.current_revision_id is 'Newest accepted revision that is not withdrawn; null when there is none.';

create table registry.revision (
    revision_id bigint generated always as identity primary key,
    report_id bigint not null references registry.report,
    revision_no int not null,
    arrival_id bigint not null references registry.arrival,
    edition text not null,
    reporter_key int references registry.organization,
    content_hash text not null,
    status text not null check (status in (
        'accepted', 'accepted_with_warnings', 'quarantined', 'superseded', 'withdrawn'
    )),
    record_count int not null,
    value_count int not null,
    received_at timestamptz not null,
    registered_at timestamptz not null default now(),
    unique (report_id, revision_no)
);
create index on registry.revision (arrival_id);
alter table registry.report
    add foreign key (current_revision_id) references registry.revision deferrable initially deferred;
comment on table registry.revision is 'Contents a report has had. Grain: one row per report and revision.';
comment on column registry.revision.value_count is 'Filled values; zero means an empty report.';

create table registry.revision_status (
    revision_id bigint not null references registry.revision,
    status text not null,
    at timestamptz not null default clock_timestamp(),
    cause text not null,
    actor text not null default current_user,
    primary key (revision_id, at)
);
comment on table registry.revision_status is 'Every transition of a revision. Grain: one row per revision and transition.';

create table registry.arrival_report (
    arrival_id bigint not null references registry.arrival,
    report_id bigint not null references registry.report,
    revision_id bigint not null references registry.revision,
    primary key (arrival_id, report_id)
);
create index on registry.arrival_report (report_id);
create index on registry.arrival_report (revision_id);
comment on table registry.arrival_report is
    'Which reports a file carried and the revision that holds what it said (an earlier one when nothing was new). '
    'Grain: one row per arrival and report.';

create table registry.waiver (
    waiver_id bigint generated always as identity primary key,
    rule_id text not null,
    form_code text,
    subject_code text,
    period_from date,
    period_to date,
    owner text not null,
    reason text not null,
    expires_on date not null,
    registered_at timestamptz not null default now(),
    ended_at timestamptz
);
create unique index one_open_waiver on registry.waiver (rule_id, form_code, subject_code, period_from, period_to)
    nulls not distinct where ended_at is null;
comment on table registry.waiver is
    'Known failures that do not quarantine: rule, scope, owner, reason, expiry. Rows are kept as history; an open row '
    'counts until its last day. Grain: one row per rule, scope and wording.';
comment on column registry.waiver.expires_on is 'Last day on which the waiver counts.';
comment on column registry.waiver.ended_at is 'When the site took the waiver out or reworded it; null while it is open.';

create table registry.finding (
    finding_id bigint generated always as identity primary key,
    arrival_id bigint not null references registry.arrival,
    revision_id bigint references registry.revision,
    report_id bigint references registry.report,
    rule_id text not null,
    level text not null check (level in ('file', 'layout', 'value', 'report', 'unit', 'history')),
    severity text not null check (severity in ('hard', 'soft')),
    waiver_id bigint references registry.waiver,
    sheet text,
    cell text,
    field_code text,
    breakdown text,
    value text,
    message_zh text not null,
    message_en text not null,
    found_at timestamptz not null default now(),
    resolved_at timestamptz
);
create index on registry.finding (arrival_id);
create index on registry.finding (revision_id);
comment on table registry.finding is 'Failed checks. Grain: one row per failed check at one place of one arrival.';
comment on column registry.finding.resolved_at is
    'When a later reading of the same file no longer met it; null while it stands. Findings of a revision stand with it.';

create table registry.judgement (
    fingerprint text primary key,
    judged_at timestamptz not null default clock_timestamp()
);
comment on table registry.judgement is
    'Grounds (forms, waivers, directory) on which everything that waits was judged, the newest being the last. '
    'Grain: one row per state of the grounds.';

create table registry.field_position (
    arrival_id bigint not null references registry.arrival,
    sheet text not null,
    field_code text not null,
    source_row int,
    source_column int,
    primary key (arrival_id, sheet, field_code),
    check (num_nonnulls(source_row, source_column) = 1)
);
comment on table registry.field_position is
    'Row or column (1-based) that held a field; with the record''s own row or column it names the cell.';

create table registry.obligation (
    report_id bigint primary key references registry.report,
    due_on date not null,
    reporter_key int not null references registry.organization,
    exempt_reason text,
    registered_at timestamptz not null default now()
);
comment on table registry.obligation is 'Reports that have fallen due. Grain: one row per report due.';

create table registry.change (
    change_id bigint generated always as identity primary key,
    report_id bigint not null references registry.report,
    from_revision_id bigint references registry.revision,
    to_revision_id bigint references registry.revision,
    cause text not null,
    at timestamptz not null default now(),
    release_id int references warehouse.release
);
create index on registry.change (release_id, report_id);
comment on table registry.change is
    'What a candidate must rebuild: a report whose current revision, obligation, unit or rule changed. '
    'Grain: one row per report and change; release_id is null until a candidate claims it.';

create function registry.cell_name(cell_row int, cell_column int) returns text
language sql immutable parallel safe
return case
    when cell_column > 702 then chr(65 + (cell_column - 703) / 676) else '' end
    || case when cell_column > 26 then chr(65 + ((cell_column - 27) / 26) % 26) else '' end
    || chr(65 + (cell_column - 1) % 26)
    || cell_row;
comment on function registry.cell_name is 'Spreadsheet name (A1) of a 1-based row and column.';
"""

WAREHOUSE = """
create table warehouse.release (
    release_id int primary key check (release_id > 0),
    status text not null check (status in ('candidate', 'published', 'undone', 'set_aside', 'rejected')),
    verdict text check (verdict in ('passed', 'failed')),
    base_release int not null,
    owner text not null,
    attempt int not null default 1,
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    reason text,
    summary jsonb not null default '{}'
);
create unique index only_one_candidate on warehouse.release ((status)) where status = 'candidate';
comment on table warehouse.release is 'Published states of the star and the candidates for them. Grain: one row per release.';
comment on column warehouse.release.verdict is 'The gate''s word on the candidate; publishing requires passed.';
comment on column warehouse.release.base_release is 'Release the candidate started from.';
comment on column warehouse.release.owner is 'Run that builds the candidate; only it may audit and publish.';

create table warehouse.pointer (
    only_row boolean primary key default true check (only_row),
    current_release int not null default 0,
    candidate_release int not null default 0
);
insert into warehouse.pointer default values;
comment on table warehouse.pointer is 'The one row that publishing updates. Release 0 is the empty star.';

create table warehouse.pointer_log (
    at timestamptz not null default clock_timestamp() primary key,
    action text not null check (action in ('publish', 'undo', 'redo')),
    from_release int not null,
    to_release int not null,
    actor text not null default session_user,
    reason text not null
);
comment on table warehouse.pointer_log is 'Every move of the pointer: which release BI saw from when. Grain: one row per move.';

create table warehouse.run (
    run_id text primary key,
    kind text not null check (kind in ('nightly', 'backfill', 'command')),
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    release_id int,
    outcome text,
    detail jsonb not null default '{}'
);
comment on table warehouse.run is 'Nights, backfills and commands. Grain: one row per run.';

create table warehouse.stage (
    run_id text not null references warehouse.run,
    stage text not null,
    lane text not null default '',
    attempt int not null default 1,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    detail jsonb not null default '{}',
    primary key (run_id, stage, lane, attempt)
);
comment on table warehouse.stage is 'Stages of a run with their times and results. Grain: one row per run, stage, lane and attempt.';

create function warehouse.reading_release() returns int
language plpgsql stable parallel safe security definer set search_path = pg_catalog
as $body$
declare
    wanted text := nullif(current_setting('warehouse.as_of_release', true), '');
    newest int := (select p.current_release from warehouse.pointer p);
begin
    if wanted is null then
        return newest;
    end if;
    if wanted !~ '^[0-9]{1,9}$' or wanted::int > newest then
        raise exception 'warehouse.as_of_release is %, but the current release is %', wanted, newest
            using hint = 'SET warehouse.as_of_release to a published release number, or RESET it.',
                  errcode = 'invalid_parameter_value';
    end if;
    return wanted::int;
end
$body$;
comment on function warehouse.reading_release is
    'Release that the published views show: the session''s warehouse.as_of_release, else the current one.';

create function warehouse.candidate_release() returns int
language sql stable parallel safe security definer set search_path = pg_catalog
return (select p.candidate_release from warehouse.pointer p);
comment on function warehouse.candidate_release is 'Release that the candidate views show.';
"""

AUDIT = """
create table audit.check_result (
    release_id int not null,
    attempt int not null,
    check_id text not null,
    suite text not null,
    table_name text,
    severity text not null check (severity in ('critical', 'warning')),
    status text not null check (status in ('passed', 'failed', 'error', 'missing')),
    observed text,
    expected text,
    failing_rows bigint,
    failing_query text,
    message_zh text not null,
    message_en text not null,
    checked_at timestamptz not null default now(),
    primary key (release_id, attempt, check_id)
);
comment on table audit.check_result is 'What the gate found. Grain: one row per release, attempt and declared check.';
"""


def upgrade() -> None:
    op.execute(SCHEMAS)
    op.execute(WAREHOUSE)
    op.execute(REGISTRY)
    op.execute(AUDIT)


def downgrade() -> None:
    op.execute(
        "drop schema published, candidate, star, staging, audit, raw, registry cascade;"
        "drop table warehouse.stage, warehouse.run, warehouse.pointer_log, warehouse.pointer, warehouse.release cascade;"
        "drop function warehouse.reading_release(), warehouse.candidate_release();"
    )
