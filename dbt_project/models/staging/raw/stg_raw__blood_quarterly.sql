-- Grain: one row per current report of form blood_quarterly.
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
    form.donations,
    form.units_collected,
    form.units_supplied,
    form.nat_tested,
    form.discarded
from {{ source('raw', 'blood_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
