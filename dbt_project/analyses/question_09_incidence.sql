-- Question 9. Class A and B cases with and without COVID-19 from the bulletins; and of the cards by the day of onset,
-- of diagnosis and of the final audit. A month counted by onset goes on moving until the last card of it is audited.
with bulletin as (
    select
        'bulletin' as counted_by,
        max(told.value) filter (where told.indicator_code = 'notifiable_ab_cases') as cases,
        -- Before 2020 there was none to leave out.
        max(told.value) filter (
            where told.indicator_code = case
                when date '{{ var("month", "2015-03-01") }}' < date '2020-01-01' then 'notifiable_ab_cases'
                else 'notifiable_ab_cases_ex_covid'
            end
        ) as cases_ex_covid
    from {{ published(ref('mart_indicator')) }} as told
    where told.subject_type = 'region' and told.subject_code = '{{ var("region", "440507") }}'
        and told.period_type = 'month' and told.period_start = date '{{ var("month", "2015-03-01") }}'
),

card as (
    select
        day.counted_by,
        count(*) as cases,
        count(*) filter (where card.disease_code <> 'COVID19') as cases_ex_covid
    from {{ published(ref('fct_disease_case')) }} as card
    cross join
        lateral (
            values
            ('cards by onset', card.onset_date),
            ('cards by diagnosis', card.diagnosis_date),
            ('cards by final audit', card.final_audit_date)
        ) as day (counted_by, happened_on)
    where card.region_code = '{{ var("region", "440507") }}' and not coalesce(card.is_deleted, false)
        and date_trunc('month', day.happened_on) = date '{{ var("month", "2015-03-01") }}'
    group by day.counted_by
)

select
    counted_by,
    cases,
    cases_ex_covid
from bulletin
union all
select
    counted_by,
    cases,
    cases_ex_covid
from card
order by counted_by
