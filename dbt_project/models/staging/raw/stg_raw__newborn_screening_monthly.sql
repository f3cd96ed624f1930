-- Grain: one row per current report of form newborn_screening_monthly.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.live_births_at_hospital,
    form.metabolic_screened,
    form.metabolic_positive,
    form.metabolic_recalled,
    form.pku_confirmed,
    form.ch_confirmed,
    form.hearing_screened,
    form.hearing_failed,
    form.hearing_rescreened,
    form.hearing_diagnosed
from {{ source('raw', 'newborn_screening_monthly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
