-- Grain: one row per report that has fallen due, with what fulfils it: the whole form, or all of its parts. The first
-- revision that was good enough counts: neither a later correction nor a copy sent again makes a report late.
select
    fulfilment.report_id,
    report.organization_key,
    fulfilment.reporter_key,
    fulfilment.form_code,
    report.part,
    fulfilment.subject_type,
    fulfilment.subject_code,
    report.region_code,
    fulfilment.period_type,
    fulfilment.period_start,
    fulfilment.period_end,
    fulfilment.due_on,
    fulfilment.grace_until,
    fulfilment.exempt_reason,
    fulfilment.revision_id,
    fulfilment.value_count,
    fulfilment.nonzero_count,
    fulfilment.first_accepted_at
from {{ source('registry', 'fulfilment') }} as fulfilment
inner join {{ ref('stg_registry__report') }} as report
    on fulfilment.report_id = report.report_id
