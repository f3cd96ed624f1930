-- Grain: one row per current report of form premarital_annual.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.married_male,
    form.married_female,
    form.checked_male,
    form.checked_female,
    form.disease_found,
    form.advised
from {{ source('raw', 'premarital_annual') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
