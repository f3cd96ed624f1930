-- Grain: one row per township and quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['toilet_quarterly'], 'also': 'later_quarters'}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.subject_code as township_code,
    {{ is_restated(['toilets_new', 'toilets_removed']) }} as is_restated,
    {{ of_the_quarter('toilets_new') }} as toilets_new_of_quarter,
    {{ of_the_quarter('toilets_removed') }} as toilets_removed_of_quarter,
    stg.households,
    stg.toilets_cum,
    stg.toilets_harmless_cum,
    stg.toilets_new,
    stg.toilets_removed,
    stg.sanitary_villages,
    stg.population_in_sanitary_villages,
    {{ release_columns() }}
from {{ ref('stg_raw__toilet_quarterly') }} as stg
{{ quarter_before(ref('stg_raw__toilet_quarterly')) }}
where {{ in_scope('stg') }}
