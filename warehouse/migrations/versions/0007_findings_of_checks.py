"""What each check found, key by key, so that it can be judged again; alarms that went out; cells held back.

Revision ID: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE = """
alter table audit.check_result
    drop constraint check_result_status_check,
    add constraint check_result_status_check
        check (status in ('passed', 'failed', 'error', 'missing', 'not_applicable')),
    add dimension text,
    add owner text,
    add question text,
    add scope text,
    add measure text not null default 'rows' check (measure in ('rows', 'share', 'score')),
    add threshold numeric not null default 0,
    add denominator bigint,
    add waived_rows bigint not null default 0,
    add new_rows bigint;
comment on column audit.check_result.scope is 'What the check is about: a table, a form or an indicator.';
comment on column audit.check_result.measure is
    'What the threshold judges: rows that fail, their share of those looked at, or the score of each finding.';
comment on column audit.check_result.denominator is 'Rows that were looked at; null where a query does not tell.';
comment on column audit.check_result.waived_rows is 'Failing rows that a waiver covers; the others make the status.';
comment on column audit.check_result.new_rows is 'Failing rows that the base release did not have.';

create table audit.finding (
    release_id int not null,
    attempt int not null,
    check_id text not null,
    suite text not null,
    key text not null,
    score numeric not null default 1,
    threshold numeric not null default 0,
    subject_type text,
    subject_code text,
    organization_key int,
    form_code text,
    field_code text,
    breakdown text,
    indicator_code text,
    slice text,
    period_type text,
    period_start date,
    report_id bigint,
    observed numeric,
    expected numeric,
    denominator numeric,
    cause text,
    detail jsonb,
    is_new boolean not null default false,
    waiver text,
    primary key (release_id, attempt, check_id, key)
);
create index finding_subject on audit.finding (subject_code, release_id);
comment on table audit.finding is
    'Where a check failed or came near to it. Grain: one row per release, attempt, check and key. Aggregates only: '
    'no row of a person is ever named.';
comment on column audit.finding.key is 'Names the place: the same from release to release as long as it is not mended.';
comment on column audit.finding.score is 'What the threshold of a check with measure score judges; else 1.';
comment on column audit.finding.cause is 'Best guess at what went wrong, as a code.';

create table audit.alarm (
    check_id text not null,
    key text not null,
    severity text not null,
    first_release int not null,
    raised_at timestamptz not null default now(),
    sent_at timestamptz,
    gone_at timestamptz,
    primary key (check_id, key)
);
comment on table audit.alarm is
    'Failures that people have been told of, once each; one that went and came back is told again. '
    'Grain: one row per check and key.';
"""

DOWNGRADE = """
drop table audit.alarm, audit.finding;
delete from audit.check_result where status = 'not_applicable';
alter table audit.check_result
    drop constraint check_result_status_check,
    add constraint check_result_status_check check (status in ('passed', 'failed', 'error', 'missing')),
    drop dimension, drop owner, drop question, drop scope, drop measure, drop threshold, drop denominator,
    drop waived_rows, drop new_rows;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
