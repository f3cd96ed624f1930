-- Question 11. What the yearbook printed and what is known today: the release as published then beside the newest.
-- The reader may as well say `set warehouse.as_of_release = 1` and read any table as it was.
-- Looks across releases: schema released has every published version of a row.
select
    now.indicator_code,
    now.slice,
    printed.value as value_as_published,
    now.value as value_as_known,
    now.value - printed.value as difference
from {{ published(ref('fct_indicator')) }} as now
inner join {{ released(ref('fct_indicator')) }} as printed
    on now.subject_type = printed.subject_type
        and now.subject_code = printed.subject_code
        and now.indicator_code = printed.indicator_code
        and now.slice = printed.slice
        and now.period_type = printed.period_type
        and now.period_start = printed.period_start
        and now.period_end = printed.period_end
where printed.release_from <= {{ var("release_before", 1) }} and printed.release_to > {{ var("release_before", 1) }}
    and now.subject_type = 'region' and now.subject_code = '{{ var("region", "440507") }}'
    and now.period_type = 'year' and extract(year from now.period_end) = {{ var("year", "2015") }}
    and now.value is distinct from printed.value
order by now.indicator_code, now.slice
