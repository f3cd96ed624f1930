-- Question 8. Maternal and infant mortality with the number of deaths and exact limits, for the year and for five.
select
    rate.indicator_code,
    rate.numerator as deaths,
    rate.denominator as live_births,
    rate.value,
    rate.ci_low,
    rate.ci_high,
    rate.small_numbers,
    pooled.years_counted,
    pooled.events as deaths_of_five_years,
    pooled.value as value_of_five_years,
    pooled.ci_low as ci_low_of_five_years,
    pooled.ci_high as ci_high_of_five_years
from {{ published(ref('mart_indicator')) }} as rate
left join {{ published(ref('mart_pooled_rate')) }} as pooled
    on rate.indicator_code = pooled.indicator_code
        and rate.region_code = pooled.region_code
        and rate.slice = pooled.slice
        and rate.period_type = pooled.period_type
        and rate.period_end = pooled.period_end
where rate.indicator_code in ('maternal_mortality_ratio', 'infant_mortality_rate')
    and rate.subject_type = 'region' and rate.subject_code = '{{ var("region", "440507") }}'
    and extract(year from rate.period_end) = {{ var("year", "2015") }}
order by rate.indicator_code
