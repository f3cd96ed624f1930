-- Grain: one row per batch of cards and month of diagnosis: how many tell what another card of the person told before.
-- The span within which a second card is a repetition differs by disease and is published for none; 30 days are taken.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start'],
        indexes=[{'columns': ['month_start']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['idr_card'], 'also': 'same_cards',
            'card_key': ['patient_key', 'disease_code']
        }
    )
}}
with card as (
    select
        stg.*,
        lag(stg.diagnosis_time) over (
            partition by stg.patient_key, stg.disease_code
            order by stg.diagnosis_time, stg.received_at, stg.report_id, stg.record_no
        ) as told_before
    from {{ ref('stg_raw__idr_card') }} as stg
    where stg.patient_key is not null and coalesce(stg.deleted_flag, '0') <> '1'
        -- The whole of what was told of them, whichever batch brought it.
        and stg.patient_key in (
            select own.patient_key
            from {{ ref('stg_raw__idr_card') }} as own
            where {{ in_scope('own') }}
        )
)

select
    card.organization_key,
    card.region_code,
    card.report_id,
    card.period_type,
    card.period_start,
    card.period_end,
    date_trunc('month', card.diagnosis_time)::date as month_start,
    count(*) as cards_compared,
    count(*) filter (where card.diagnosis_time < card.told_before + interval '30 days') as cards_repeated,
    {{ release_columns() }}
from card
where {{ in_scope('card') }}
group by 1, 2, 3, 4, 5, 6, 7
