-- Grain: one row per current report of form hiv_test_monthly and test_site_type.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.test_site_type,
    form.tests,
    form.positives_screen,
    form.positives_confirmed
from {{ source('raw', 'hiv_test_monthly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
