"""Checks made from the form definitions: every number of a report must be in the star, and nothing else.

They compare the raw rows with ``fct_reported_value`` for the reports that this candidate rebuilt, without using
any of dbt's code. A form added by YAML gets its check by itself. Reports of events are person-level and not looked at.
"""

# Form and field codes put into the SQL are those of the registry.
# ruff: noqa: S608

from datetime import date
from typing import Any

from sqlalchemy import Engine, text

from expectations.catalogue import Check, Suite
from expectations.kinds import NoRowsFromQuery
from expectations.scope import REPORTS

TABLE = "fct_reported_value"

_MEASURES = """
select field.form_code, field.field_code, coalesce(max(factor.factor), 1) as factor
from registry.form_field as field
left join lateral (
    select (declared ->> 'factor')::numeric as factor
    from registry.form
    cross join lateral jsonb_array_elements(form.definition -> 'fields') as declared
    where form.form_code = field.form_code and declared ->> 'code' = field.field_code
) as factor on true
where
    field.role = 'measure'
    and exists (
        select from registry.form where form.form_code = field.form_code and form.period_type <> 'event'
    )
group by field.form_code, field.field_code
order by field.form_code, field.field_code
"""


def reconciliation(auditor: Engine) -> Suite:
    """One check for each form in the registry."""
    forms: dict[str, list[tuple[str, Any]]] = {}
    with auditor.connect() as connection:
        for row in connection.execute(text(_MEASURES)):
            forms.setdefault(row.form_code, []).append((row.field_code, row.factor))
    return Suite(
        table=TABLE,
        key=["report_id", "field_code"],
        rows="optional",
        checks=[_check(form_code, measures) for form_code, measures in forms.items()],
    )


def _check(form_code: str, measures: list[tuple[str, Any]]) -> Check:
    # Only the fields that the sums are made of leave the raw table: counts and sums, never a record.
    fields = ", ".join(f"('{field}', raw_row.{field} * {factor})" for field, factor in measures)
    return Check(
        id=f"{TABLE}.reconciles_{form_code}",
        question=f"Does the star hold every number of the {form_code} reports it was built from, and no other?",
        dimension="consistency",
        severity="critical",
        since=date(2026, 11, 22),
        expectation=NoRowsFromQuery(
            type="ExpectNoRowsFromQuery",
            query=f"""
with scope as (
    select distinct report.report_id, dim_report.revision_id
    from registry.change as change
    inner join registry.report as report on report.report_id = change.report_id
    left join candidate.dim_report as dim_report on dim_report.report_id = report.report_id
    where
        change.release_id = warehouse.candidate_release() and $changed(report.report_id)
        and report.form_code = '{form_code}'
),
reported as (
    select scope.report_id, field.field_code, count(*) as value_count, sum(field.value) as value_sum
    from scope
    inner join raw.{form_code} as raw_row on raw_row.revision_id = scope.revision_id
    cross join lateral (values {fields}) as field (field_code, value)
    where field.value is not null
    group by scope.report_id, field.field_code
),
held as (
    select fact.report_id, fact.field_code, count(*) as value_count, sum(fact.value) as value_sum
    from candidate.{TABLE} as fact
    where fact.report_id in (select scope.report_id from scope) and $changed(fact.report_id) and fact.value is not null
    group by fact.report_id, fact.field_code
)
select
    report_id, field_code,
    reported.value_count as reported_values, held.value_count as star_values,
    reported.value_sum as reported_sum, held.value_sum as star_sum
from reported
full join held using (report_id, field_code)
where reported.value_count is distinct from held.value_count or reported.value_sum is distinct from held.value_sum
""".strip(),
        ),
        look=(
            "select report_id, field_code, breakdown, value, revision_id, source_cell"
            f" from candidate.{TABLE} where form_code = '{form_code}' and report_id in ({REPORTS})"
        ),
        message_zh=f"报表 {form_code} 的数据与仓库 {TABLE} 不一致（个数或合计不同）",
        message_en=f"values of {form_code} differ between the reports and {TABLE} in number or sum",
    )
