-- Grain: one row per region, year, survey and item.
{{
    config(
        unique_key=['organization_key', 'report_id', 'survey_code', 'item'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['survey_result']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.survey_code,
    stg.item,
    stg.sample_size,
    stg.weighted_rate,
    stg.ci_low,
    stg.ci_high,
    {{ release_columns() }}
from {{ ref('stg_raw__survey_result') }} as stg
where {{ in_scope('stg') }}
