"""From the candidate to the grids and back: what is read, and the findings as rows for the gate."""

import io
from typing import Any

import polars as pl
from sqlalchemy import Connection, text

from expectations.series import FINDINGS, find

# The fields of the forms that are looked at, and the days between which: an index finds what lies there.
# Rates that a form prints are made of its counts, which are looked at themselves.
_FIELDS = """
create temp table looked_field on commit drop as
select
    row_number() over (order by field.form_code, field.ordinal) as field, field.form_code, field.field_code,
    field.data_type = 'int' as is_count, span.first_day, span.last_day
from registry.form_field as field
inner join (
    select form_code, min(period_start) as first_day, max(period_start) as last_day from looked group by form_code
) as span on field.form_code = span.form_code
where field.role = 'measure' and coalesce(field.unit, '') !~ '[%‰/]'
"""

_VALUES = """
select fact.report_id, field.field, fact.breakdown, fact.value::float8 as value
from looked_field as field
inner join candidate.fct_reported_value as fact
    on field.form_code = fact.form_code and field.field_code = fact.field_code
        and fact.period_start between field.first_day and field.last_day
inner join looked on fact.report_id = looked.report_id
where fact.value is not null
"""

_FOUND = """
create temp table found on commit drop as
select
    raw.kind, raw.form_code as item, raw.looked, looked.subject_type, looked.subject_code, looked.organization_key,
    raw.form_code, raw.field_code, raw.breakdown, looked.period_type, looked.period_start, raw.report_id,
    -- Quarters that accumulate begin on one day.
    case when looked.period_type = 'cumulative_quarter' then 'Q' || (looked.place - 1) % 4 + 1 end as place,
    raw.score, raw.observed, raw.expected, raw.denominator, raw.cause
from raw_findings as raw
left join looked on raw.report_id = looked.report_id
"""

_TYPES = {pl.String: "text", pl.Int64: "bigint", pl.Float64: "numeric"}

_REPORTS = {"part": pl.String, "subject_code": pl.String, "form_code": pl.String, "period_type": pl.String}


def scan(connection: Connection, reports: str) -> None:
    """Read the series of ``reports`` (a statement) and leave what does not fit in the temporary table ``found``."""
    connection.execute(
        text("drop table if exists pg_temp.looked, pg_temp.looked_field, pg_temp.raw_findings")
    )
    connection.exec_driver_sql(f"create temp table looked on commit drop as {reports}".replace("%", "%%"))
    connection.exec_driver_sql(_FIELDS.replace("%", "%%"))
    # What comes next has statistics, and an index for each field.
    connection.execute(text("analyze looked, looked_field"))
    connection.execute(text("set local enable_nestloop = on"))
    found = find(
        _read(
            connection,
            "select report_id, form_code, period_type, part, subject_code, place, holiday, asked from looked",
            _REPORTS | {"report_id": pl.Int64, "place": pl.Int64, "holiday": pl.Float64, "asked": pl.String},
        ).with_columns(asked=pl.col("asked") == "t"),
        _read(
            connection,
            _VALUES,
            {"report_id": pl.Int64, "field": pl.Int64, "breakdown": pl.String, "value": pl.Float64},
        ),
        _read(
            connection,
            "select field, field_code, is_count from looked_field",
            {"field": pl.Int64, "field_code": pl.String, "is_count": pl.String},
        ).with_columns(is_count=pl.col("is_count") == "t"),
    )
    columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in FINDINGS.items())
    connection.execute(text(f"create temp table raw_findings ({columns}) on commit drop"))
    buffer = io.BytesIO()
    found.write_csv(buffer, include_header=False)
    with _cursor(connection) as cursor, cursor.copy("copy raw_findings from stdin (format csv)") as copy:
        copy.write(buffer.getvalue())
    connection.execute(text(_FOUND))


def _read(connection: Connection, query: str, types: dict[str, Any]) -> pl.DataFrame:
    """Rows of a query by COPY, which is several times as fast as fetching them."""
    with _cursor(connection) as cursor, cursor.copy(f"copy ({query}) to stdout (format csv, header)") as copy:
        rows = b"".join(bytes(block) for block in copy)
    return pl.read_csv(rows, schema_overrides=types).with_columns(pl.col(pl.String).fill_null(""))


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
