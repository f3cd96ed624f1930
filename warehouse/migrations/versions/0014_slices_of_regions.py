"""Slices may be of regions, and a part of an indicator may serve one slice alone.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table if exists star.dim_slice add column if not exists region_pattern text")
    op.execute("alter table if exists star.bridge_indicator_part add column if not exists slice text")


def downgrade() -> None:
    """Nothing to take back: the columns do no harm."""
