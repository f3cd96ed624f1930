-- Grain: one row per card of a notifiable disease in its present state, an accumulating snapshot from onset to audit.
-- Cards of diseases that brand a person are no rows here: fct_disease_card_count has them by county and month.
{{
    config(
        unique_key=['organization_key', 'card_key'],
        indexes=[{'columns': ['diagnosis_date', 'disease_code']}, {'columns': ['report_id']}],
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
        and stg.disease_code not in ({{ sensitive_diseases() }})
),

-- What the batches that count have said of these cards, one after the other.
history as (
    select
        version.card_no,
        count(*) as versions,
        (
            array_agg(version.report_id * 100000000 + version.record_no order by version.received_at, version.report_id)
        )[1] as card_key,
        (array_agg(version.case_class_1 order by version.received_at, version.report_id))[1] as first_case_class,
        (array_agg(version.disease_code order by version.received_at, version.report_id))[1] as first_disease_code
    from {{ ref('stg_raw__idr_card_version') }} as version
    where version.card_no in (select card.card_no from card)
    group by version.card_no
)

select
    card.organization_key,
    card.region_code,
    coalesce(history.card_key, card.report_id * 100000000 + card.record_no) as card_key,
    card.report_id,
    card.source_sheet,
    card.source_row,
    card.period_type,
    card.period_start,
    card.period_end,
    card.disease_code,
    -- What a card said before must not tell what a published card never tells.
    case when card.corrected_disease not in ({{ sensitive_diseases() }}) then card.corrected_disease end
        as corrected_disease,
    case when history.first_disease_code not in ({{ sensitive_diseases() }}) then history.first_disease_code end
        as first_disease_code,
    card.card_category,
    card.case_class_1,
    card.case_class_2,
    history.first_case_class,
    coalesce(history.versions, 1) as versions,
    coalesce(history.first_case_class is distinct from card.case_class_1 and history.versions > 1, false)
        as is_class_changed,
    card.sex,
    card.age_band,
    card.patient_belongs,
    left(card.township_code, 6) as residence_county,
    card.township_code as residence_township,
    card.onset_date,
    card.diagnosis_time::date as diagnosis_date,
    card.fill_date,
    card.entry_time::date as entry_date,
    card.county_audit_time::date as county_audit_date,
    card.final_audit_time::date as final_audit_date,
    case
        when history.versions > 1 then (card.received_at at time zone '{{ local_timezone() }}')::date
    end as corrected_date,
    card.death_date,
    card.diagnosis_time::date - card.onset_date as days_to_diagnosis,
    round(card.hours_to_entry, 1) as hours_to_entry,
    round(card.hours_to_audit, 1) as hours_to_audit,
    card.death_date - card.onset_date as days_to_death,
    card.hours_to_entry > card.limit_hours as is_entered_late,
    card.hours_to_audit > card.limit_hours as is_audited_late,
    card.audit_result,
    coalesce(card.deleted_flag = '1', false) as is_deleted,
    card.is_counted::int as cases,
    (card.is_counted and card.death_date is not null)::int as deaths,
    {{ release_columns() }}
from card
left join history
    on card.card_no = history.card_no
