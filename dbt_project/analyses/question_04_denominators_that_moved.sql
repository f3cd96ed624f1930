-- Question 4. Between two releases: which rates moved, and was it the numerator or the denominator (a revised
-- population, estimated patients)?
-- Looks across releases: schema released has every published version of a row.
with earlier as (
    select fact.* from {{ released(ref('fct_indicator')) }} as fact
    where fact.release_from <= {{ var("release_before", 1) }} and fact.release_to > {{ var("release_before", 1) }}
),

later as (
    select fact.* from {{ released(ref('fct_indicator')) }} as fact
    where fact.release_from <= {{ var("release_after", 2) }} and fact.release_to > {{ var("release_after", 2) }}
)

select
    later.indicator_code,
    later.subject_code,
    later.slice,
    later.period_type,
    later.period_start,
    earlier.value as value_before,
    later.value as value_after,
    earlier.denominator as denominator_before,
    later.denominator as denominator_after,
    case
        when (earlier.numerator is distinct from later.numerator) then 'both'
        else 'denominator'
    end as moved_by
from earlier
inner join later
    on earlier.subject_type = later.subject_type
        and earlier.subject_code = later.subject_code
        and earlier.indicator_code = later.indicator_code
        and earlier.slice = later.slice
        and earlier.period_type = later.period_type
        and earlier.period_start = later.period_start
        and earlier.period_end = later.period_end
where later.subject_type = 'region' and later.denominator is not null
    and earlier.denominator is distinct from later.denominator
order by later.indicator_code, later.subject_code, later.slice, later.period_start
