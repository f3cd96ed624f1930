-- Grain: one row per current report of form toilet_quarterly.
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
    form.households,
    form.toilets_cum,
    form.toilets_harmless_cum,
    form.toilets_new,
    form.toilets_removed,
    form.sanitary_villages,
    form.population_in_sanitary_villages
from {{ source('raw', 'toilet_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
