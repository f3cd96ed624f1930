"""Facts by process: services, resources and money of institutions apart, maternal care with the quarterly tables.

Their tables are dropped and the next build makes them anew from every report. What earlier releases showed of them is
still there number by number: in ``fct_reported_value``.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

RESHAPED = ("fct_hospital_service", "fct_maternal_care")


def upgrade() -> None:
    for table in RESHAPED:
        op.execute(f"drop table if exists star.{table} cascade")


def downgrade() -> None:
    upgrade()
