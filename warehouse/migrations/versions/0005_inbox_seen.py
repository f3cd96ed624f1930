"""What was registered of an inbox when somebody last looked into it.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
create table registry.inbox_seen (
    source_code text primary key,
    fingerprints bigint[] not null,
    looked_at timestamptz not null default now()
);
comment on table registry.inbox_seen is
    'Registered files that lay in an inbox at the last look, as sums over groups of them: a group whose sum is the '
    'same holds nothing new. Grain: one row per source. May be emptied at any time.';
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute("drop table registry.inbox_seen")
