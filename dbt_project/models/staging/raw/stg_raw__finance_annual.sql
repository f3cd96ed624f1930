-- Grain: one row per current report of form finance_annual.
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
    {{ in_yuan('form.the_total', '万元') }} as the_total,
    {{ in_yuan('form.the_government', '万元') }} as the_government,
    {{ in_yuan('form.the_social', '万元') }} as the_social,
    {{ in_yuan('form.the_personal', '万元') }} as the_personal,
    {{ in_yuan('form.gdp', '万元') }} as gdp,
    {{ in_yuan('form.fiscal_health', '万元') }} as fiscal_health,
    {{ in_yuan('form.bphs_funds', '万元') }} as bphs_funds
from {{ source('raw', 'finance_annual') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
