-- Grain: one row per card of form occupational_case_card that counts.
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
    report.received_at,
    form.record_no,
    form.source_sheet,
    form.source_row,
    form.worker_age_band as age_band,
    form.card_no,
    form.sex,
    form.enterprise_id,
    form.hazard,
    form.exposure_years,
    form.disease_category,
    form.case_diagnosis,
    form.diagnosis_date,
    form.report_date
from {{ source('raw', 'occupational_case_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('occupational_case_card', ['card_no']) }}
