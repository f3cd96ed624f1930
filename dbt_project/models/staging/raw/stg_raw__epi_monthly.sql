-- Grain: one row per current report of form epi_monthly, vaccine, dose_no and residence_class.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.vaccine,
    form.dose_no,
    form.residence_class,
    form.units_due,
    form.units_reported,
    form.population_last_year,
    form.births_last_year,
    form.due_basic,
    form.due_basic_lt12m,
    form.given_basic,
    form.given_basic_lt12m,
    form.hepb_birth_dose_timely,
    form.due_booster,
    form.given_booster,
    form.certificates_due,
    form.certificates_done,
    form.aefi
from {{ source('raw', 'epi_monthly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
