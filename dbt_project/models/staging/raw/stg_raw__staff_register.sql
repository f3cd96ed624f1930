-- Grain: one row per card of form staff_register that counts.
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
    form.person_age_band as age_band,
    form.sex,
    form.profession_class,
    form.practice_category,
    form.multi_site,
    form.title_appointed,
    form.education,
    form.post_type,
    form.gp_registered,
    form.gp_cert,
    form.village_posting,
    form.move_type
from {{ source('raw', 'staff_register') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
where form.set_aside is null
