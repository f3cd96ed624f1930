-- Grain: one row per printed figure of a plan.
{{ config(unique_key=['plan_code', 'figure_no'], meta={'scope': 'all'}) }}
with measured as (
    select
        indicator_code,
        bool_or(period_type = 'year') as by_year,
        bool_or(period_type = 'mch_year') as by_mch_year
    from {{ ref('indicator_part') }}
    group by indicator_code
),

figure as (
    select
        plan_figure.*,
        left(plan_figure.period, 4)::int as first_year,
        right(plan_figure.period, 4)::int as last_year,
        -- What mothers and children are counted by runs from October to September.
        coalesce(measured.by_mch_year and not measured.by_year, false) as in_mch_year
    from {{ ref('plan_figure') }} as plan_figure
    left join measured
        on plan_figure.indicator_code = measured.indicator_code
)

select
    figure.plan_code,
    figure.figure_no,
    figure.line_no,
    figure.indicator_code,
    figure.slice,
    figure.kind,
    figure.operator,
    figure.value,
    figure.value_high,
    figure.decimals,
    figure.value_text,
    case
        when figure.first_year is null then null
        when figure.first_year < figure.last_year then 'plan'
        when figure.in_mch_year then 'mch_year'
        else 'year'
    end as period_type,
    case
        when figure.in_mch_year then make_date(figure.first_year - 1, 10, 1)
        else make_date(figure.first_year, 1, 1)
    end as period_start,
    case
        when figure.in_mch_year then make_date(figure.last_year, 9, 30)
        else make_date(figure.last_year, 12, 31)
    end as period_end,
    figure.region_code,
    figure.obligation_class,
    figure.obligation_basis,
    figure.every_unit_of,
    figure.is_aspiration,
    figure.quote,
    figure.note,
    {{ release_columns() }}
from figure
