-- Grain: one row per report that is accepted or has fallen due. One that was only ever quarantined is neither: it
-- would come and go with the night that happens to look.
select
    report.report_id,
    report.form_code,
    report.part,
    report.subject_type,
    report.subject_code,
    coalesce(report.organization_key, revision.reporter_key, obligation.reporter_key, 0) as organization_key,
    coalesce(revision.reporter_key, obligation.reporter_key, report.organization_key, 0) as reporter_key,
    coalesce(report.region_code, case when report.subject_type = 'region' then report.subject_code end)
        as region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    revision.revision_id,
    revision.revision_no,
    revision.edition,
    revision.arrival_id,
    revision.received_at,
    revision.record_count,
    revision.value_count,
    revision.status
from {{ source('registry', 'report') }} as report
left join {{ source('registry', 'revision') }} as revision
    on report.current_revision_id = revision.revision_id
left join {{ source('registry', 'obligation') }} as obligation
    on report.report_id = obligation.report_id
where report.current_revision_id is not null or obligation.report_id is not null
