-- Grain: one row per current report of form inst_annual_village.
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
    form.village_code,
    form.clinic_type,
    form.essential_drugs,
    form.tcm_service,
    form.village_doctors,
    form.health_workers,
    form.doctors,
    form.nurses,
    form.visits_total,
    {{ in_yuan('form.subsidy', '千元') }} as subsidy
from {{ source('raw', 'inst_annual_village') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
