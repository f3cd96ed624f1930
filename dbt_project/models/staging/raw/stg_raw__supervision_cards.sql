-- Grain: one row per card of form supervision_cards that counts.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.part,
    report.subject_code,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    report.received_at,
    form.record_no,
    form.source_sheet,
    form.source_row,
    form.unit_id,
    form.unit_name,
    form.specialty,
    form.inspection_date,
    form.result,
    form.violation,
    form.penalty,
    form.close_date,
    form.report_date
from {{ source('raw', 'supervision_cards') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('supervision_cards', ['unit_id', 'specialty', 'inspection_date']) }}
