-- Grain: one row per card of form certification_register that counts.
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
    form.subject_type as certified_type,
    form.subject_code as certified_code,
    form.cert_type,
    form.cert_level,
    form.document_no,
    form.valid_from,
    form.valid_to,
    form.revoked,
    form.population_benefit
from {{ source('raw', 'certification_register') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where {{ is_newest_card('certification_register', ['subject_code', 'cert_type', 'valid_from']) }}
