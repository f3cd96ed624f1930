-- Grain: one row per current report of form ncms_report.
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
    form.eligible,
    form.enrolled,
    {{ in_yuan('form.funds_raised', '万元') }} as funds_raised,
    {{ in_yuan('form.fiscal_subsidy', '万元') }} as fiscal_subsidy,
    {{ in_yuan('form.individual_contribution', '万元') }} as individual_contribution,
    {{ in_yuan('form.funds_other', '万元') }} as funds_other,
    {{ in_yuan('form.fund_paid', '万元') }} as fund_paid,
    form.inpatient_cases,
    {{ in_yuan('form.inpatient_cost', '万元') }} as inpatient_cost,
    {{ in_yuan('form.inpatient_paid', '万元') }} as inpatient_paid,
    form.outpatient_cases,
    {{ in_yuan('form.major_illness_paid', '万元') }} as major_illness_paid
from {{ source('raw', 'ncms_report') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
