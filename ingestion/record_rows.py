"""Records of new revisions into the raw tables, and the places that their fields stood at."""

from collections.abc import Sequence

import polars as pl
from sqlalchemy import Connection, text

from ingestion.form import Form
from ingestion.items import Group, Item
from ingestion.load import copy_binary, copy_frame

FEW_RECORDS = 500
"""Up to how many records of a file their revisions are put beside them one by one."""

MANY_RECORDS = 5_000
"""From how many records on PostgreSQL's own format is worth the loading of what writes it."""

_POSITIONS = """
insert into registry.field_position as p (arrival_id, sheet, field_code, source_row, source_column)
select i.arrival_id, i.sheet, i.field_code, i.source_row, i.source_column
from unnest(
    cast(:arrival_id as bigint[]), cast(:sheet as text[]), cast(:field_code as text[]),
    cast(:source_row as int[]), cast(:source_column as int[])
) as i (arrival_id, sheet, field_code, source_row, source_column)
on conflict (arrival_id, sheet, field_code) do update
    set source_row = excluded.source_row, source_column = excluded.source_column
    where (p.source_row, p.source_column) is distinct from (excluded.source_row, excluded.source_column)
"""


def copy_rows(connection: Connection, groups: Sequence[Group], new: list[Item], *, again: bool) -> None:
    """COPY the records of new revisions, one COPY a form, and say which cells they stood in."""
    revisions: dict[int, dict[int, int]] = {}
    arrivals: dict[int, int] = {}
    for item in new:
        revisions.setdefault(item.group, {})[item.report_no] = item.revision_id
        arrivals[item.group] = item.arrival.arrival_id
    rows: dict[str, list[pl.DataFrame]] = {}
    forms: dict[str, Form] = {}
    for number, ids in revisions.items():
        if groups[number].revisions:
            continue
        reading = groups[number].reading
        forms[reading.form.code] = reading.form
        rows.setdefault(reading.form.code, []).append(_with_revisions(reading.records, ids))
    for code, frames in rows.items():
        columns = [column.code for column in forms[code].columns]
        together = pl.concat(frames, how="vertical_relaxed").select(
            "revision_id",
            "record_no",
            *columns,
            "null_reasons",
            "source_sheet",
            "source_row",
            "source_column",
        )
        _copy(connection, code, together)
    _write_positions(
        connection, [(arrival_id, groups[number]) for number, arrival_id in arrivals.items()], again=again
    )


def _copy(connection: Connection, code: str, rows: pl.DataFrame) -> None:
    """Rows into a raw table; many of them in PostgreSQL's own format, where it knows what they hold.

    It has no way from floats to exact numbers, nor from text to the JSON that the reasons of nulls are.
    """
    known = not any(
        column.null_count() < rows.height
        for column in rows
        if column.dtype.is_float() or column.name == "null_reasons"
    )
    if rows.height < MANY_RECORDS or not known:
        copy_frame(connection, "raw", code, rows)
        return
    places = ["record_no", "source_row", "source_column"]
    copy_binary(connection, "raw", code, rows.with_columns(pl.col(places).cast(pl.Int32)))


def _write_positions(connection: Connection, groups: Sequence[tuple[int, Group]], *, again: bool) -> None:
    """Say in which row or column of which sheet of an arrival a field stood."""
    names = ["sheet", "field_code", "source_row", "source_column"]
    places = [group.reading.positions.select(names) for _, group in groups]
    arrivals = [
        arrival_id for (arrival_id, _), frame in zip(groups, places, strict=True) for _ in range(frame.height)
    ]
    if not arrivals:
        return
    together = (
        pl.concat(places, how="vertical_relaxed")
        .insert_column(0, pl.Series("arrival_id", arrivals, dtype=pl.Int64))
        .unique(["arrival_id", "sheet", "field_code"], keep="first", maintain_order=True)
    )
    if again:
        connection.execute(text(_POSITIONS), together.to_dict(as_series=False))
    else:
        copy_frame(connection, "registry", "field_position", together)


def _with_revisions(records: pl.DataFrame, ids: dict[int, int]) -> pl.DataFrame:
    """The records of the reports in ``ids`` (report_no → revision_id) with their revision_id."""
    if records.height <= FEW_RECORDS:
        # For a thousand files of one record each a dictionary is much cheaper than a thousand joins.
        numbers = [ids.get(number) for number in records["report_no"].to_list()]
        rows = records.with_columns(pl.Series("revision_id", numbers, dtype=pl.Int64))
        return rows if None not in numbers else rows.filter(pl.col("revision_id").is_not_null())
    revisions = pl.DataFrame(
        list(ids.items()),
        schema={"report_no": records["report_no"].dtype, "revision_id": pl.Int64},
        orient="row",
    )
    return records.join(revisions, on="report_no", how="inner", maintain_order="left")
