-- Grain: one row per maternity institution and month.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['newborn_screening_monthly']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.form_code,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.live_births_at_hospital,
    stg.metabolic_screened,
    stg.metabolic_positive,
    stg.metabolic_recalled,
    stg.pku_confirmed,
    stg.ch_confirmed,
    stg.hearing_screened,
    stg.hearing_failed,
    stg.hearing_rescreened,
    stg.hearing_diagnosed,
    {{ release_columns() }}
from {{ ref('stg_raw__newborn_screening_monthly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
