"""Readers may look across releases: schema ``released`` shows every version of a row that was published.

Revision ID: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COMMENT = "Views of the star with every published version of a row: what BI reads to compare releases."


def upgrade() -> None:
    op.execute("create schema if not exists released")
    op.execute(f"comment on schema released is '{COMMENT}'")


def downgrade() -> None:
    op.execute("drop schema if exists released cascade")
