-- Grain: one row per reporting unit, form and period: what was due, how it came, and how often it was put right.
{{
    config(
        unique_key=['organization_key', 'form_code', 'period_type', 'period_start', 'period_end'],
        indexes=[{'columns': ['period_start', 'form_code']}],
        meta={'scope': 'period'}
    )
}}
with due as (
    select
        timeliness.organization_key,
        timeliness.form_code,
        timeliness.period_type,
        timeliness.period_start,
        timeliness.period_end,
        timeliness.status,
        timeliness.days_late,
        report.form_name_zh,
        report.value_count,
        report.revision_no
    from {{ at_candidate(ref('fct_report_timeliness')) }} as timeliness
    left join {{ at_candidate(ref('dim_report')) }} as report
        on timeliness.report_id = report.report_id
    where {{ in_scope('timeliness') }}
)

select
    due.organization_key,
    max(unit.organization_code) as organization_code,
    max(unit.name_zh) as organization_name_zh,
    max(unit.region_code) as region_code,
    due.form_code,
    max(due.form_name_zh) as form_name_zh,
    due.period_type,
    due.period_start,
    due.period_end,
    count(*) filter (where due.status <> 'exempt') as reports_due,
    count(*) filter (where due.status in ('on_time', 'late')) as reports_received,
    count(*) filter (where due.status = 'on_time') as reports_on_time,
    count(*) filter (where due.status = 'late') as reports_late,
    count(*) filter (where due.status = 'missing') as reports_missing,
    count(*) filter (where due.status = 'empty') as reports_empty,
    count(*) filter (where due.status = 'exempt') as reports_exempt,
    max(due.days_late) as days_late,
    -- Every revision after the first was a correction, whoever asked for it.
    coalesce(sum(due.revision_no - 1) filter (where due.revision_no > 1), 0) as corrections,
    {{ release_columns() }}
from due
{{ organization_at('unit', 'due.organization_key', 'due.period_end') }}
group by due.organization_key, due.form_code, due.period_type, due.period_start, due.period_end
