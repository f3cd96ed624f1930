-- Question 4. Between two releases: which rates moved, and was it the numerator or the denominator (a revised
-- population, estimated patients)?
-- Looks across releases: for a role that reads schema star (the owner).
with before as (
    select fact.* from {{ ref('fct_indicator') }} as fact
    where fact.release_from <= {{ var("release_before", 1) }} and fact.release_to > {{ var("release_before", 1) }}
),

after as (
    select fact.* from {{ ref('fct_indicator') }} as fact
    where fact.release_from <= {{ var("release_after", 2) }} and fact.release_to > {{ var("release_after", 2) }}
)

select
    after.indicator_code,
    after.subject_code,
    after.slice,
    after.period_type,
    after.period_start,
    before.value as value_before,
    after.value as value_after,
    before.denominator as denominator_before,
    after.denominator as denominator_after,
    case
        when before.numerator is not distinct from after.numerator then 'denominator'
        when before.denominator is not distinct from after.denominator then 'numerator'
        else 'both'
    end as moved_by
from before
inner join after
    on before.subject_type = after.subject_type
        and before.subject_code = after.subject_code
        and before.indicator_code = after.indicator_code
        and before.slice = after.slice
        and before.period_type = after.period_type
        and before.period_start = after.period_start
        and before.period_end = after.period_end
where after.subject_type = 'region' and after.denominator is not null
    and before.denominator is distinct from after.denominator
order by after.indicator_code, after.subject_code, after.slice, after.period_start
