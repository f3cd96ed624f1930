-- Grain: one row per vaccine, dose and birth cohort to which one schedule applies.
{{ config(unique_key=['vaccine_code', 'dose_no', 'born_from'], meta={'scope': 'all'}) }}
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
    {{ release_columns() }}
from {{ ref('vaccine_schedule') }} as vaccine_schedule
