"""What the rules of a form ask besides the report itself: the unit, the period before, the months of the year, other
forms of the same period, and the units of the directory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl
from psycopg import sql
from sqlalchemy import Connection, text

from ingestion import units
from ingestion.checks import CheckContext
from ingestion.expressions import compile_expression
from ingestion.form import Form, previous_period_start
from ingestion.load import fetch
from ingestion.placing import Lane, place
from ingestion.reading import Reading

_PREVIOUS = """
select asked.subject_ref, asked.before, earlier.period_end, {columns}
from unnest(%(refs)s::text[], %(subjects)s::text[], %(ends)s::date[], %(before)s::date[])
    as asked (subject_ref, subject_code, period_end, before)
cross join lateral (
    select p.current_revision_id, p.period_end
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
select asked.subject_ref, asked.period_start, asked.period_end, {sums}
from unnest(%(refs)s::text[], %(subjects)s::text[], %(starts)s::date[], %(ends)s::date[])
    as asked (subject_ref, subject_code, period_start, period_end)
inner join registry.report as p
    on p.form_code = %(form)s and p.part = '' and p.subject_code = asked.subject_code
        and p.period_type = 'month' and p.period_start between asked.period_start and asked.period_end
inner join {table} as r on r.revision_id = p.current_revision_id
group by asked.subject_ref, asked.period_start, asked.period_end
having count(distinct p.report_id) = 12
"""

_SAME_PERIOD = """
select asked.subject_ref, asked.period_start, asked.period_end, {sums}
from unnest(%(refs)s::text[], %(subjects)s::text[], %(starts)s::date[], %(ends)s::date[])
    as asked (subject_ref, subject_code, period_start, period_end)
inner join registry.report as p
    on p.form_code = %(form)s and p.subject_code = asked.subject_code
        and p.period_start = asked.period_start and p.period_end = asked.period_end
inner join {table} as r on r.revision_id = p.current_revision_id {counts}
group by asked.subject_ref, asked.period_start, asked.period_end
"""

_SUMS = {
    "subject_ref": pl.String(),
    "period_start": pl.Date(),
    "period_end": pl.Date(),
    "form_code": pl.String(),
    "field_code": pl.String(),
    "value": pl.Float64(),
}


def context_of(
    connection: Connection,
    reading: Reading,
    placed: pl.DataFrame,
    lane: Lane,
    *,
    beside: Sequence[Reading] = (),
) -> CheckContext:
    """What the form's rules ask for. ``beside``: the other readings of the file, which know other forms of the same
    period before the registry does.
    """
    needs = needs_of(reading.form)
    known = placed.filter(pl.col("subject_code").is_not_null())
    nothing = pl.DataFrame()
    return CheckContext(
        units=units.attributes(known, lane.versions),
        # What a card said earlier is asked for batch by batch (ingestion/cards/earlier.py).
        previous=_previous(connection, reading, known, needs)
        if needs.previous and not reading.form.cards
        else nothing,
        yearly=_yearly(connection, known, needs) if needs.yearly else nothing,
        same_period=same_period(connection, known, needs, lane, beside) if needs.same_period else nothing,
        active_units=_active_units(reading.form.code, known, needs.active_units, lane)
        if needs.active_units
        else nothing,
    )


@dataclass(frozen=True)
class Needs:
    """What a form's rules name: fields of the period before, ``form.field`` of monthly forms and of forms of the same
    period, and classes of units.
    """

    previous: tuple[str, ...] = ()
    yearly: tuple[str, ...] = ()
    same_period: tuple[str, ...] = ()
    active_units: tuple[str, ...] = ()


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
        same_period=tuple(sorted({name for one in compiled for name in one.same_period})),
        active_units=tuple(sorted({name for one in compiled for name in one.active_units})),
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
    rows = fetch(
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
        "period_end": pl.Date(),
        **{field.code: field.dtype for field in fields},
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _yearly(connection: Connection, known: pl.DataFrame, needs: Needs) -> pl.DataFrame:
    """Sums over the twelve current monthly reports of each report's year."""
    rows: list[tuple[object, ...]] = []
    for form, codes in _by_form(connection, needs.yearly):
        sums = [
            sql.SQL("case when count(r.{0}) = count(*) then sum(r.{0})::float8 end").format(
                sql.Identifier(code)
            )
            for code in codes
        ]
        statement = sql.SQL(_YEARLY).format(sums=sql.SQL(", ").join(sums), table=sql.Identifier("raw", form))
        rows += _sums(fetch(connection, statement, _asked(known, form)), form, codes)
    return pl.DataFrame(rows, schema=_SUMS, orient="row")


def same_period(
    connection: Connection, known: pl.DataFrame, needs: Needs, lane: Lane, beside: Sequence[Reading]
) -> pl.DataFrame:
    """Sums of fields of other forms' reports for the same subject and period: of the same file, else current ones."""
    rows: list[tuple[object, ...]] = []
    for form, codes in _by_form(connection, needs.same_period):
        rows += _beside(known, form, codes, lane, beside)
        sums = [sql.SQL("sum(r.{})::float8").format(sql.Identifier(code)) for code in codes]
        cards = form in lane.catalogue and lane.catalogue[form].cards is not None
        statement = sql.SQL(_SAME_PERIOD).format(
            sums=sql.SQL(", ").join(sums),
            table=sql.Identifier("raw", form),
            counts=sql.SQL("and r.set_aside is null" if cards else ""),
        )
        rows += _sums(fetch(connection, statement, _asked(known, form)), form, codes)
    keys = ["subject_ref", "period_start", "period_end", "form_code", "field_code"]
    return pl.DataFrame(rows, schema=_SUMS, orient="row").unique(keys, keep="first", maintain_order=True)


def _beside(
    known: pl.DataFrame, form: str, codes: list[str], lane: Lane, beside: Sequence[Reading]
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    on = ["subject_code", "period_start", "period_end"]
    for reading in beside:
        if reading.form.code != form:
            continue
        given = [code for code in codes if code in reading.records.columns]
        sums = reading.records.group_by("report_no").agg(
            pl.when(pl.col(code).is_not_null().any()).then(pl.col(code).sum()).cast(pl.Float64).alias(code)
            for code in given
        )
        reports = place(reading, lane).select("report_no", *on).filter(pl.col("subject_code").is_not_null())
        found = known.select("subject_ref", *on).unique().join(reports, on=on).join(sums, on="report_no")
        rows += _sums(found.select("subject_ref", "period_start", "period_end", *given).rows(), form, given)
    return rows


def _by_form(connection: Connection, names: Iterable[str]) -> Iterable[tuple[str, list[str]]]:
    """Codes of the fields by form, of forms that have a raw table."""
    wanted: dict[str, list[str]] = {}
    for name in names:
        form, code = name.split(".")
        wanted.setdefault(form, []).append(code)
    for form, codes in wanted.items():
        if connection.scalar(text("select to_regclass(:table)"), {"table": f'raw."{form}"'}):
            yield form, codes


def _asked(known: pl.DataFrame, form: str) -> dict[str, object]:
    return {
        "refs": known["subject_ref"].to_list(),
        "subjects": known["subject_code"].to_list(),
        "starts": known["period_start"].to_list(),
        "ends": known["period_end"].to_list(),
        "form": form,
    }


def _sums(found: Iterable[tuple[object, ...]], form: str, codes: list[str]) -> list[tuple[object, ...]]:
    return [
        (ref, start, end, form, code, value)
        for ref, start, end, *values in found
        for code, value in zip(codes, values, strict=True)
        if value is not None
    ]


def _active_units(form: str, known: pl.DataFrame, classes: Sequence[str], lane: Lane) -> pl.DataFrame:
    """Open units of the classes at the end of each report's period that the report speaks for.

    A region's report speaks for the units in it; a unit's for those that its reporter files this form for, or,
    where nobody's duty says so, for those of the reporter's township.
    """
    keys = ["subject_ref", "period_start", "period_end"]
    asked = known.select(*keys, "subject_type", "subject_code", "reporter_key").unique(maintain_order=True)
    open_units = (
        asked.select("period_end")
        .unique()
        .join(
            lane.versions.filter(pl.col("is_open") & pl.col("class_code").is_in(list(classes))), how="cross"
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .select("period_end", "organization_code", "class_code", "region_code", "township_code")
    )
    of_regions = asked.filter(pl.col("subject_type") == "region")
    in_regions = (
        of_regions.join(open_units, on="period_end")
        .filter(
            pl.coalesce(pl.col("township_code"), pl.col("region_code")).str.starts_with(
                units.region_prefix(pl.col("subject_code"))
            )
            | pl.col("region_code").str.starts_with(units.region_prefix(pl.col("subject_code")))
        )
        .select(*keys, "class_code")
    )
    of_units = asked.filter((pl.col("subject_type") == "organization") & pl.col("reporter_key").is_not_null())
    on_duty = (
        of_units.join(
            lane.duties.filter(
                (pl.col("form_code") == form) & (pl.col("subject_type") == "organization")
            ).select("duty_reporter", "valid_from", "valid_to", organization_code="subject_code"),
            left_on="reporter_key",
            right_on="duty_reporter",
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .select(*keys, "organization_code")
    )
    by_duty = on_duty.join(open_units, on=["period_end", "organization_code"]).select(*keys, "class_code")
    townships = (
        of_units.join(on_duty, on=keys, how="anti")
        .join(
            lane.versions.select("organization_key", "valid_from", "valid_to", "township_code"),
            left_on="reporter_key",
            right_on="organization_key",
        )
        .filter((pl.col("valid_from") <= pl.col("period_end")) & (pl.col("valid_to") > pl.col("period_end")))
        .filter(pl.col("township_code").is_not_null())
        .select(*keys, "township_code")
    )
    in_townships = townships.join(open_units, on=["period_end", "township_code"]).select(*keys, "class_code")
    # Where it is known whom a report speaks for, none of a class is a count, too.
    told = pl.concat([of_regions.select(keys), on_duty.select(keys), townships.select(keys)]).unique()
    counted = pl.concat([in_regions, by_duty, in_townships]).group_by(*keys, "class_code").len("units")
    return (
        told.join(pl.DataFrame({"class_code": list(classes)}), how="cross")
        .join(counted, on=[*keys, "class_code"], how="left")
        .join(asked.select(*keys, reporter="reporter_key"), on=keys)
        .with_columns(pl.col("units").fill_null(0))
    )
