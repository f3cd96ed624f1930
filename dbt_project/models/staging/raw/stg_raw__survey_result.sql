-- Grain: one row per current report of form survey_result, survey_code and item.
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
    coalesce(form.survey_code, '') as survey_code,
    coalesce(form.item, '') as item,
    form.sample_size,
    form.weighted_rate,
    form.ci_low,
    form.ci_high
from {{ source('raw', 'survey_result') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
