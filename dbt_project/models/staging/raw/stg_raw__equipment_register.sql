-- Grain: one row per card of form equipment_register that counts.
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
    form.device_code,
    form.batch_count,
    form.device_name,
    form.origin,
    form.maker,
    form.model,
    form.purchase_date,
    form.new_or_used,
    {{ in_yuan('form.price', '千元') }} as price,
    form.design_life,
    form.status
from {{ source('raw', 'equipment_register') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where form.set_aside is null
