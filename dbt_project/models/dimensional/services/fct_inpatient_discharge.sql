-- Grain: one row per hospital, month, diagnosis chapter, age band, sex, way of payment and mode of discharge.
{{
    config(
        unique_key=['organization_key', 'report_id', 'diagnosis_chapter', 'age_band', 'sex', 'payment', 'discharge_mode'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['inpatient_front_page'],
            'also': 'same_cards', 'card_key': ['patient_key', 'admission_time']
        }
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    coalesce({{ icd10_chapter('stg.main_diagnosis') }}, '') as diagnosis_chapter,
    coalesce(stg.age_band, '') as age_band,
    coalesce(stg.sex, '') as sex,
    coalesce(stg.payment, '') as payment,
    coalesce(stg.discharge_mode, '') as discharge_mode,
    count(*) as discharges,
    count(*) filter (where stg.discharge_mode = '5') as deaths,
    count(*) filter (where stg.discharge_mode = '3') as discharges_to_primary,
    count(stg.operation_code_1) as discharges_with_operation,
    count(*) filter (where stg.readmission_plan_31d = '2') as readmissions_planned,
    sum(stg.los_days) as bed_days,
    sum(stg.cost_total) as cost_total,
    sum(stg.cost_self_paid) as cost_self_paid,
    sum(stg.cost_item_western_drug) as cost_western_drug,
    sum(stg.cost_item_patent_tcm) as cost_patent_tcm,
    sum(stg.cost_item_herbal) as cost_herbal,
    sum(stg.cost_item_tcm_treatment) as cost_tcm_treatment,
    {{ release_columns() }}
from {{ ref('stg_raw__inpatient_front_page') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
