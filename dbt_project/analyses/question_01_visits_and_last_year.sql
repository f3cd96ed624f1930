-- Question 1. Visits of a month by class, ownership and town, beside the same month last year; and the change among
-- the institutions that reported in both.
with visit as (
    select
        unit.class_group,
        unit.ownership,
        unit.township_code,
        service.organization_key,
        sum(service.visits_total) filter (where service.period_start = date '{{ var("month", "2015-03-01") }}') as visits,
        sum(service.visits_total) filter (
            where service.period_start = (date '{{ var("month", "2015-03-01") }}' - interval '1 year')
        ) as visits_last_year
    from {{ published(ref('fct_hospital_service')) }} as service
    inner join {{ published(ref('dim_organization')) }} as unit
        on service.organization_version_key = unit.organization_version_key
    where service.form_code = 'hosp_monthly'
        and service.region_code = '{{ var("region", "440507") }}'
    group by unit.class_group, unit.ownership, unit.township_code, service.organization_key
)

select
    visit.class_group,
    visit.ownership,
    visit.township_code,
    count(visit.visits) as institutions,
    sum(visit.visits) as visits,
    sum(visit.visits_last_year) as visits_last_year,
    count(*) filter (where visit.visits is not null and visit.visits_last_year is not null) as institutions_in_both,
    trim_scale(round(
        (
            sum(visit.visits) filter (where visit.visits_last_year is not null)
            / nullif(sum(visit.visits_last_year) filter (where visit.visits is not null), 0) - 1
        ) * 100, 2
    )) as change_percent_in_both
from visit
group by grouping sets ((visit.class_group, visit.ownership, visit.township_code), (visit.class_group), ())
order by visit.class_group nulls first, visit.ownership nulls first, visit.township_code nulls first
