-- Question 7. Systematic management of mothers over residents and over all women, and the distance to 90 %.
select
    rate.indicator_code,
    rate.numerator,
    rate.denominator,
    round(rate.value, 2) as value,
    round(rate.value - 90, 2) as distance_to_90,
    rate.ci_low,
    rate.ci_high
from {{ published(ref('mart_indicator')) }} as rate
where rate.indicator_code in ('maternal_systematic_mgmt_rate', 'maternal_systematic_mgmt_rate_all_women')
    and rate.subject_type = 'region' and rate.subject_code = '{{ var("region", "440507") }}'
    and rate.period_type = 'mch_year' and extract(year from rate.period_end) = {{ var("year", "2015") }}
order by rate.indicator_code
