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
    {{ release_columns() }}
from {{ at_candidate(ref('fct_indicator')) }} as fct
inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
    on fct.indicator_code = indicator.indicator_code
where {{ in_scope('fct') }}
