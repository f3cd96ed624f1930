-- Grain: one row per card of form birth_defect_card in its newest version.
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
    form.defect_codes_1
from {{ source('raw', 'birth_defect_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('birth_defect_card', ['card_no']) }}
