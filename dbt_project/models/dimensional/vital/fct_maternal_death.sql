-- Grain: one row per batch of cards and month of death: by county, never by township, age or cause.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start'],
        indexes=[{'columns': ['month_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['maternal_death_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    date_trunc('month', stg.death_time)::date as month_start,
    {{ mch_year('stg.death_time') }} as mch_year,
    count(*) as cards,
    -- Within 42 days of the end of pregnancy and not by accident; not delivered counts.
    count(*) filter (
        where coalesce(stg.death_time::date - stg.delivery_time::date, 0) between 0 and 42
        and not {{ icd10_within('stg.death_cause', ['S00-T98', 'V01-Y98']) }}
    ) as maternal_deaths,
    {{ release_columns() }}
from {{ ref('stg_raw__maternal_death_card') }} as stg
where {{ in_scope('stg') }}
group by 1, 2, 3, 4, 5, 6, 7, 8
