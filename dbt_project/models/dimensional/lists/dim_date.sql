-- Grain: one row per day, with its place in the three calendars.
{{ config(unique_key=['date_key'], meta={'scope': 'all'}) }}
with day as (
    select
        moment::date as date_key,
        extract(year from moment)::int as calendar_year,
        extract(quarter from moment)::int as calendar_quarter,
        extract(month from moment)::int as calendar_month,
        -- The maternal-child year Y runs from 1 October of Y-1: shifted by three months it is a calendar year.
        extract(year from moment + interval '3 months')::int as mch_year,
        extract(quarter from moment + interval '3 months')::int as mch_quarter
    from generate_series(timestamp '2000-01-01', timestamp '2040-12-31', interval '1 day') as moment
)

select
    day.date_key,
    day.calendar_year,
    day.calendar_quarter,
    day.calendar_month,
    date_trunc('month', day.date_key)::date as month_start,
    to_char(day.date_key, 'YYYY-MM') as year_month,
    extract(isodow from day.date_key)::int as weekday,
    day.date_key = (date_trunc('month', day.date_key) + interval '1 month - 1 day')::date as is_month_end,
    to_char(day.date_key, 'MM-DD') = '12-31' as is_year_end,
    day.mch_year,
    day.mch_quarter,
    make_date(day.mch_year - 1, 10, 1) as mch_year_start,
    make_date(day.mch_year, 9, 30) as mch_year_end,
    plan_period.plan_period,
    case when plan_period.plan_period is not null then day.calendar_year - plan_period.first_year + 1 end
        as plan_year_no,
    {{ release_columns() }}
from day
left join {{ ref('plan_period') }} as plan_period
    on day.calendar_year between plan_period.first_year and plan_period.last_year
