-- Grain: one row per vaccine, dose and birth cohort to which one schedule applies.
{{ config(unique_key=['vaccine_code', 'dose_no', 'born_from'], meta={'scope': 'all'}) }}
with cohort as (
    select
        vaccine_schedule.vaccine_code,
        vaccine_schedule.dose_no,
        coalesce(vaccine_schedule.born_from, date '0001-01-01') as born_from,
        coalesce(vaccine_schedule.born_to, date '9999-12-31') as born_to,
        vaccine_schedule.schedule,
        vaccine_schedule.name_zh,
        vaccine_schedule.due_months,
        vaccine_schedule.age_zh,
        vaccine_schedule.sex,
        vaccine_schedule.alternative_to,
        vaccine_schedule.basis,
        coalesce(
            vaccine_schedule.due_from,
            (vaccine_schedule.born_from + make_interval(months => vaccine_schedule.due_months))::date,
            date '0001-01-01'
        ) as due_from,
        coalesce(
            (vaccine_schedule.born_to + make_interval(months => vaccine_schedule.due_months))::date,
            date '9999-12-31'
        ) as due_to
    from {{ ref('vaccine_schedule') }} as vaccine_schedule
)

select
    cohort.vaccine_code || ':' || cohort.dose_no || ':' || to_char(cohort.born_from, 'YYYYMMDD') as vaccine_dose_key,
    cohort.vaccine_code,
    cohort.dose_no,
    cohort.born_from,
    cohort.born_to,
    cohort.schedule,
    cohort.name_zh,
    cohort.due_months,
    cohort.age_zh,
    cohort.sex,
    cohort.alternative_to,
    cohort.basis,
    cohort.due_from,
    cohort.due_to,
    -- Who is not vaccinated when due stays due: a dose counts in a schedule until the next one has somebody due.
    coalesce(lead(cohort.due_from) over by_dose, date '9999-12-31') as counts_to,
    greatest(
        cohort.due_from,
        max(cohort.due_to) over (by_dose rows between unbounded preceding and 1 preceding)
    ) as alone_from,
    {{ release_columns() }}
from cohort
window by_dose as (partition by cohort.vaccine_code, cohort.dose_no order by cohort.born_from)
