-- Grain: one row per period that reports, indicators and plans speak of.
{{ config(unique_key=['period_type', 'period_start', 'period_end'], meta={'scope': 'all'}) }}
with month as (
    select moment::date as month_start
    from generate_series(timestamp '2000-01-01', timestamp '2040-12-01', interval '1 month') as moment
),

period as (
    select
        'month' as period_type,
        month_start as period_start,
        1 as months
    from month
    union all
    select
        'quarter' as period_type,
        month_start as period_start,
        3 as months
    from month
    where extract(month from month_start) in (1, 4, 7, 10)
    union all
    -- From January to the end of each quarter, as forms count that go on through the year.
    select
        'cumulative_quarter' as period_type,
        month.month_start as period_start,
        quarter.months
    from month
    cross join (values (3), (6), (9), (12)) as quarter (months)
    where extract(month from month.month_start) = 1
    union all
    select
        'year' as period_type,
        month_start as period_start,
        12 as months
    from month
    where extract(month from month_start) = 1
    union all
    select
        'mch_year' as period_type,
        month_start as period_start,
        12 as months
    from month
    where extract(month from month_start) = 10 and month_start < date '2040-10-01'
    union all
    select
        'school_year' as period_type,
        month_start as period_start,
        12 as months
    from month
    where extract(month from month_start) = 9 and month_start < date '2040-09-01'
    union all
    select
        'plan' as period_type,
        make_date(plan_period.first_year, 1, 1) as period_start,
        12 * (plan_period.last_year - plan_period.first_year + 1) as months
    from {{ ref('plan_period') }} as plan_period
),

ended as (
    select
        period.*,
        (period.period_start + make_interval(months => period.months) - interval '1 day')::date as period_end
    from period
),

named as (
    select
        ended.*,
        extract(year from ended.period_start)::int as first_year,
        extract(year from ended.period_end)::int as last_year,
        extract(month from ended.period_start)::int as first_month,
        extract(month from ended.period_end)::int as last_month
    from ended
)

select
    named.period_type,
    named.period_start,
    named.period_end,
    case named.period_type
        when 'month' then format('%s年%s月', named.first_year, named.first_month)
        when 'quarter' then format('%s年第%s季度', named.first_year, (named.last_month / 3))
        when 'cumulative_quarter' then format('%s年1—%s月', named.first_year, named.last_month)
        when 'year' then format('%s年', named.first_year)
        when 'mch_year' then format('%s妇幼统计年度', named.last_year)
        when 'school_year' then format('%s—%s学年', named.first_year, named.last_year)
        else format('%s（%s—%s年）', own_plan.plan_period, named.first_year, named.last_year)
    end as name_zh,
    named.months,
    case when named.period_type <> 'plan' then named.last_year end as year,
    case when named.period_type in ('quarter', 'cumulative_quarter') then named.last_month / 3 end as quarter,
    case when named.period_type = 'month' then named.first_month end as month,
    case
        when named.period_type in ('month', 'quarter', 'mch_year')
            then extract(year from named.period_end + interval '3 months')::int
    end as mch_year,
    case
        when named.period_type in ('month', 'quarter')
            then extract(quarter from named.period_end + interval '3 months')::int
    end as mch_quarter,
    coalesce(own_plan.plan_period, around_plan.plan_period) as plan_period,
    case
        when named.period_type <> 'cumulative_quarter' and named.period_type <> 'plan'
            then (named.period_start - make_interval(months => named.months))::date
    end as prior_start,
    case when named.period_type <> 'plan' then (named.period_start - interval '1 year')::date end as year_ago_start,
    case
        when named.period_type <> 'plan'
            then (named.period_end + interval '1 day' - interval '1 year' - interval '1 day')::date
    end as year_ago_end,
    {{ release_columns() }}
from named
left join {{ ref('plan_period') }} as own_plan
    on named.period_type = 'plan' and named.first_year = own_plan.first_year
left join {{ ref('plan_period') }} as around_plan
    on named.period_type <> 'plan'
        and named.last_year between around_plan.first_year and around_plan.last_year
