"""Indicators may have no numerator and say whether they are computed; their values are told apart by the period's end.

Revision ID: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDICATORS = """
alter table if exists star.dim_indicator
    add column if not exists is_computed boolean not null default false,
    alter column numerator drop not null
"""

KEY = "subject_type, subject_code, indicator_code, slice, period_type, period_start, period_end, release_from"


def upgrade() -> None:
    op.execute(INDICATORS)
    for table in ("fct_indicator", "mart_indicator"):
        op.execute(
            f"alter table if exists star.{table}"
            f" drop constraint if exists {table}_pkey, add primary key ({KEY})"
        )


def downgrade() -> None:
    """Nothing to take back: the wider key and the column do no harm."""
