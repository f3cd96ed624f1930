-- Grain: one row per rate of rare events, region, slice and five years that end with a year.
{{
    config(
        unique_key=['region_code', 'indicator_code', 'slice', 'period_type', 'period_end'],
        meta={'scope': 'all'}
    )
}}
with yearly as (
    select
        fct.indicator_code,
        fct.region_code,
        fct.slice,
        fct.period_type,
        fct.period_end,
        fct.numerator,
        fct.denominator,
        fct.value
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
    where indicator.is_pooled and fct.subject_type = 'region' and fct.status = 'computed'
        and fct.period_type in ('year', 'mch_year')
),

pooled as (
    select
        last_year.indicator_code,
        last_year.region_code,
        last_year.slice,
        last_year.period_type,
        last_year.period_end,
        last_year.value as value_of_last_year,
        count(*) as years_counted,
        sum(year.numerator) as events,
        sum(year.denominator) as denominator
    from yearly as last_year
    inner join yearly as year
        on last_year.indicator_code = year.indicator_code
            and last_year.region_code = year.region_code
            and last_year.slice = year.slice
            and last_year.period_type = year.period_type
            and year.period_end between (last_year.period_end - interval '4 years')::date and last_year.period_end
    group by
        last_year.indicator_code, last_year.region_code, last_year.slice, last_year.period_type,
        last_year.period_end, last_year.value
)

select
    pooled.region_code,
    pooled.indicator_code,
    indicator.name_zh,
    indicator.unit,
    pooled.slice,
    pooled.period_type,
    (pooled.period_end - interval '5 years' + interval '1 day')::date as period_start,
    pooled.period_end,
    pooled.years_counted,
    pooled.events,
    pooled.denominator,
    trim_scale(round(pooled.events * indicator.scale / pooled.denominator, 8)) as value,
    trim_scale(round((limits.low * indicator.scale / pooled.denominator::float8)::numeric, 6)) as ci_low,
    trim_scale(round((limits.high * indicator.scale / pooled.denominator::float8)::numeric, 6)) as ci_high,
    pooled.value_of_last_year,
    {{ release_columns() }}
from pooled
inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
    on pooled.indicator_code = indicator.indicator_code
left join lateral registry.count_limits(pooled.events) as limits on true
