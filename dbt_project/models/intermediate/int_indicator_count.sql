-- Grain: one row per report and measure: a field, or those of its breakdowns that a part of an indicator takes.
{#- Many numbers are grouped: by sorting, as they do not fit into memory. PostgreSQL expects few, and would look for a
    rival of each by itself. And no windows, which would keep it from reading in parallel. -#}
{{
    config(
        sql_header='set local enable_mergejoin = off; set local enable_nestloop = off; set local enable_hashagg = off;'
    )
}}
{#- An index finds the fields in some years. Where all are read, one condition stands for two: of each by itself the
    planner expects that next to nothing meets it. -#}
{%- set same_field = "carried.form_code = measure.form_code and carried.field_code = measure.field_code"
    if reads_changes() else
    "carried.form_code || ' ' || carried.field_code = measure.form_code || ' ' || measure.field_code" %}
-- Several reports of one form, subject and period: a bulletin and a file of one measure may bring the same number.
with newer as (
    select
        report.report_id,
        other.report_id as newer_id
    from {{ at_candidate(ref('dim_report')) }} as report
    inner join {{ at_candidate(ref('dim_report')) }} as other
        on report.subject_type = other.subject_type
            and report.subject_code = other.subject_code
            and report.form_code = other.form_code
            and report.period_type = other.period_type
            and report.period_start = other.period_start
            and report.period_end = other.period_end
            and (coalesce(report.received_at, '-infinity'), report.report_id)
            < (coalesce(other.received_at, '-infinity'), other.report_id)
    where {{ changed_days('report.period_start') }} and {{ changed_days('other.period_start') }}
),

measure as not materialized (
    select distinct
        measure_no,
        form_code,
        field_code,
        breakdown
    from {{ ref('int_indicator_part') }}
),

-- One value for each number: the one received last counts.
carried as not materialized (
    select value.*
    from {{ at_candidate(ref('fct_reported_value')) }} as value
    where {{ changed_days('value.period_start') }}
        and value.value is not null
        and not exists (
            select from newer
            inner join {{ at_candidate(ref('fct_reported_value')) }} as later
                on newer.newer_id = later.report_id
            where newer.report_id = value.report_id
                and later.field_code = value.field_code
                and later.breakdown = value.breakdown
                and {{ changed_days('later.period_start') }}
                and later.value is not null
        )
)

-- A total that stands beside its parts would count twice where all of them are taken.
select
    carried.report_id,
    measure.measure_no,
    coalesce(
        nullif(count(*) filter (where measure.breakdown <> '%' or carried.breakdown <> 'TOTAL'), 0), count(*)
    )::int as given,
    coalesce(
        sum(carried.value) filter (where measure.breakdown <> '%' or carried.breakdown <> 'TOTAL'), sum(carried.value)
    ) as value
from carried
inner join measure
    on {{ same_field }} and carried.breakdown like measure.breakdown
group by carried.report_id, measure.measure_no
{{- product_values('carried') }}
