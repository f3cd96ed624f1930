-- Grain: one row per card of form child_death_card in its newest version.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.birth_time,
    form.death_time,
    form.sex,
    form.death_cause
from {{ source('raw', 'child_death_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('child_death_card', ['card_no']) }}
