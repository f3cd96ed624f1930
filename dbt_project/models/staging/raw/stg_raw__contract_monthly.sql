-- Grain: one row per current report of form contract_monthly.
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
    form.resident_population,
    form.contracted,
    form.contracted_key,
    form.key_population,
    form.personalised,
    form.renewed,
    form.services_delivered,
    form.teams
from {{ source('raw', 'contract_monthly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
