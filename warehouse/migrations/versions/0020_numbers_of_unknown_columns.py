"""Numbers under labels that a form does not have are kept with the finding that tells of the label.

Revision ID: 0020
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEPT = """
alter table registry.finding add column if not exists kept jsonb;
comment on column registry.finding.kept is
    'Numbers that were not read into a report because its form does not ask for them: cell to number. Texts, and '
    'numbers that may lead to a person, stay in the kept file alone.'
"""


def upgrade() -> None:
    op.execute(KEPT)


def downgrade() -> None:
    """Nothing to take back: the column does no harm."""
