-- Grain: one row per report that is accepted or has fallen due.
{{
    config(
        unique_key=['report_id'],
        indexes=[{'columns': ['form_code', 'period_start']}],
        meta={'scope': 'report', 'open_indexes': [['period_start']]}
    )
}}
select
    report.report_id,
    report.form_code,
    form.name_zh as form_name_zh,
    report.part,
    report.subject_type,
    report.subject_code,
    report.organization_key,
    report.reporter_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    report.revision_id,
    report.revision_no,
    report.edition,
    report.received_at,
    arrival.file_name,
    report.record_count,
    report.value_count,
    coalesce(report.status, 'not_received') as status,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join {{ source('registry', 'arrival') }} as arrival
    on report.arrival_id = arrival.arrival_id
left join lateral (
    select definition.name_zh
    from {{ source('registry', 'form') }} as definition
    where definition.form_code = report.form_code
    order by definition.edition desc
    limit 1
) as form on true
where {{ in_scope('report') }}
