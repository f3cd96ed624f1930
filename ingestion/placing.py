"""Placing reports: the unit or region each is about, who filed it, and what the registry knows for its rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import polars as pl
from psycopg import sql
from sqlalchemy import Connection, text

from ingestion import directory, units
from ingestion.checks import CheckContext
from ingestion.expressions import compile_expression
from ingestion.form import Form, previous_period_start
from ingestion.forms_catalogue import Catalogue
from ingestion.judging import OpenWaiver
from ingestion.reading import Reading, SourceContext
from ingestion.site import Source

_DUTIES = """
select form_code, subject_type, subject_code, reporter_key, valid_from, coalesce(valid_to, date '9999-12-31')
from registry.duty
"""

_WAIVERS = """
select waiver_id, rule_id, form_code, subject_code, period_from, period_to
from registry.waiver where ended_at is null and expires_on >= :today order by waiver_id
"""

_PREVIOUS = """
select asked.subject_ref, asked.before, {columns}
from unnest(%(refs)s::text[], %(subjects)s::text[], %(ends)s::date[], %(before)s::date[])
    as asked (subject_ref, subject_code, period_end, before)
cross join lateral (
    select p.current_revision_id
    from registry.report as p
    where p.form_code = %(form)s and p.part = %(part)s and p.subject_type = %(subject_type)s
        and p.subject_code = asked.subject_code and p.period_type = %(period_type)s
        and p.period_start = asked.before and p.period_end < asked.period_end
        and p.current_revision_id is not null
    order by p.period_end desc limit 1
) as earlier
inner join {table} as r on r.revision_id = earlier.current_revision_id
"""

# Twelve months or nothing: the sum of fewer says nothing about a year.
_YEARLY = """
select asked.subject_ref, asked.period_start, {sums}
from unnest(%(refs)s::text[], %(subjects)s::text[], %(starts)s::date[], %(ends)s::date[])
    as asked (subject_ref, subject_code, period_start, period_end)
inner join registry.report as p
    on p.form_code = %(form)s and p.part = '' and p.subject_code = asked.subject_code
        and p.period_type = 'month' and p.period_start between asked.period_start and asked.period_end
inner join {table} as r on r.revision_id = p.current_revision_id
group by asked.subject_ref, asked.period_start
having count(distinct p.report_id) = 12
"""


@dataclass(frozen=True)
class Lane:
    """What stays the same while files of one source are taken in."""

    catalogue: Catalogue
    source: SourceContext
    versions: pl.DataFrame
    known: pl.DataFrame
    duties: pl.DataFrame
    waivers: tuple[OpenWaiver, ...]


def load_lane(connection: Connection, catalogue: Catalogue, source: Source, today: date) -> Lane:
    """Read directory, duties and the waivers that count today."""
    versions = directory.versions(connection)
    duties = pl.DataFrame(
        [tuple(row) for row in connection.execute(text(_DUTIES))],
        schema={
            "form_code": pl.String,
            "subject_type": pl.String,
            "subject_code": pl.String,
            "duty_reporter": pl.Int32,
            "valid_from": pl.Date,
            "valid_to": pl.Date,
        },
        orient="row",
    )
    return Lane(
        catalogue=catalogue,
        source=SourceContext(source.code, source.region_code, source.reporter),
        versions=versions,
        known=units.identifiers(versions),
        duties=duties,
        waivers=tuple(OpenWaiver(*row) for row in connection.execute(text(_WAIVERS), {"today": today}).all()),
    )


def place(reading: Reading, lane: Lane) -> pl.DataFrame:
    """The reading's reports with subject_code (null when unknown), organization_key, region_code, reporter_key.

    Units are looked up as of the report's period; the reporter is who the file says, else who the source says,
    else who has the duty, else the unit itself.
    """
    reports = units.resolve(reading.reports, lane.known)
    is_unit = pl.col("subject_type") == "organization"
    reports = reports.with_columns(
        subject_code=pl.when(is_unit)
        .then(pl.col("organization_code"))
        .when(units.is_region_code(pl.col("subject_ref")))
        .then(pl.col("subject_ref")),
        organization_key=pl.when(is_unit).then(pl.col("organization_key")),
    )
    at_period = units.attributes(reports, lane.versions).select(
        "subject_ref", "period_start", "period_end", pl.col("region_code").alias("unit_region")
    )
    reports = reports.join(
        at_period, on=["subject_ref", "period_start", "period_end"], how="left", maintain_order="left"
    ).with_columns(region_code=pl.when(is_unit).then(pl.col("unit_region")).otherwise(pl.col("subject_ref")))
    return _with_reporters(reports, reading, lane).drop("unit_region")


def _with_reporters(reports: pl.DataFrame, reading: Reading, lane: Lane) -> pl.DataFrame:
    printed = units.resolve(
        reports.select(
            "report_no",
            pl.coalesce(pl.col("reporter_ref"), pl.lit(lane.source.reporter, pl.String)).alias("subject_ref"),
            "period_start",
            "period_end",
        ),
        lane.known,
    ).select("report_no", printed_reporter="organization_key")
    on_duty = (
        reports.select("report_no", "subject_type", "subject_code", "period_end")
        .join(
            lane.duties.filter(pl.col("form_code") == reading.form.code).drop("form_code"),
            on=["subject_type", "subject_code"],
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .group_by("report_no")
        .agg(pl.col("duty_reporter").first())
    )
    return (
        reports.join(printed, on="report_no", how="left", maintain_order="left")
        .join(on_duty, on="report_no", how="left", maintain_order="left")
        .with_columns(reporter_key=pl.coalesce("printed_reporter", "duty_reporter", "organization_key"))
        .drop("printed_reporter", "duty_reporter")
    )


def context_of(connection: Connection, reading: Reading, placed: pl.DataFrame, lane: Lane) -> CheckContext:
    """What the form's rules ask of the registry: the unit, the period before, the months of the year."""
    needs = needs_of(reading.form)
    known = placed.filter(pl.col("subject_code").is_not_null())
    return CheckContext(
        units=units.attributes(known, lane.versions)
        .sort("period_end")
        .unique(["subject_ref", "period_start"], keep="last", maintain_order=True)
        .drop("period_end"),
        previous=_previous(connection, reading, known, needs) if needs.previous else pl.DataFrame(),
        yearly=_yearly(connection, known, needs) if needs.yearly else pl.DataFrame(),
    )


