-- Grain: one row per region and year.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['finance_annual']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.the_total,
    stg.the_government,
    stg.the_social,
    stg.the_personal,
    stg.gdp,
    stg.fiscal_health,
    stg.bphs_funds,
    {{ release_columns() }}
from {{ ref('stg_raw__finance_annual') }} as stg
where {{ in_scope('stg') }}
