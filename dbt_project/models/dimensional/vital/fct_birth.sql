-- Grain: one row per batch of cards, day of birth, township, sex and age band of the mother.
{{
    config(
        unique_key=['organization_key', 'report_id', 'birth_date', 'township_code', 'sex', 'mother_age_band'],
        indexes=[{'columns': ['birth_date', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['birth_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.birth_time::date as birth_date,
    coalesce(stg.township_code, '') as township_code,
    coalesce(stg.sex, '') as sex,
    coalesce(stg.mother_age_band, '') as mother_age_band,
    count(*) as births,
    count(*) filter (where stg.place in ('1', '2', '3')) as births_in_institution,
    count(stg.gestational_weeks) as births_with_weeks,
    count(*) filter (where stg.gestational_weeks < 37) as preterm,
    count(stg.birth_weight) as births_weighed,
    count(*) filter (where stg.birth_weight < 2500) as low_birth_weight,
    count(*) filter (where stg.birth_weight < 1500) as very_low_birth_weight,
    count(*) filter (where stg.birth_weight >= 4000) as macrosomia,
    {{ release_columns() }}
from {{ ref('stg_raw__birth_card') }} as stg
where {{ in_scope('stg') }}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
