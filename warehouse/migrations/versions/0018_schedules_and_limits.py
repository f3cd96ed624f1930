"""Doses lead to the schedule that was in force, and rates without limits say why.

Revision ID: 0018
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# The next build says the rest of every open row of the lists; a fact's rows take the key when their report is built
# again.
COLUMNS = """
alter table if exists star.dim_vaccine_dose
    add column if not exists vaccine_dose_key text not null default '',
    add column if not exists due_from date not null default '0001-01-01',
    add column if not exists due_to date not null default '9999-12-31',
    add column if not exists counts_to date not null default '9999-12-31',
    add column if not exists alone_from date not null default '0001-01-01';
alter table if exists star.fct_immunisation add column if not exists vaccine_dose_key text;
alter table if exists star.dim_indicator add column if not exists no_interval_reason text
"""


def upgrade() -> None:
    op.execute(COLUMNS)


def downgrade() -> None:
    """Nothing to take back: columns that are there do no harm."""
