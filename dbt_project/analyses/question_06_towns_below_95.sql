-- Question 6. "Every town at least 95 % vaccinated": the towns below, by vaccine and dose; and the towns that were not
-- measured: of which nothing was reported at all, or nothing due of a dose that others report.
with measured as (
    select
        unit.township_code,
        given.vaccine,
        given.dose_no,
        sum(given.due_basic) as due,
        sum(given.given_basic) as given
    from {{ published(ref('fct_immunisation')) }} as given
    inner join {{ published(ref('dim_organization')) }} as unit
        on given.organization_version_key = unit.organization_version_key
    where unit.region_code = '{{ var("region", "440507") }}'
        and given.period_start = date '{{ var("month", "2015-03-01") }}'
        and not given.is_subtotal and given.due_basic > 0
    group by unit.township_code, given.vaccine, given.dose_no
),

dose as (
    select distinct
        vaccine,
        dose_no
    from measured
),

-- Every town of the map beside every dose that some town reports; if none does, the towns by themselves.
asked as (
    select
        town.region_code as township_code,
        town.name_zh as township_zh,
        dose.vaccine,
        dose.dose_no
    from {{ published(ref('dim_region')) }} as town
    left join dose
        on true
    where town.level = 'township' and town.parent_code = '{{ var("region", "440507") }}'
        and date '{{ var("month", "2015-03-01") }}' >= town.applies_from
        and date '{{ var("month", "2015-03-01") }}' < town.valid_to
)

select
    coalesce(asked.township_code, measured.township_code) as township_code,
    asked.township_zh,
    coalesce(asked.vaccine, measured.vaccine) as vaccine,
    coalesce(asked.dose_no, measured.dose_no) as dose_no,
    measured.due,
    measured.given,
    trim_scale(round(measured.given * 100.0 / measured.due, 2)) as rate,
    case when measured.given is null then 'not_measured' else 'below_95' end as status
from asked
full join measured
    on asked.township_code = measured.township_code
        and asked.vaccine = measured.vaccine
        and asked.dose_no = measured.dose_no
where measured.given is null or measured.given < measured.due * 0.95
order by rate nulls last, township_code, vaccine, dose_no
