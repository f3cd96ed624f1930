-- Grain: one row per inspection.
{{
    config(
        unique_key=['organization_key', 'report_id', 'record_no'],
        indexes=[{'columns': ['inspection_date', 'region_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['supervision_cards'],
            'also': 'same_cards', 'card_key': ['unit_id', 'specialty', 'inspection_date']
        }
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.record_no,
    stg.unit_id,
    stg.specialty,
    stg.inspection_date,
    stg.result,
    stg.violation is not null as has_violation,
    stg.close_date,
    stg.close_date - stg.inspection_date as days_to_close,
    1 as inspections,
    stg.penalty,
    stg.source_sheet,
    stg.source_row,
    {{ release_columns() }}
from {{ ref('stg_raw__supervision_cards') }} as stg
where {{ in_scope('stg') }}
