-- Grain: one row per region, month, indicator and slice: the month, the same month last year and the year so far.
{{
    config(
        unique_key=['region_code', 'indicator_code', 'slice', 'period_start'],
        indexes=[{'columns': ['period_start']}],
        meta={'scope': 'following_periods'}
    )
}}
with month_value as (
    select
        fct.region_code,
        fct.indicator_code,
        fct.slice,
        fct.period_type,
        fct.period_start,
        fct.period_end,
        fct.numerator,
        fct.denominator,
        fct.value,
        fct.status,
        fct.reports_expected,
        fct.reports_counted,
        indicator.name_zh,
        indicator.unit,
        indicator.scale,
        indicator.aggregation_class,
        indicator.denominator is not null as is_ratio
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
    where fct.subject_type = 'region' and fct.period_type = 'month' and length(fct.subject_code) = 6
        and {{ changed_days('fct.period_start') }}
),

so_far as (
    select
        month_value.*,
        sum(month_value.numerator) over year_so_far as numerator_so_far,
        sum(month_value.denominator) over year_so_far as denominator_so_far,
        count(month_value.value) over year_so_far as months_so_far
    from month_value
    window year_so_far as (
        partition by
            month_value.region_code, month_value.indicator_code, month_value.slice,
            date_trunc('year', month_value.period_start)
        order by month_value.period_start
    )
)

select
    this.region_code,
    this.indicator_code,
    this.name_zh,
    this.unit,
    this.slice,
    this.period_type,
    this.period_start,
    this.period_end,
    this.numerator,
    this.denominator,
    this.value,
    this.status,
    this.reports_expected,
    this.reports_counted,
    before.value as value_last_year,
    before.reports_expected as reports_expected_last_year,
    before.reports_counted as reports_counted_last_year,
    this.value - before.value as difference,
    trim_scale(round((this.value / nullif(before.value, 0) - 1) * 100, 4)) as change_percent,
    case
        when this.months_so_far < extract(month from this.period_start) then null
        when this.aggregation_class in ('ST', 'RS_END') then this.value
        when this.is_ratio
            then trim_scale(round(this.numerator_so_far * this.scale / nullif(this.denominator_so_far, 0), 8))
        else this.numerator_so_far
    end as value_year_so_far,
    this.months_so_far,
    {{ release_columns() }}
from so_far as this
left join {{ at_candidate(ref('fct_indicator')) }} as before
    on this.region_code = before.subject_code
        and before.subject_type = 'region'
        and this.indicator_code = before.indicator_code
        and this.slice = before.slice
        and before.period_type = 'month'
        and before.period_start = (this.period_start - interval '1 year')::date
where {{ in_scope('this') }}
