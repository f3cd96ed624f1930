"""Rows into PostgreSQL by COPY, whole frames with no work per row in Python, and out of it by statements of ours."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import polars as pl
from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse.database import Role, make_engine
from warehouse.settings import Settings

BINARY_ROWS = 8_192
"""Rows turned to PostgreSQL's own format at once: what comes of them fits into memory that is at hand already."""

CHUNK_ROWS = 10_000
"""Rows turned to CSV at once: memory stays small, and the server takes some while the next are made."""


@contextmanager
def loading(settings: Settings) -> Iterator[Engine]:
    """Engine of the loader for one piece of work; its connections are closed afterwards."""
    engine = make_engine(settings, Role.LOADER)
    try:
        yield engine
    finally:
        engine.dispose()


def copy_binary(connection: Connection, schema: str, table: str, frame: pl.DataFrame) -> int:
    """As :func:`copy_frame` in PostgreSQL's own format, which costs both sides about half.

    The columns have the types of the table's: no conversion is made, and there is none of floats to numeric.
    """
    if frame.is_empty():
        return 0
    # Arrow is only loaded where many rows are copied.
    from pgpq import ArrowToPostgresBinaryEncoder  # noqa: PLC0415

    frame = frame.select(column.name for column in frame if column.null_count() < len(column))
    # As Polars holds them: texts are not copied once more.
    rows = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    encoder = ArrowToPostgresBinaryEncoder(rows.schema)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    )
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
        copy.write(encoder.write_header())
        for batch in rows.to_batches(max_chunksize=BINARY_ROWS):
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
    return frame.height


def copy_frame(connection: Connection, schema: str, table: str, frame: pl.DataFrame) -> int:
    """COPY ``frame`` into the columns of the same names, in the connection's transaction.

    Null stays null and empty text stays empty text. Returns the number of rows.
    """
    if frame.is_empty():
        return 0
    # Columns without any value stay null by themselves; sending them costs as much as sending numbers.
    frame = frame.select(column.name for column in frame if column.null_count() < len(column))
    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(schema, table), sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    )
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
        for part in frame.iter_slices(CHUNK_ROWS):
            buffer = io.BytesIO()
            part.write_csv(buffer, include_header=False)
            copy.write(buffer.getbuffer())
    return frame.height


def fetch(
    connection: Connection, statement: sql.Composed, values: Mapping[str, object]
) -> list[tuple[object, ...]]:
    """Rows of a statement whose tables and columns are named by forms, in the connection's transaction."""
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor:  # type: ignore[union-attr]
        cursor.execute(statement, values)
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows
