-- Grain: one row per batch of cards, month of birth, sex and group of the first diagnosis. By county, never by
-- township.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start', 'sex', 'defect_group'],
        indexes=[{'columns': ['month_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['birth_defect_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    date_trunc('month', stg.birth_time)::date as month_start,
    {{ mch_year('stg.birth_time') }} as mch_year,
    coalesce(stg.sex, '') as sex,
    coalesce(left(upper(stg.defect_codes_1), 3), '') as defect_group,
    count(*) as children,
    {{ release_columns() }}
from {{ ref('stg_raw__birth_defect_card') }} as stg
where {{ in_scope('stg') }}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
