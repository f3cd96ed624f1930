-- Grain: one row per current report of form task_progress and task_code.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.part,
    report.subject_code,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    coalesce(form.task_code, '') as task_code,
    form.indicator_code,
    form.plan_document,
    form.region_code as task_region_code,
    form.target_op,
    form.unit,
    form.soft_flag,
    form.evidence,
    form.status,
    form.amendment_reason,
    form.target_value,
    form.done_cumulative,
    form.denominator,
    form.audited_value
from {{ source('raw', 'task_progress') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
