"""Views over the star ask for the release without the index of what a candidate wrote.

That index is of blocks: read for ``release_from <= R`` it finds every block, and each row is looked at again.

Revision ID: 0017
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_REPLACED = """
do $views$
declare
    star_view record;
begin
    for star_view in
        select n.nspname as room, c.relname as name, pg_get_viewdef(c.oid) as said
        from pg_class as c
        inner join pg_namespace as n on c.relnamespace = n.oid
        where c.relkind = 'v' and n.nspname in ('published', 'candidate')
    loop
        execute format(
            'create or replace view %I.%I as %s', star_view.room, star_view.name,
            replace(replace(star_view.said, '{0}', '{1}'), '{2}', '{3}')
        );
    end loop;
end
$views$
"""


def upgrade() -> None:
    op.execute(
        _REPLACED.format("release_from <=", "(release_from + 0) <=", "(release_to + 0) >", "release_to >")
    )


def downgrade() -> None:
    op.execute(
        _REPLACED.format("(release_from + 0) <=", "release_from <=", "release_to >", "(release_to + 0) >")
    )
