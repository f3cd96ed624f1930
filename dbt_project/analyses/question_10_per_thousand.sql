-- Question 10. Doctors and nurses per 1,000 of residents and of registered people, and the edition of the population
-- table that each release used.
-- Looks across releases: schema released has every published version of a row.
with edition as (
    select
        population.definition,
        population.population,
        population.source_version,
        population.release_from,
        population.release_to
    from {{ released(ref('fct_population')) }} as population
    where population.region_code = '{{ var("region", "440507") }}'
        and extract(year from population.period_end) = {{ var("year", "2015") }}
)

select
    indicator.indicator_code,
    edition.definition,
    edition.source_version,
    edition.population,
    fact.numerator,
    fact.value,
    greatest(edition.release_from, fact.release_from) as release_from
from {{ released(ref('fct_indicator')) }} as fact
inner join (
    values
    ('doctors_per_1000', 'RESIDENT_END'),
    ('nurses_per_1000', 'RESIDENT_END'),
    ('doctors_per_1000_registered', 'REGISTERED_END'),
    ('nurses_per_1000_registered', 'REGISTERED_END')
) as indicator (indicator_code, definition)
    on fact.indicator_code = indicator.indicator_code
inner join edition
    on indicator.definition = edition.definition
        and fact.release_from < edition.release_to
        and fact.release_to > edition.release_from
where fact.subject_type = 'region' and fact.subject_code = '{{ var("region", "440507") }}' and fact.slice = 'all'
    and fact.period_type = 'year' and extract(year from fact.period_end) = {{ var("year", "2015") }}
order by indicator.indicator_code, release_from
