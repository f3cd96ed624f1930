-- Grain: one row per batch of cards, month of diagnosis, disease and case class: every disease, no person.
{{
    config(
        unique_key=['organization_key', 'report_id', 'month_start', 'disease_code', 'case_class'],
        indexes=[{'columns': ['month_start', 'disease_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['idr_card'], 'also': 'same_cards', 'card_key': ['card_no']}
    )
}}
with card as (
    select
        stg.*,
        extract(epoch from stg.entry_time - stg.diagnosis_time) / 3600 as hours_to_entry,
        extract(epoch from stg.county_audit_time - stg.entry_time) / 3600 as hours_to_audit
    from {{ ref('stg_raw__idr_card') }} as stg
    where {{ in_scope('stg') }}
)

select
    card.organization_key,
    card.region_code,
    card.report_id,
    card.period_type,
    card.period_start,
    card.period_end,
    date_trunc('month', card.diagnosis_time)::date as month_start,
    card.disease_code,
    coalesce(card.case_class_1, '') as case_class,
    count(*) as cards,
    count(*) filter (where card.is_counted) as cases,
    count(*) filter (where card.is_counted and card.death_date is not null) as deaths,
    count(*) filter (where card.card_category = '2') as cards_corrected,
    count(*) filter (where card.deleted_flag = '1') as cards_deleted,
    count(card.hours_to_entry) as cards_entry_timed,
    count(*) filter (where card.hours_to_entry > card.limit_hours) as cards_entered_late,
    count(card.hours_to_audit) as cards_audit_timed,
    count(*) filter (where card.hours_to_audit > card.limit_hours) as cards_audited_late,
    {{ release_columns() }}
from card
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
