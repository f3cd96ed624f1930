-- Grain: one row per primary-care institution and month.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['contract_monthly']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.services_delivered,
    stg.resident_population,
    stg.contracted,
    stg.contracted_key,
    stg.key_population,
    stg.personalised,
    stg.renewed,
    stg.teams,
    {{ release_columns() }}
from {{ ref('stg_raw__contract_monthly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
