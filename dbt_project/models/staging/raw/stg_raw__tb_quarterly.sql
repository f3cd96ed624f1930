-- Grain: one row per current report of form tb_quarterly.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.tb_reported,
    form.tb_referred,
    form.tb_traced,
    form.tb_registered_active,
    form.tb_bacteriological_positive,
    form.tb_mdr_confirmed,
    form.tb_mdr_treated,
    form.tb_notified_phc,
    form.tb_managed_phc,
    form.tb_cohort_registered,
    form.tb_cohort_cured,
    form.tb_cohort_completed,
    form.tb_cohort_failed,
    form.tb_cohort_died,
    form.tb_cohort_lost,
    form.tb_cohort_other
from {{ source('raw', 'tb_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
