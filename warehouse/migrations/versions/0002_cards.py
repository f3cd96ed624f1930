"""Cards: findings that concern one record of a batch, and batches recognised by their content.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
alter table registry.finding add column record_no int;
comment on column registry.finding.record_no is
    'Card that a hard finding sets aside alone (raw.<form>.record_no); null where the finding concerns more than that.';

create index revision_content on registry.revision (content_hash);

comment on column registry.revision.value_count is
    'Filled values, or cards that count in a form of cards; zero means an empty report.';
"""

DOWNGRADE = """
comment on column registry.revision.value_count is 'Filled values; zero means an empty report.';
drop index registry.revision_content;
alter table registry.finding drop column record_no;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
