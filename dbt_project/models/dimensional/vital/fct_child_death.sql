-- Grain: one row per batch of cards, month of death, sex and chapter of the underlying cause. By county, never by
-- township.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start', 'sex', 'cause_chapter'],
        indexes=[{'columns': ['month_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['child_death_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
with card as (
    select
        stg.*,
        stg.death_time::date - stg.birth_time::date as days,
        stg.death_time::date < stg.birth_time::date + interval '1 year' as is_infant
    from {{ ref('stg_raw__child_death_card') }} as stg
    where {{ in_scope('stg') }}
)

select
    card.organization_key,
    card.region_code,
    card.report_id,
    card.period_type,
    card.period_start,
    card.period_end,
    date_trunc('month', card.death_time)::date as month_start,
    {{ mch_year('card.death_time') }} as mch_year,
    coalesce(card.sex, '') as sex,
    coalesce({{ icd10_chapter('card.death_cause') }}, '') as cause_chapter,
    count(*) as deaths_under5,
    count(*) filter (where card.is_infant) as deaths_infant,
    count(*) filter (where card.days < 28) as deaths_neonatal,
    count(*) filter (where card.days < 7) as deaths_early_neonatal,
    {{ release_columns() }}
from card
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
