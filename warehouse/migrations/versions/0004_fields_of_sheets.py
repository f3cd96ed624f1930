"""A field's place may be a cell of its own, or a distance from where its record begins.

Revision ID: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PLACES = """
alter table registry.field_position drop constraint field_position_check;
alter table registry.field_position add constraint field_position_says_something
    check (num_nonnulls(source_row, source_column) >= 1);
comment on table registry.field_position is
    'Row or column (1-based) that held a field; with the record''s own row or column it names the cell. On a sheet of '
    'one report both stand here; where the record has the like itself, this is the distance from it. '
    'Grain: one row per arrival, sheet and field.';
"""

DOWNGRADE = """
delete from registry.field_position where num_nonnulls(source_row, source_column) > 1;
alter table registry.field_position drop constraint field_position_says_something;
alter table registry.field_position add constraint field_position_check
    check (num_nonnulls(source_row, source_column) = 1);
"""


def upgrade() -> None:
    op.execute(PLACES)


def downgrade() -> None:
    op.execute(DOWNGRADE)
