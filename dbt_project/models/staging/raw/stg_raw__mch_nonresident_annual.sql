-- Grain: one row per current report of form mch_nonresident_annual.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.live_births_nonresident,
    form.women_nonresident,
    form.systematic_nonresident,
    form.hospital_delivery_nonresident,
    form.maternal_deaths_nonresident,
    form.infant_deaths_nonresident,
    form.under5_deaths_nonresident
from {{ source('raw', 'mch_nonresident_annual') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