@dataclass(frozen=True)
class Needs:
    """Fields of the period before, and ``form.field`` of monthly forms, that a form's rules name."""

    previous: tuple[str, ...] = ()
    yearly: tuple[str, ...] = ()


def needs_of(form: Form) -> Needs:
    """What the rules of a form ask of the registry."""
    return _needs(
        form.code,
        form.definition_hash,
        tuple(_expressions(form)),
        tuple((f.code, f.type) for f in form.fields),
    )


def _expressions(form: Form) -> Iterable[tuple[str, str | None]]:
    for rule in form.rules:
        for source in (rule.check, rule.when):
            if source:
                yield from ((source, value) for value in (rule.for_each or (None,)))


@lru_cache(maxsize=256)
def _needs(
    _code: str,
    _digest: str,
    expressions: tuple[tuple[str, str | None], ...],
    types: tuple[tuple[str, str], ...],
) -> Needs:
    compiled = [compile_expression(source, dict(types), value=value) for source, value in expressions]
    return Needs(
        previous=tuple(sorted({name for one in compiled for name in one.previous})),
        yearly=tuple(sorted({name for one in compiled for name in one.yearly})),
    )


def _previous(connection: Connection, reading: Reading, known: pl.DataFrame, needs: Needs) -> pl.DataFrame:
    """Current records of the period before each report, under that period's first day."""
    form = reading.form
    fields = [field for field in form.columns if field.role == "breakdown" or field.code in needs.previous]
    asked = known.select("subject_ref", "subject_code", "period_type", "period_start", "period_end").unique(
        maintain_order=True
    )
    columns = [
        sql.SQL("r.{}::float8").format(sql.Identifier(field.code))
        if field.type == "dec"
        else sql.SQL("r.{}").format(sql.Identifier(field.code))
        for field in fields
    ]
    rows = _fetch(
        connection,
        sql.SQL(_PREVIOUS).format(
            columns=sql.SQL(", ").join(columns), table=sql.Identifier("raw", form.code)
        ),
        {
            "refs": asked["subject_ref"].to_list(),
            "subjects": asked["subject_code"].to_list(),
            "ends": asked["period_end"].to_list(),
            "before": [
                previous_period_start(kind, start, end)
                for kind, start, end in asked.select("period_type", "period_start", "period_end").iter_rows()
            ],
            "form": form.code,
            "part": reading.part,
            "subject_type": form.subject.type,
            "period_type": form.period.type,
        },
    )
    schema = {
        "subject_ref": pl.String(),
        "period_start": pl.Date(),
        **{field.code: field.dtype for field in fields},
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _yearly(connection: Connection, known: pl.DataFrame, needs: Needs) -> pl.DataFrame:
    """Sums over the twelve current monthly reports of each report's year."""
    schema = {
        "subject_ref": pl.String(),
        "period_start": pl.Date(),
        "form_code": pl.String(),
        "field_code": pl.String(),
        "value": pl.Float64(),
    }
    rows: list[tuple[object, ...]] = []
    for form in sorted({name.split(".")[0] for name in needs.yearly}):
        codes = [name.split(".")[1] for name in needs.yearly if name.startswith(f"{form}.")]
        if not connection.scalar(text("select to_regclass(:table)"), {"table": f'raw."{form}"'}):
            continue
        sums = [
            sql.SQL("case when count(r.{0}) = count(*) then sum(r.{0})::float8 end").format(
                sql.Identifier(code)
            )
            for code in codes
        ]
        found = _fetch(
            connection,
            sql.SQL(_YEARLY).format(sums=sql.SQL(", ").join(sums), table=sql.Identifier("raw", form)),
            {
                "refs": known["subject_ref"].to_list(),
                "subjects": known["subject_code"].to_list(),
                "starts": known["period_start"].to_list(),
                "ends": known["period_end"].to_list(),
                "form": form,
            },
        )
        rows += [
            (ref, start, form, code, value)
            for ref, start, *values in found
            for code, value in zip(codes, values, strict=True)
            if value is not None
        ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fetch(
    connection: Connection, statement: sql.Composed, values: dict[str, object]
) -> list[tuple[object, ...]]:
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor:  # type: ignore[union-attr]
        cursor.execute(statement, values)
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows
