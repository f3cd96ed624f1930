"""No region has days that nothing accounts for, and no unit loses its first spell.

Revision ID: 0019
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

COLUMNS = "alter table if exists star.dim_region add column if not exists lapses_until date"

# Arguments: what a spell is of, the column that says until when nothing follows, what holds for the first spell alone.
SPELLS = """
create or replace function warehouse.spells_meet() returns trigger
language plpgsql as $body$
declare
    lapses text := nullif(tg_argv[1], '');
    gap boolean;
    headless boolean;
begin
    execute format(
        'select bool_or(spell.next_from <> spell.meets), bool_or(spell.is_opening <> (spell.spell_no = 1)) from ('
        'select %s as meets, %s as is_opening, lead(s.valid_from) over spells as next_from,'
        ' row_number() over spells as spell_no from %I.%I as s'
        ' where s.%I = ($1).%I and s.release_to = 2147483647 window spells as (order by s.valid_from)) as spell',
        case when lapses is null then 's.valid_to' else format('coalesce(s.%I, s.valid_to)', lapses) end,
        coalesce(nullif(tg_argv[2], ''), 'null::boolean'), tg_table_schema, tg_table_name, tg_argv[0], tg_argv[0]
    ) into gap, headless using coalesce(new, old);
    if gap then
        raise exception 'spells of %.% do not follow each other: %', tg_table_schema, tg_table_name,
            to_jsonb(coalesce(new, old)) -> tg_argv[0]
            using errcode = 'exclusion_violation', hint = 'Every spell begins on the day on which the one before ends.';
    end if;
    if headless then
        raise exception 'spells of %.% do not begin with the first: %', tg_table_schema, tg_table_name,
            to_jsonb(coalesce(new, old)) -> tg_argv[0]
            using errcode = 'exclusion_violation', hint = 'The first spell, and no other, holds for earlier reports.';
    end if;
    return null;
end
$body$
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(SPELLS)


def downgrade() -> None:
    """Nothing to take back: the columns do no harm, and the function knows what it was asked before."""
