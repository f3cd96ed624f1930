-- Grain: one row per region and month.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['insurance_exchange']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.visits_in_region,
    stg.visits_total,
    stg.admissions_in_region,
    stg.admissions_total,
    stg.first_visits_primary,
    stg.fund_paid,
    stg.insured,
    {{ release_columns() }}
from {{ ref('stg_raw__insurance_exchange') }} as stg
where {{ in_scope('stg') }}
