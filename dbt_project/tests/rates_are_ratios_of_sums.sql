-- No rate is a mean of rates: every value is its numerator over its denominator, and both parts of a prefecture's or
-- province's rate are the sums of its counties' (unless it filed a report of its own).
with rate as (
    select
        fct.*,
        indicator.scale,
        fct.subject_type = 'region' and fct.subject_code like '%00' and fct.slice = 'all' as is_above_counties
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
    where {{ changed_period('fct') }} and fct.status = 'computed' and fct.denominator is not null
),

-- Asked once a region and period, not once a rate.
above_counties as (
    select distinct
        subject_code,
        period_start,
        period_end,
        case when subject_code like '%0000' then left(subject_code, 2) else left(subject_code, 4) end || '%'
            as code_pattern
    from rate
    where is_above_counties
),

made_of_counties as (
    select
        above.subject_code,
        above.period_start,
        above.period_end
    from above_counties as above
    where not exists (
            select from {{ at_candidate(ref('dim_report')) }} as own
            where own.subject_type = 'region' and own.subject_code like above.code_pattern
                and own.subject_code like '%00'
                and own.period_start <= above.period_end and own.period_end >= above.period_start
        )
        -- What lies in the prefecture itself is in none of its counties.
        and not exists (
            select from {{ at_candidate(ref('dim_organization')) }} as unit
            where unit.region_code like above.code_pattern and unit.region_code like '%00'
        )
),

of_counties as (
    select
        above.subject_code,
        county.indicator_code,
        county.period_type,
        county.period_start,
        sum(county.numerator) as numerator,
        sum(county.denominator) as denominator
    from {{ at_candidate(ref('fct_indicator')) }} as county
    cross join
        lateral (
            values (left(county.subject_code, 4) || '00'), (left(county.subject_code, 2) || '0000')
        ) as above (subject_code)
    where {{ changed_period('county') }}
        and county.subject_type = 'region' and county.slice = 'all'
        and length(county.subject_code) = 6 and county.subject_code not like '%00'
    group by above.subject_code, county.indicator_code, county.period_type, county.period_start
)

select
    rate.indicator_code,
    rate.subject_code,
    rate.slice,
    rate.period_start,
    rate.value,
    rate.numerator,
    rate.denominator
from rate
left join made_of_counties
    on rate.is_above_counties
        and rate.subject_code = made_of_counties.subject_code
        and rate.period_start = made_of_counties.period_start
        and rate.period_end = made_of_counties.period_end
left join of_counties
    on made_of_counties.subject_code = of_counties.subject_code
        and rate.indicator_code = of_counties.indicator_code
        and rate.period_type = of_counties.period_type
        and rate.period_start = of_counties.period_start
where abs(rate.value - rate.numerator * rate.scale / rate.denominator) > 0.00000001
    or (of_counties.denominator is not null and (
        rate.numerator <> of_counties.numerator or rate.denominator <> of_counties.denominator
    ))
