-- Grain: one row per card of form birth_card in its newest version.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.birth_time,
    form.sex,
    form.gestational_weeks,
    form.birth_weight,
    form.place,
    form.mother_age_band,
    form.mother_township as township_code
from {{ source('raw', 'birth_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('birth_card', ['card_no']) }}
