-- Grain: one row per region, year and definition.
{{
    config(
        unique_key=['organization_key', 'report_id', 'definition'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['population_denominators'], 'also': 'next_year'}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.definition,
    stg.source_version,
    stg.population,
    stg.population_65_plus,
    stg.population_0_6,
    before.population as population_previous_year_end,
    case
        when stg.definition = 'RESIDENT_AVERAGE' then stg.population
        else trim_scale((before.population + stg.population) / 2.0)
    end as population_mid_year,
    {{ release_columns() }}
from {{ ref('stg_raw__population_denominators') }} as stg
left join {{ ref('stg_raw__population_denominators') }} as before
    on stg.subject_code = before.subject_code
        and stg.definition = before.definition
        and stg.definition in ('RESIDENT_END', 'REGISTERED_END')
        and before.period_end = stg.period_start - 1
where {{ in_scope('stg') }}
