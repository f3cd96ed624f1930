"""A table of the star that follows from an audit: brought to what a query says, as part of the candidate.

What the gate finds is known only when the candidate stands, and the gate changes no data. So this step of the builder
comes between audit and publish. It writes versions of rows as every build does: the table is rejected, published,
undone and compared with all the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse import star
from warehouse.release import OPEN_END, Candidate, holding


@dataclass(frozen=True)
class Table:
    """A table of the star: columns with type and meaning, and the key that a release shows once."""

    name: str
    about: str
    columns: Mapping[str, tuple[str, str]]
    key: tuple[str, ...]


def bring(builder: Engine, candidate: Candidate, table: Table, query: str) -> int:
    """Bring a table to the rows of a query in the candidate, whose views then show it; returns how many rows there are.

    Doing it again for the same candidate gives the same rows.
    """
    with holding(builder, candidate), builder.begin() as connection:
        _make(connection, table)
        parts = {
            "table": sql.Identifier("star", table.name),
            "columns": star.names(list(table.columns)),
            "candidate": sql.Literal(candidate.release_id),
            "open": sql.Literal(OPEN_END),
            "query": sql.SQL(query),
            "same": sql.SQL(" and ").join(
                sql.SQL("old.{0} is not distinct from new.{0}").format(sql.Identifier(column))
                for column in table.columns
            ),
        }
        for statement in _STEPS:
            star.execute(connection, sql.SQL(statement).format(**parts))
        star.make_views(connection, "candidate", "candidate_release")
        counted = star.execute(
            connection, sql.SQL("select count(*) from {table} where release_to = {open}").format(**parts)
        )
        return int(counted.scalar_one())


_STEPS = (
    "delete from {table} where release_from = {candidate}",
    "update {table} set release_to = {open} where release_to = {candidate}",
    "create temporary table wanted on commit drop as {query}",
    "update {table} as old set release_to = {candidate} where old.release_to = {open}"
    " and not exists (select from wanted as new where {same})",
    "insert into {table} ({columns}, release_from, release_to)"
    " select {columns}, {candidate}, {open} from wanted as new"
    " where not exists (select from {table} as old where old.release_to = {open} and {same})",
)


def _make(connection: Connection, table: Table) -> None:
    name = sql.Identifier("star", table.name)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
        for column, (kind, _) in table.columns.items()
    )
    star.execute(
        connection,
        sql.SQL(
            "create table if not exists {} ({}, release_from int not null, release_to int not null,"
            " primary key ({}, release_from))"
        ).format(name, columns, star.names(list(table.key))),
    )
    star.execute(connection, sql.SQL("comment on table {} is {}").format(name, sql.Literal(table.about)))
    for column, (_, meaning) in table.columns.items():
        target = sql.SQL("{}.{}").format(name, sql.Identifier(column))
        star.execute(connection, sql.SQL("comment on column {} is {}").format(target, sql.Literal(meaning)))
