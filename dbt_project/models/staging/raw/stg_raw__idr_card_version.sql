-- Grain: one row per version of a card of form idr_card in the batches that count.
select
    report.report_id,
    report.received_at,
    form.record_no,
    form.card_no,
    form.card_category,
    form.case_class_1,
    form.disease_code
from {{ source('raw', 'idr_card') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where form.set_aside is null
