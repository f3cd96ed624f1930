-- Grain: one row per current report of form fp_services_annual.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.iud_insert,
    form.iud_remove,
    form.vasectomy,
    form.tubal_ligation,
    form.abortion,
    form.consultations,
    form.complications
from {{ source('raw', 'fp_services_annual') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
