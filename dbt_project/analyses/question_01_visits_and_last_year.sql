-- Question 1. Visits of a month by class, ownership and town, beside the same month last year; and the change among
-- the institutions that reported in both. A unit stands where it was in the month, or a year before if it reported
-- only then: one that changed its class, ownership or town meanwhile is compared with itself.
with visit as (
    select
        service.organization_key,
        (array_agg(service.organization_version_key order by service.period_start desc))[1] as newest_version_key,
        sum(service.visits_total) filter (where service.period_start = date '{{ var("month", "2015-03-01") }}')
            as visits,
        sum(service.visits_total) filter (
            where service.period_start = (date '{{ var("month", "2015-03-01") }}' - interval '1 year')
        ) as visits_last_year
    from {{ published(ref('fct_hospital_service')) }} as service
    where service.form_code = 'hosp_monthly'
        and service.region_code = '{{ var("region", "440507") }}'
        and service.period_start in (
            date '{{ var("month", "2015-03-01") }}', date '{{ var("month", "2015-03-01") }}' - interval '1 year'
        )
        and service.visits_total is not null
    group by service.organization_key
),

-- The whole, each class, and each class by ownership and town.
grouped as (
    select
        line.grouped_by,
        line.class_group,
        line.ownership,
        line.township_code,
        visit.visits,
        visit.visits_last_year
    from visit
    inner join {{ published(ref('dim_organization')) }} as unit
        on visit.newest_version_key = unit.organization_version_key
    cross join lateral (
        values
        ('all', null, null, null),
        ('class', unit.class_group, null, null),
        ('class, ownership and town', unit.class_group, unit.ownership, unit.township_code)
    ) as line (grouped_by, class_group, ownership, township_code)
)

select
    grouped.grouped_by,
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
group by grouped.grouped_by, grouped.class_group, grouped.ownership, grouped.township_code
order by
    grouped.grouped_by asc, grouped.class_group asc nulls first, grouped.ownership asc nulls first,
    grouped.township_code asc nulls first
