-- Question 1. Visits of a month by class, ownership and town, beside the same month last year; and the change among
-- the institutions that reported in both.
with visit as (
    select
        unit.class_group,
        unit.ownership,
        unit.township_code,
        service.organization_key,
        sum(service.visits_total) filter (where service.period_start = date '{{ var("month", "2015-03-01") }}')
            as visits,
        sum(service.visits_total) filter (
            where service.period_start = (date '{{ var("month", "2015-03-01") }}' - interval '1 year')
        ) as visits_last_year
    from {{ published(ref('fct_hospital_service')) }} as service
    inner join {{ published(ref('dim_organization')) }} as unit
        on service.organization_version_key = unit.organization_version_key
    where service.form_code = 'hosp_monthly'
        and service.region_code = '{{ var("region", "440507") }}'
    group by unit.class_group, unit.ownership, unit.township_code, service.organization_key
),

-- The whole, each class, and each class by ownership and town.
grouped as (
    select
        line.class_group,
        line.ownership,
        line.township_code,
        visit.visits,
        visit.visits_last_year
    from visit
    cross join lateral (
        values
        (null, null, null),
        (visit.class_group, null, null),
        (visit.class_group, visit.ownership, visit.township_code)
    ) as line (class_group, ownership, township_code)
)

select
    grouped.class_group,
    grouped.ownership,
    grouped.township_code,
    count(grouped.visits) as institutions,
    sum(grouped.visits) as visits,
    sum(grouped.visits_last_year) as visits_last_year,
    count(*) filter (where grouped.visits is not null and grouped.visits_last_year is not null) as institutions_in_both,
    trim_scale(round(
        (
            sum(grouped.visits) filter (where grouped.visits_last_year is not null)
            / nullif(sum(grouped.visits_last_year) filter (where grouped.visits is not null), 0) - 1
        ) * 100, 2
    )) as change_percent_in_both
from grouped
group by grouped.class_group, grouped.ownership, grouped.township_code
order by grouped.class_group nulls first, grouped.ownership nulls first, grouped.township_code nulls first
