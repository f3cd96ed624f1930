-- Question 11. What the yearbook printed and what is known today: the release as published then beside the newest, also
-- where there was no value then, or is none today (status says why).
-- The reader may as well say `set warehouse.as_of_release = 1` and read any table as it was.
-- Looks across releases: schema released has every published version of a row.
with printed as (
    select fact.*
    from {{ released(ref('fct_indicator')) }} as fact
    where fact.release_from <= {{ var("release_before", 1) }} and fact.release_to > {{ var("release_before", 1) }}
        and fact.subject_type = 'region' and fact.subject_code = '{{ var("region", "440507") }}'
        and fact.period_type = 'year' and extract(year from fact.period_end) = {{ var("year", "2015") }}
),

known as (
    select fact.*
    from {{ published(ref('fct_indicator')) }} as fact
    where fact.subject_type = 'region' and fact.subject_code = '{{ var("region", "440507") }}'
        and fact.period_type = 'year' and extract(year from fact.period_end) = {{ var("year", "2015") }}
)

select
    coalesce(known.indicator_code, printed.indicator_code) as indicator_code,
    coalesce(known.slice, printed.slice) as slice,
    printed.value as value_as_published,
    known.value as value_as_known,
    known.value - printed.value as difference,
    printed.status as status_as_published,
    known.status as status_as_known
from known
full join printed
    on known.indicator_code = printed.indicator_code
        and known.slice = printed.slice
        and known.period_start = printed.period_start
        and known.period_end = printed.period_end
where known.value is distinct from printed.value
order by indicator_code, slice
