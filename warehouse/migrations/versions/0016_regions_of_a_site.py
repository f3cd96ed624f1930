"""A bureau declares regions of its own, by dated events.

Revision ID: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REGIONS = """
create table registry.region_event (
    region_code text not null,
    event_date date not null,
    event_type text not null,
    statistics_from date not null,
    name_zh text,
    level text,
    region_type text,
    parent_code text,
    inside_code text,
    is_counted_inside boolean,
    became_code text,
    note text,
    primary key (region_code, event_date, event_type)
);
comment on table registry.region_event is
    'Dated events of regions from the site folder; the lines of a code stand in place of those of the list in dbt_project.'
"""


def upgrade() -> None:
    op.execute(REGIONS)


def downgrade() -> None:
    op.execute("drop table if exists registry.region_event")
