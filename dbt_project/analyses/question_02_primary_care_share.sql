-- Question 2. The primary-care share of visits: as the directory classes units, with hospitals that are also community
-- centres counted as primary care, and with the visits that clinics and village stations have reported for them.
with visit as (
    select
        unit.class_group,
        unit.second_class_code like 'B1%' as is_also_centre,
        service.visits_total,
        coalesce(service.proxy_clinic_visits, 0) + coalesce(service.proxy_village_clinic_visits, 0)
        + coalesce(service.proxy_station_visits, 0) as visits_of_others
    from {{ published(ref('fct_hospital_service')) }} as service
    inner join {{ published(ref('dim_organization')) }} as unit
        on service.organization_version_key = unit.organization_version_key
    where service.form_code = 'hosp_monthly'
        and service.region_code = '{{ var("region", "440507") }}'
        and service.period_start between date '{{ var("year", "2015") }}-01-01'
        and date '{{ var("year", "2015") }}-12-31'
)

select
    counted.rule,
    sum(counted.numerator) as primary_care_visits,
    sum(counted.denominator) as visits,
    trim_scale(round(sum(counted.numerator) * 100 / nullif(sum(counted.denominator), 0), 2)) as share
from visit
cross join
    lateral (
        values
        ('by class', case when visit.class_group = 'primary_care' then visit.visits_total end, visit.visits_total),
        (
            'second names as primary care',
            case when visit.class_group = 'primary_care' or visit.is_also_centre then visit.visits_total end,
            visit.visits_total
        ),
        (
            'with clinics and stations',
            case when visit.class_group = 'primary_care' then visit.visits_total else 0 end + visit.visits_of_others,
            visit.visits_total + visit.visits_of_others
        )
    ) as counted (rule, numerator, denominator)
group by counted.rule
order by counted.rule
