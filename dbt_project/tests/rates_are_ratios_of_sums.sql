-- No rate is a mean of rates: every value is its numerator over its denominator, and both parts of a prefecture's or
-- province's rate are the sums of its counties' (unless it filed a report of its own).
with rate as (
    select
        fct.*,
        indicator.scale,
        case when fct.subject_code like '%0000' then left(fct.subject_code, 2) else left(fct.subject_code, 4) end || '%'
            as code_pattern
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
    where {{ changed_period('fct') }} and fct.status = 'computed' and fct.denominator is not null
),

of_counties as (
    select
        above.subject_code,
        above.indicator_code,
        above.period_type,
        above.period_start,
        sum(county.numerator) as numerator,
        sum(county.denominator) as denominator
    from rate as above
    inner join {{ at_candidate(ref('fct_indicator')) }} as county
        on county.subject_type = 'region'
            and county.subject_code like above.code_pattern
            and length(county.subject_code) = 6
            and county.subject_code not like '%00'
            and above.indicator_code = county.indicator_code
            and above.slice = county.slice
            and above.period_type = county.period_type
            and above.period_start = county.period_start
    where above.subject_type = 'region' and above.subject_code like '%00' and above.slice = 'all'
        and not exists (
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
    group by above.subject_code, above.indicator_code, above.period_type, above.period_start
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
left join of_counties
    on rate.subject_code = of_counties.subject_code
        and rate.indicator_code = of_counties.indicator_code
        and rate.period_type = of_counties.period_type
        and rate.period_start = of_counties.period_start
        and rate.slice = 'all'
where abs(rate.value - rate.numerator * rate.scale / rate.denominator) > 0.00000001
    or (of_counties.denominator is not null and (
        rate.numerator <> of_counties.numerator or rate.denominator <> of_counties.denominator
    ))
