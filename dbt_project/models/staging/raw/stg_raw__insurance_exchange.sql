-- Grain: one row per current report of form insurance_exchange.
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
    form.insured,
    form.visits_in_region,
    form.visits_total,
    form.admissions_in_region,
    form.admissions_total,
    form.first_visits_primary,
    form.fund_paid
from {{ source('raw', 'insurance_exchange') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
