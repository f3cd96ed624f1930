-- Grain: one row per blood station and quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['blood_quarterly']}
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
    stg.donations,
    stg.units_collected,
    stg.units_supplied,
    stg.nat_tested,
    stg.discarded,
    {{ release_columns() }}
from {{ ref('stg_raw__blood_quarterly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
