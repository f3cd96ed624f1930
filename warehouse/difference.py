"""The difference between two releases: table by table, row by row, cell by cell."""

from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine, text

from warehouse import star
from warehouse.errors import ReleaseNotFound


@dataclass(frozen=True)
class TableDifference:
    """How one table differs at release B from release A.

    ``added`` and ``removed`` count keys that only B or only A shows, ``changed`` keys that both show with other
    values. ``cells`` lists the changed cells: ``key``, ``column``, ``old`` and ``new`` as JSON values.
    """

    table: str
    added: int
    removed: int
    changed: int
    cells: list[dict[str, Any]]


# Rows valid at both releases are the same row, so only the rest is compared.
_PAIRS = """
with only_a as (select {columns} from {star} where {at_a} and not {at_b}),
only_b as (select {columns} from {star} where {at_b} and not {at_a}),
old as (select * from only_a except select * from only_b),
new as (select * from only_b except select * from only_a),
pair as (
    select jsonb_build_object({key}) as key, to_jsonb(old) as before, to_jsonb(new) as after
    from old full join new using ({keys})
)
"""

_COUNTS = """
select
    count(*) filter (where before is null) as added,
    count(*) filter (where after is null) as removed,
    count(*) filter (where before is not null and after is not null) as changed
from pair
"""

_CELLS = """
select pair.key, cell.key as column, pair.before -> cell.key as old, cell.value as new
from pair cross join lateral jsonb_each(pair.after) as cell
where pair.before is not null and pair.before -> cell.key is distinct from cell.value
order by pair.key::text, cell.key
limit {limit}
"""


def diff(engine: Engine, a: int, b: int, *, limit: int = 1000) -> list[TableDifference]:
    """What readers see differently at release ``b`` than at ``a``; release 0 is the empty star.

    ``limit`` bounds the cells listed for one table, never the counts. ``engine`` is the publisher's or the
    owner's: readers cannot see the star. Raises :class:`ReleaseNotFound`.
    """
    with engine.connect() as connection:
        known = set(connection.scalars(text("select release_id from warehouse.release")))
        for wanted in (a, b):
            if wanted and wanted not in known:
                raise ReleaseNotFound(f"There is no release {wanted}.", mend="See: warehouse releases")
        differences = (_compare(connection, table, a, b, limit) for table in star.tables(connection))
        return [found for found in differences if found.added or found.removed or found.changed]


def _compare(connection: Connection, table: str, a: int, b: int, limit: int) -> TableDifference:
    columns = star.content_columns(connection, table)
    keys = star.key_columns(connection, table) or columns
    valid = sql.SQL("(release_from <= {0} and release_to > {0})")
    pairs = sql.SQL(_PAIRS).format(
        columns=star.names(columns),
        star=sql.Identifier("star", table),
        at_a=valid.format(sql.Literal(a)),
        at_b=valid.format(sql.Literal(b)),
        key=sql.SQL(", ").join(
            sql.SQL("{}, {}").format(sql.Literal(key), sql.Identifier(key)) for key in keys
        ),
        keys=star.names(keys),
    )
    counts = star.execute(connection, pairs + sql.SQL(_COUNTS)).one()
    cells = (
        star.execute(connection, pairs + sql.SQL(_CELLS).format(limit=sql.Literal(limit))).all()
        if counts.changed
        else []
    )
    return TableDifference(
        table, counts.added, counts.removed, counts.changed, cells=[dict(cell._mapping) for cell in cells]
    )
