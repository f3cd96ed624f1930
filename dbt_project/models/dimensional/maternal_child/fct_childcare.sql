-- Grain: one row per childcare institution and quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['childcare_quarterly']}
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
    stg.is_inclusive,
    stg.township_code,
    stg.medical_contract_org,
    stg.places,
    stg.children,
    {{ release_columns() }}
from {{ ref('stg_raw__childcare_quarterly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
