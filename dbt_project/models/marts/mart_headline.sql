-- Grain: one row per region, period and printed line of the headline table.
{{
    config(
        unique_key=['region_code', 'ordinal', 'period_type', 'period_start'],
        indexes=[{'columns': ['period_start', 'period_type']}],
        meta={'scope': 'period'}
    )
}}
select
    headline.ordinal,
    headline.indicator_code,
    headline.label_zh,
    headline.slice,
    fct.numerator,
    fct.denominator,
    fct.value,
    indicator.unit,
    fct.status,
    fct.period_type,
    fct.period_start,
    fct.period_end,
    fct.region_code,
    fct.reports_expected,
    fct.reports_counted,
    {{ release_columns() }}
from {{ at_candidate(ref('fct_indicator')) }} as fct
inner join {{ at_candidate(ref('dim_headline')) }} as headline
    on fct.indicator_code = headline.indicator_code
        and fct.slice = headline.slice
        and fct.period_type = headline.period_type
inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
    on fct.indicator_code = indicator.indicator_code
-- Towns are for boards of their own.
where fct.subject_type = 'region' and length(fct.subject_code) = 6 and {{ in_scope('fct') }}
