-- Grain: one row per current report of form population_denominators and definition.
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
    coalesce(form.definition, '') as definition,
    form.source_version,
    form.population,
    form.population_65_plus,
    form.population_0_6
from {{ source('raw', 'population_denominators') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
