"""Cells of indicators that a failed check spoils, for the step that marks them in the star.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UPGRADE = """
alter table audit.check_result
    add policy text not null default 'none' check (policy in ('none', 'flag', 'hold'));
create table audit.spoiled_cell (
    release_id int not null,
    attempt int not null,
    check_id text not null,
    organization_key int not null,
    indicator_code text not null,
    subject_type text not null,
    subject_code text not null,
    slice text not null,
    period_type text not null,
    period_start date not null,
    period_end date not null,
    policy text not null check (policy in ('flag', 'hold')),
    primary key (
        release_id, attempt, indicator_code, subject_type, subject_code, slice, period_type, period_start, period_end,
        check_id
    )
);
comment on table audit.spoiled_cell is
    'Values of indicators that rest on what a check found wrong, and what is to become of them. '
    'Grain: one row per release, attempt, cell of an indicator and check.';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("drop table audit.spoiled_cell; alter table audit.check_result drop policy")
