-- Grain: one row per current report of form occupational_reports, enterprise_id and hazard.
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
    coalesce(form.enterprise_id, '') as enterprise_id,
    coalesce(form.hazard, '') as hazard,
    form.workers_exposed,
    form.workers_checked,
    form.points_sampled,
    form.points_exceed
from {{ source('raw', 'occupational_reports') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
