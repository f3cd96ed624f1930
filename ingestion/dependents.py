"""Rules of other forms that ask for a report which came after theirs: both are compared when the second arrives.

A rule stands in one of two forms. Its own report asks for the other when it is read; where that comes later, the rule
is asked again of what stands already, and what it finds is told about the report that has just come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import polars as pl
from psycopg import sql
from sqlalchemy import Connection, text

from ingestion.checks import CheckContext, check_against, fields_against
from ingestion.findings import Finding
from ingestion.form import Form
from ingestion.forms_catalogue import Catalogue
from ingestion.load import fetch
from ingestion.neighbours import needs_of, same_period
from ingestion.placing import Lane
from ingestion.printed import Places
from ingestion.reading import Reading

# What stands for the same subject and period; of a file that is read again only what was there before it.
_STANDING = """
select asked.report_no, r.current_revision_id
from unnest(cast(:numbers as bigint[]), cast(:subjects as text[]), cast(:starts as date[]), cast(:ends as date[]))
    as asked (report_no, subject_code, period_start, period_end)
inner join registry.report as r
    on r.form_code = :form and r.part = '' and r.subject_type = :subject_type and r.subject_code = asked.subject_code
        and r.period_start = asked.period_start and r.period_end = asked.period_end
inner join registry.revision as v on v.revision_id = r.current_revision_id
where cast(:received as timestamptz) is null or v.received_at <= :received
"""

_RECORDS = """
select asked.report_no, {columns}
from unnest(%(numbers)s::bigint[], %(revisions)s::bigint[]) as asked (report_no, revision_id)
inner join {table} as r on r.revision_id = asked.revision_id {counts}
order by asked.report_no, r.record_no
"""

_NO_POSITIONS = pl.DataFrame(
    schema={"sheet": pl.String, "field_code": pl.String, "source_row": pl.Int64, "source_column": pl.Int64}
)


def findings(
    connection: Connection,
    reading: Reading,
    placed: pl.DataFrame,
    lane: Lane,
    *,
    beside: Sequence[Reading] = (),
    received: datetime | None = None,
) -> list[Finding]:
    """What rules of other forms find wrong with the reports of a reading.

    ``placed``: the reading's reports; ``beside``: the readings of the same file, which look for themselves;
    ``received``: when the file came, if it is read again.
    """
    here = {one.form.code for one in beside}
    asked = placed.filter(pl.col("subject_code").is_not_null()).select(
        "report_no", "subject_ref", "subject_code", "period_start", "period_end"
    )
    found: list[Finding] = []
    for form in _asking(lane.catalogue, reading.form.code) if asked.height else ():
        standing = {} if form.code in here else _standing(connection, form, asked, received)
        if standing:
            found += _compared(connection, reading, asked, lane, form=form, standing=standing)
    return found


@lru_cache(maxsize=256)
def _asking(catalogue: Catalogue, code: str) -> tuple[Form, ...]:
    """Forms with rules that ask for a report of this one."""
    # Most forms do not even write the name of another: their rules need not be understood here.
    naming = [
        form
        for form in catalogue.values()
        if form.code != code
        and any(f"{code}." in (rule.check or "") + (rule.when or "") for rule in form.rules)
    ]
    return tuple(
        form for form in naming if any(name.partition(".")[0] == code for name in needs_of(form).same_period)
    )


def _standing(
    connection: Connection, form: Form, asked: pl.DataFrame, received: datetime | None
) -> dict[int, int]:
    """By number of the report the revision of the form's report that stands beside it."""
    values = {
        "form": form.code,
        "subject_type": form.subject.type,
        "received": received,
        "numbers": asked["report_no"].to_list(),
        "subjects": asked["subject_code"].to_list(),
        "starts": asked["period_start"].to_list(),
        "ends": asked["period_end"].to_list(),
    }
    rows = connection.execute(text(_STANDING), values)
    return {row.report_no: row.current_revision_id for row in rows}


def _compared(
    connection: Connection,
    reading: Reading,
    asked: pl.DataFrame,
    lane: Lane,
    *,
    form: Form,
    standing: Mapping[int, int],
) -> list[Finding]:
    reports = asked.filter(pl.col("report_no").is_in(list(standing))).with_columns(
        pl.lit(None, dtype=pl.String).alias("reporter_ref")
    )
    layout = next((one for one in form.layouts if one.kind == "table"), form.layouts[0])
    theirs = Reading(
        form,
        "",
        layout.code,
        "",
        reports,
        _records(connection, form, reading.form.code, standing),
        _NO_POSITIONS,
    )
    context = CheckContext(same_period=same_period(connection, reports, needs_of(form), lane, [reading]))
    first = reading.records.unique("report_no", keep="first", maintain_order=True)
    rows = {row["report_no"]: row for row in first.iter_rows(named=True)}
    places = Places(reading)
    found = []
    for finding, code in check_against(theirs, context, reading.form.code):
        row = rows.get(finding.report_no or 0)
        found.append(
            replace(
                finding,
                message_zh=f"与已收到的“{form.name_zh}”核对不符：{finding.message_zh}",
                message_en=f"compared with the {form.name_en} that came before: {finding.message_en}",
                sheet=row["source_sheet"] if row else None,
                cell=places.cell(row, code) if row else None,
                field_code=code,
                breakdown=None,
                value=None,
                record_no=None,
            )
        )
    return found


def _records(connection: Connection, form: Form, other: str, standing: Mapping[int, int]) -> pl.DataFrame:
    """Records of the revisions that stand, with the fields that the rules ask of them."""
    wanted = fields_against(form, other)
    fields = [field for field in form.columns if field.role == "breakdown" or field.code in wanted]
    columns = [
        sql.SQL("r.{}::float8" if field.type == "dec" else "r.{}").format(sql.Identifier(field.code))
        for field in fields
    ]
    statement = sql.SQL(_RECORDS).format(
        columns=sql.SQL(", ").join([sql.SQL("r.record_no"), *columns]),
        table=sql.Identifier("raw", form.code),
        counts=sql.SQL("and r.set_aside is null" if form.cards else ""),
    )
    values = {"numbers": list(standing), "revisions": list(standing.values())}
    schema = {
        "report_no": pl.Int64(),
        "record_no": pl.Int64(),
        **{field.code: field.dtype for field in fields},
    }
    return pl.DataFrame(fetch(connection, statement, values), schema=schema, orient="row").with_columns(
        pl.lit("").alias("source_sheet"),
        pl.lit(None, dtype=pl.Int64).alias("source_row"),
        pl.lit(None, dtype=pl.Int64).alias("source_column"),
    )
