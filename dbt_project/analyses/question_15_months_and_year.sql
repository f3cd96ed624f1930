-- Question 15. Monthly forms summed beside the annual form, institution by institution.
with unit as (
    select distinct
        organization_key,
        organization_code
    from {{ published(ref('dim_organization')) }}
),

by_form as (
    select
        service.organization_key,
        sum(service.visits_total) filter (where service.period_type = 'month') as visits_of_months,
        count(*) filter (where service.period_type = 'month') as months,
        sum(service.visits_total) filter (where service.period_type = 'year') as visits_of_year,
        sum(service.discharges) filter (where service.period_type = 'month') as discharges_of_months,
        sum(service.discharges) filter (where service.period_type = 'year') as discharges_of_year
    from {{ published(ref('fct_hospital_service')) }} as service
    where service.region_code = '{{ var("region", "440507") }}'
        and service.period_start between date '{{ var("year", "2015") }}-01-01'
        and date '{{ var("year", "2015") }}-12-31'
    group by service.organization_key
)

select
    unit.organization_code,
    by_form.months,
    by_form.visits_of_months,
    by_form.visits_of_year,
    by_form.visits_of_months - by_form.visits_of_year as difference_of_visits,
    by_form.discharges_of_months,
    by_form.discharges_of_year,
    by_form.discharges_of_months - by_form.discharges_of_year as difference_of_discharges
from by_form
inner join unit
    on by_form.organization_key = unit.organization_key
order by unit.organization_code
