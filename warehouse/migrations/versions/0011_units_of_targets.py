"""The columns that progress of plans gained: how many towns, counties or hospitals a target is about.

Revision ID: 0011
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = """
alter table if exists star.mart_plan_progress
    add column if not exists units_expected bigint,
    add column if not exists units_measured bigint,
    add column if not exists units_meeting bigint,
    add column if not exists worst_unit text
"""


def upgrade() -> None:
    op.execute(COLUMNS)


def downgrade() -> None:
    """Nothing to take back: columns that are there do no harm."""
