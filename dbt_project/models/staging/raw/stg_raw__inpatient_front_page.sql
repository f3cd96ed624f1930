-- Grain: one row per card of form inpatient_front_page that counts.
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
    form.patient_age_band as age_band,
    form.payment,
    form.sex,
    form.los_days,
    form.main_diagnosis,
    form.operation_code_1,
    form.discharge_mode,
    form.readmission_plan_31d,
    form.cost_total,
    form.cost_self_paid,
    form.cost_item_tcm_treatment,
    form.cost_item_western_drug,
    form.cost_item_patent_tcm,
    form.cost_item_herbal
from {{ source('raw', 'inpatient_front_page') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('inpatient_front_page', ['patient_key', 'admission_time']) }}
