-- Grain: one row per report that has fallen due.
select
    report.report_id,
    report.organization_key,
    obligation.reporter_key,
    report.form_code,
    report.part,
    report.subject_type,
    report.subject_code,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    obligation.due_on,
    obligation.exempt_reason,
    report.revision_id,
    report.value_count,
    -- The first revision that was good enough counts: a later correction does not make a report late. Whether it
    -- ever was, only its history tells: a mended quarantine ends as superseded, too.
    (
        select min(revision.received_at)
        from {{ source('registry', 'revision') }} as revision
        where revision.report_id = obligation.report_id
            and revision.status <> 'withdrawn'
            and exists (
                select from {{ source('registry', 'revision_status') }} as transition
                where transition.revision_id = revision.revision_id
                    and transition.status in ('accepted', 'accepted_with_warnings')
            )
    ) as first_accepted_at
from {{ source('registry', 'obligation') }} as obligation
inner join {{ ref('stg_registry__report') }} as report
    on obligation.report_id = report.report_id
