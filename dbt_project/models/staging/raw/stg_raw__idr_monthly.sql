-- Grain: one row per current report of form idr_monthly and disease.
select
    report.report_id,
    report.organization_key,
    report.part,
    report.subject_code,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    report.received_at,
    form.disease_code,
    form.count_basis,
    form.cases,
    form.deaths,
    form.incidence,
    form.mortality,
    form.cases_same_month_ly
from {{ source('raw', 'idr_monthly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
