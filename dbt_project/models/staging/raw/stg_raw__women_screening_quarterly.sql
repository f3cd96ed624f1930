-- Grain: one row per current report of form women_screening_quarterly.
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
    form.women_due,
    form.women_screened,
    form.disease_found,
    form.cervical_screened,
    form.cervical_precancer,
    form.cervical_cancer,
    form.breast_screened,
    form.breast_cancer,
    form.treated
from {{ source('raw', 'women_screening_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
