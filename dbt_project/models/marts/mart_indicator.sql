-- Grain: one row per indicator, region or institution, slice and period: the table that BI opens first.
{{
    config(
        unique_key=[
            'subject_type', 'subject_code', 'indicator_code', 'slice', 'period_type', 'period_start', 'period_end'
        ],
        indexes=[
            {'columns': ['period_start', 'period_type']},
            {'columns': ['indicator_code', 'region_code', 'period_start']}
        ],
        meta={'scope': 'period'}
    )
}}
select
    fct.indicator_code,
    indicator.name_zh,
    indicator.unit,
    fct.region_code,
    case when fct.subject_type = 'organization' then fct.subject_code end as organization_code,
    fct.slice,
    fct.period_type,
    fct.period_start,
    fct.period_end,
    fct.numerator,
    fct.denominator,
    fct.value,
    fct.status,
    fct.subject_type,
    fct.subject_code,
    fct.reports_expected,
    fct.reports_counted,
    trim_scale(round((case indicator.interval_method
        when 'binomial' then share_limits.low * indicator.scale
        when 'poisson' then count_limits.low * indicator.scale / fct.denominator::float8
    end)::numeric, 6)) as ci_low,
    trim_scale(round((case indicator.interval_method
        when 'binomial' then share_limits.high * indicator.scale
        when 'poisson' then count_limits.high * indicator.scale / fct.denominator::float8
    end)::numeric, 6)) as ci_high,
    case when fct.denominator is not null then nullif(concat_ws(
                ' ',
                case when fct.numerator < 5 then 'numerator_under_5' end,
                case
                    when fct.denominator
                        < case indicator.scale when 10000 then 1000 when 100000 then 100000 else 100 end
                        then 'denominator_small'
                end
            ), '')
    end as small_numbers,
    {{ release_columns() }}
from {{ at_candidate(ref('fct_indicator')) }} as fct
inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
    on fct.indicator_code = indicator.indicator_code
-- Exact limits: a share is part of its whole, deaths and cases are counts beside a population.
left join lateral registry.proportion_limits(
    case when indicator.interval_method = 'binomial' and fct.status = 'computed' then fct.numerator end,
    fct.denominator
) as share_limits on true
left join lateral registry.count_limits(
    case when indicator.interval_method = 'poisson' and fct.status = 'computed' then fct.numerator end
) as count_limits on true
where {{ in_scope('fct') }}
