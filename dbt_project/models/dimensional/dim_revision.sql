-- Grain: one row per revision that a report has had: what counts and what counted before, but nothing from quarantine.
-- A value that an amendment left as it was goes on naming the revision that brought it.
{{
    config(
        unique_key=['revision_id'],
        indexes=[{'columns': ['report_id']}],
        meta={'scope': 'report'}
    )
}}
select
    revision.revision_id,
    report.report_id,
    revision.revision_no,
    revision.edition,
    revision.received_at,
    arrival.file_name,
    revision.record_count,
    revision.value_count,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
inner join {{ source('registry', 'revision') }} as revision
    on report.report_id = revision.report_id
left join {{ source('registry', 'arrival') }} as arrival
    on revision.arrival_id = arrival.arrival_id
where revision.status <> 'quarantined' and {{ in_scope('report') }}
