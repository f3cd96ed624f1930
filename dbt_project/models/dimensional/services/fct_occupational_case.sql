-- Grain: one row per batch of cards, month of diagnosis, disease category, hazard, sex and age band.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start', 'disease_category', 'hazard', 'sex', 'age_band'],
        indexes=[{'columns': ['month_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['occupational_case_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    date_trunc('month', stg.diagnosis_date)::date as month_start,
    coalesce(stg.disease_category, '') as disease_category,
    coalesce(stg.hazard, '') as hazard,
    coalesce(stg.sex, '') as sex,
    coalesce(stg.age_band, '') as age_band,
    count(*) as cases,
    sum(stg.exposure_years) as exposure_years,
    {{ release_columns() }}
from {{ ref('stg_raw__occupational_case_card') }} as stg
where {{ in_scope('stg') }}
group by
    stg.organization_key, stg.region_code, stg.report_id, stg.period_type, stg.period_start, stg.period_end,
    date_trunc('month', stg.diagnosis_date), stg.disease_category, stg.hazard, stg.sex, stg.age_band
