-- Grain: one row per current report of form childcare_quarterly.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.is_inclusive,
    form.township_code,
    form.medical_contract_org,
    form.places,
    form.children
from {{ source('raw', 'childcare_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
