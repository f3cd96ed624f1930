-- Question 2. The primary-care share of visits: as the directory classes units, with hospitals that are also community
-- centres counted as primary care, and with clinics and village stations: what monthly forms report for them, and of
-- village stations that file a year's form what that says. A station's visits count once: where its county has both,
-- the larger of the two counts, as no report says which stations others reported for.
with visit as (
    select
        unit.class_group,
        service.form_code,
        unit.second_class_code like 'B1%' as is_also_centre,
        service.visits_total,
        coalesce(service.proxy_clinic_visits, 0) + coalesce(service.proxy_station_visits, 0) as visits_of_clinics,
        coalesce(service.proxy_village_clinic_visits, 0) as visits_of_villages
    from {{ published(ref('fct_hospital_service')) }} as service
    inner join {{ published(ref('dim_organization')) }} as unit
        on service.organization_version_key = unit.organization_version_key
    where service.form_code in ('hosp_monthly', 'inst_annual_village')
        and service.region_code = '{{ var("region", "440507") }}'
        and service.period_start between date '{{ var("year", "2015") }}-01-01'
        and date '{{ var("year", "2015") }}-12-31'
),

whole as (
    select
        sum(visits_total) filter (where form_code = 'hosp_monthly') as visits,
        sum(visits_total) filter (where form_code = 'hosp_monthly' and class_group = 'primary_care') as primary_care,
        sum(visits_total) filter (where form_code = 'hosp_monthly' and (class_group = 'primary_care' or is_also_centre))
            as primary_care_and_second_names,
        coalesce(sum(visits_of_clinics) filter (where form_code = 'hosp_monthly'), 0)
        + greatest(
            coalesce(sum(visits_of_villages) filter (where form_code = 'hosp_monthly'), 0),
            coalesce(sum(visits_total) filter (where form_code = 'inst_annual_village'), 0)
        ) as clinics_and_stations
    from visit
)

select
    counted.rule,
    counted.numerator as primary_care_visits,
    counted.denominator as visits,
    trim_scale(round(counted.numerator * 100 / nullif(counted.denominator, 0), 2)) as share
from whole
cross join
    lateral (
        values
        ('by class', whole.primary_care, whole.visits),
        ('second names as primary care', whole.primary_care_and_second_names, whole.visits),
        (
            'with clinics and stations',
            coalesce(whole.primary_care, 0) + whole.clinics_and_stations,
            whole.visits + whole.clinics_and_stations
        )
    ) as counted (rule, numerator, denominator)
order by counted.rule
