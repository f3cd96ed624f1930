-- Grain: one row per region, year, enterprise and hazard.
{{
    config(
        unique_key=['organization_key', 'report_id', 'enterprise_id', 'hazard'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['occupational_reports']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.enterprise_id,
    stg.hazard,
    stg.workers_checked,
    stg.points_sampled,
    stg.points_exceed,
    stg.workers_exposed,
    {{ release_columns() }}
from {{ ref('stg_raw__occupational_reports') }} as stg
where {{ in_scope('stg') }}
