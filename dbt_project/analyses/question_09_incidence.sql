-- Question 9. Cases of classes A and B with and without COVID-19 and incidence per 100,000: of the bulletins, and of
-- the cards by the day of onset, of diagnosis and of the final audit; final, and provisional until a card is audited.
-- Incidence is the month's cases over the residents at the end of the year before; a year has twelve of them.
-- A card counts where the patient lives. Diseases that fct_disease_case does not tell of one person (those passed on
-- sexually) are in fct_disease_card_count alone: by month of diagnosis, the county that reported and no state of
-- audit. They are added by diagnosis, where all cards stand together; by onset and by audit they lack, and
-- lacks_sexually_transmitted says so.
with classed as (
    select
        disease.disease_code,
        disease.valid_from,
        disease.valid_to
    from {{ published(ref('dim_disease')) }} as disease
    where disease.disease_class in ('A', 'B')
),

bulletin as (
    select
        'bulletin' as counted_by,
        'published' as state,
        max(told.value) filter (where told.indicator_code = 'notifiable_ab_cases') as cases,
        -- Before 2020 there was none to leave out.
        max(told.value) filter (
            where told.indicator_code = case
                when date '{{ var("month", "2015-03-01") }}' < date '2020-01-01' then 'notifiable_ab_cases'
                else 'notifiable_ab_cases_ex_covid'
            end
        ) as cases_ex_covid,
        false as lacks_sexually_transmitted
    from {{ published(ref('mart_indicator')) }} as told
    where told.subject_type = 'region' and told.subject_code = '{{ var("region", "440507") }}'
        and told.slice = 'all'
        and told.period_type = 'month' and told.period_start = date '{{ var("month", "2015-03-01") }}'
),

card as (
    select
        day.counted_by,
        card.disease_code,
        card.cases,
        card.final_audit_date is not null as is_final
    from {{ published(ref('fct_disease_case')) }} as card
    cross join
        lateral (
            values
            ('cards by onset', card.onset_date),
            ('cards by diagnosis', card.diagnosis_date),
            ('cards by final audit', card.final_audit_date)
        ) as day (counted_by, happened_on)
    inner join classed
        on card.disease_code = classed.disease_code
            and day.happened_on >= classed.valid_from
            and day.happened_on < classed.valid_to
    where card.residence_county = '{{ var("region", "440507") }}'
        and date_trunc('month', day.happened_on) = date '{{ var("month", "2015-03-01") }}'
),

-- What is told of no single person: the cards of the month in diseases that have no row of their own.
told_in_sum as (
    select
        counted.disease_code,
        counted.cases
    from {{ published(ref('fct_disease_card_count')) }} as counted
    inner join classed
        on counted.disease_code = classed.disease_code
            and counted.month_start >= classed.valid_from
            and counted.month_start < classed.valid_to
    where counted.region_code = '{{ var("region", "440507") }}'
        and counted.month_start = date '{{ var("month", "2015-03-01") }}'
        and not exists (
            select from {{ published(ref('fct_disease_case')) }} as single
            where single.disease_code = counted.disease_code
        )
),

every as (
    select
        card.disease_code,
        card.cases
    from card
    where card.counted_by = 'cards by diagnosis'
    union all
    select
        told_in_sum.disease_code,
        told_in_sum.cases
    from told_in_sum
),

counted as (
    select
        bulletin.counted_by,
        bulletin.state,
        bulletin.cases,
        bulletin.cases_ex_covid,
        bulletin.lacks_sexually_transmitted
    from bulletin
    union all
    -- Provisional counts every card, final those that are audited.
    select
        card.counted_by,
        state.state,
        coalesce(sum(card.cases) filter (where card.is_final or state.state = 'provisional'), 0) as cases,
        coalesce(sum(card.cases) filter (
            where (card.is_final or state.state = 'provisional') and card.disease_code <> 'COVID19'
        ), 0) as cases_ex_covid,
        true as lacks_sexually_transmitted
    from card
    cross join (values ('provisional'), ('final')) as state (state)
    group by card.counted_by, state.state
    union all
    select
        'cards by diagnosis, all diseases' as counted_by,
        'provisional' as state,
        sum(every.cases) as cases,
        sum(every.cases) filter (where every.disease_code <> 'COVID19') as cases_ex_covid,
        false as lacks_sexually_transmitted
    from every
    having count(*) > 0
),

residents as (
    select max(people.population) as population
    from {{ published(ref('fct_population')) }} as people
    where people.region_code = '{{ var("region", "440507") }}' and people.definition = 'RESIDENT_END'
        and extract(year from people.period_end) = extract(year from date '{{ var("month", "2015-03-01") }}') - 1
)

select
    counted.counted_by,
    counted.state,
    counted.cases,
    counted.cases_ex_covid,
    round(counted.cases * 100000 / nullif(residents.population, 0), 2) as incidence,
    round(counted.cases_ex_covid * 100000 / nullif(residents.population, 0), 2) as incidence_ex_covid,
    residents.population as residents_of_year_before,
    counted.lacks_sexually_transmitted
from counted
cross join residents
order by counted.counted_by, counted.state
