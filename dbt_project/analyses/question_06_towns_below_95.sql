-- Question 6. "Every town at least 95 % vaccinated": the towns below, by vaccine and dose.
select
    unit.township_code,
    given.vaccine,
    given.dose_no,
    sum(given.due_basic) as due,
    sum(given.given_basic) as given,
    trim_scale(round(sum(given.given_basic) * 100.0 / nullif(sum(given.due_basic), 0), 2)) as rate
from {{ published(ref('fct_immunisation')) }} as given
inner join {{ published(ref('dim_organization')) }} as unit
    on given.organization_version_key = unit.organization_version_key
where unit.region_code = '{{ var("region", "440507") }}'
    and given.period_start = date '{{ var("month", "2015-03-01") }}'
    and not given.is_subtotal and given.due_basic > 0
group by unit.township_code, given.vaccine, given.dose_no
having sum(given.given_basic) < sum(given.due_basic) * 0.95
order by rate, unit.township_code, given.vaccine, given.dose_no
