"""The star as the catalogue of PostgreSQL knows it: its tables, columns, keys, and the views over them.

Works for any table of schema ``star`` that carries ``release_from`` and ``release_to``; names none.
"""

from typing import Any

from psycopg import sql
from sqlalchemy import Connection, CursorResult, text

RELEASE_COLUMNS = ("release_from", "release_to")

_TABLES = """
select c.relname
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
where n.nspname = 'star' and c.relkind in ('r', 'p') and not c.relispartition
    and (
        select count(*) from pg_attribute as a
        where a.attrelid = c.oid and not a.attisdropped and a.attname in ('release_from', 'release_to')
    ) = 2
order by c.relname
"""

_COLUMNS = """
select a.attname
from pg_attribute as a
inner join pg_class as c on a.attrelid = c.oid
inner join pg_namespace as n on c.relnamespace = n.oid
where n.nspname = :schema and c.relname = :name and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""

_PRIMARY_KEY = """
select a.attname
from pg_constraint as k
inner join pg_class as c on k.conrelid = c.oid
inner join pg_namespace as n on c.relnamespace = n.oid
cross join lateral unnest(k.conkey) with ordinality as part (attnum, ordinal)
inner join pg_attribute as a on c.oid = a.attrelid and part.attnum = a.attnum
where n.nspname = 'star' and c.relname = :name and k.contype = 'p'
order by part.ordinal
"""

_COMMENTS = """
select a.attname, d.description
from pg_description as d
inner join pg_class as c on d.objoid = c.oid and d.classoid = 'pg_class'::regclass
inner join pg_namespace as n on c.relnamespace = n.oid
left join pg_attribute as a on c.oid = a.attrelid and d.objsubid = a.attnum and d.objsubid > 0
where n.nspname = 'star' and c.relname = :name
"""

# Adding zero keeps PostgreSQL from reading the block index of release_from, which is for finding what a candidate wrote
# and finds every block here, and lets it evaluate the reader's own filter first; adding it to both columns would cost
# bare scans half as much again.
_VIEW = """
create or replace view {view} as select {columns} from {table}
where (release_from + 0) <= (select {release}()) and release_to > (select {release}())
"""

# Every version of a row up to that release; one that a later release closed is open still.
_VERSIONS = """
create or replace view {view} as select {columns}, release_from,
    case when release_to > (select {release}()) then 2147483647 else release_to end as release_to
from {table} where release_from <= (select {release}())
"""


def tables(connection: Connection) -> list[str]:
    """Names of the tables that carry releases."""
    return list(connection.scalars(text(_TABLES)))


def drop_never_published(connection: Connection) -> None:
    """Drop the empty tables that no release has shown: what a rejected or dead candidate left of a new table.

    The next build makes them anew, and so reads every report for them instead of those that changed.
    """
    shown = set(
        connection.scalars(
            text("select relname from pg_class where relnamespace = 'published'::regnamespace")
        )
    )
    for table in tables(connection):
        name = sql.Identifier("star", table)
        if (
            table not in shown
            and not execute(connection, sql.SQL("select exists (select from {})").format(name)).scalar()
        ):
            execute(connection, sql.SQL("drop table {} cascade").format(name))


def content_columns(connection: Connection, table: str) -> list[str]:
    """Columns of a star table without the two of its release."""
    return [name for name in _columns(connection, "star", table) if name not in RELEASE_COLUMNS]


def key_columns(connection: Connection, table: str) -> list[str]:
    """The key that one release shows at most once: the primary key without ``release_from``."""
    names = connection.scalars(text(_PRIMARY_KEY), {"name": table})
    return [name for name in names if name not in RELEASE_COLUMNS]


def make_views(connection: Connection, schema: str, function: str, *, versions: bool = False) -> list[str]:
    """Make the views of ``schema`` that are missing or lack columns; returns their names.

    A view shows the rows valid at release ``warehouse.<function>()`` without the two release columns, and
    carries the comments of its table. With ``versions`` it shows every version of a row up to that release, with
    the releases between which each was valid.
    """
    made = []
    for table in tables(connection):
        columns = content_columns(connection, table)
        shown = [*columns, *RELEASE_COLUMNS] if versions else columns
        if shown == _columns(connection, schema, table):
            continue
        view = sql.Identifier(schema, table)
        execute(
            connection,
            sql.SQL(_VERSIONS if versions else _VIEW).format(
                view=view,
                columns=names(columns),
                table=sql.Identifier("star", table),
                release=sql.Identifier("warehouse", function),
            ),
        )
        for column, comment in connection.execute(text(_COMMENTS), {"name": table}).all():
            if column is None:
                target = sql.SQL("view {}").format(view)
            elif column not in shown:
                continue
            else:
                target = sql.SQL("column {}.{}").format(view, sql.Identifier(column))
            execute(connection, sql.SQL("comment on {} is {}").format(target, sql.Literal(comment)))
        made.append(table)
    return made


def names(columns: list[str]) -> sql.Composed:
    """Comma-separated quoted identifiers."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def execute(connection: Connection, statement: sql.Composable) -> CursorResult[Any]:
    """Run a statement whose identifiers and literals psycopg has quoted."""
    driver = connection.connection.driver_connection
    return connection.exec_driver_sql(statement.as_string(driver).replace("%", "%%"))


def _columns(connection: Connection, schema: str, name: str) -> list[str]:
    return list(connection.scalars(text(_COLUMNS), {"schema": schema, "name": name}))
