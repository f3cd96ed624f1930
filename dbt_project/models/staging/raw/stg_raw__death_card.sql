-- Grain: one row per card of form death_card in its newest version.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.death_time,
    form.sex,
    form.underlying_cause,
    form.place_of_death,
    form.deceased_age_band as age_band,
    form.deceased_township as township_code
from {{ source('raw', 'death_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('death_card', ['card_no']) }}
