-- Grain: one row per card of form idr_card in its newest version.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    report.received_at,
    form.record_no,
    form.source_sheet,
    form.source_row,
    form.card_no,
    form.card_category,
    form.patient_key,
    form.sex,
    form.patient_age_band as age_band,
    form.patient_township as township_code,
    form.patient_belongs,
    form.case_class_1,
    form.case_class_2,
    form.onset_date,
    form.diagnosis_time,
    form.death_date,
    form.disease_code,
    form.corrected_disease,
    form.fill_date,
    form.entry_time,
    form.county_audit_time,
    form.final_audit_time,
    form.audit_result,
    form.deleted_flag,
    case
        when form.disease_code in ('0100', '0200', '2700', '1901') then 2
        when form.disease_code = 'COVID19' and form.diagnosis_time < date '2023-01-08' then 2
        else 24
    end as limit_hours,
    coalesce(form.case_class_1 in ('2', '3') and coalesce(form.deleted_flag, '0') <> '1', false) as is_counted
from {{ source('raw', 'idr_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('idr_card', ['card_no']) }}
