-- Grain: one row per testing institution, month and group tested.
{{
    config(
        unique_key=['organization_key', 'report_id', 'test_site_type'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['hiv_test_monthly']}
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
    stg.test_site_type = 'TOTAL' and count(*) over (partition by stg.report_id) > 1 as is_subtotal,
    stg.test_site_type,
    stg.tests,
    stg.positives_screen,
    stg.positives_confirmed,
    {{ release_columns() }}
from {{ ref('stg_raw__hiv_test_monthly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
