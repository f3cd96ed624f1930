-- Grain: one row per current report of form inst_annual_hospital_dept and department.
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
    coalesce(form.department, '') as department,
    form.beds_actual,
    form.visits_outpatient_emergency,
    form.discharges
from {{ source('raw', 'inst_annual_hospital_dept') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
