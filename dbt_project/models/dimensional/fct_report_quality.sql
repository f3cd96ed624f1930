-- Grain: one row per report that is accepted or has fallen due: how often it came, what was wrong, what it lacks.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'form_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report'}
    )
}}
-- depends_on: {{ ref('required_item') }}
with submitted as (
    select
        submission.report_id,
        count(*) as submissions,
        count(*) filter (where submission.is_returned) as submissions_returned,
        count(*) filter (where submission.is_accepted) as submissions_accepted,
        sum(submission.cells)::bigint as cells_checked,
        sum(submission.failed_checks)::bigint as checks_failed
    from {{ ref('stg_registry__submission') }} as submission
    where {{ in_scope('submission') }}
    group by submission.report_id
),

filled as (
    {{ filled_items() }}
)

select
    report.reporter_key as organization_key,
    report.report_id,
    report.form_code,
    coalesce(report.region_code, organization.region_code) as region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    coalesce(submitted.submissions, 0) as submissions,
    coalesce(submitted.submissions_returned, 0) as submissions_returned,
    coalesce(submitted.submissions_accepted, 0) as submissions_accepted,
    coalesce(submitted.cells_checked, 0) as cells_checked,
    coalesce(submitted.checks_failed, 0) as checks_failed,
    coalesce(filled.items_required, 0) as items_required,
    coalesce(filled.items_filled, 0) as items_filled,
    coalesce(filled.cards, 0) as cards,
    coalesce(filled.cards_complete, 0) as cards_complete,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join submitted
    on report.report_id = submitted.report_id
left join filled
    on report.report_id = filled.report_id
{{ organization_at('organization', 'report.organization_key', 'report.period_end') }}
where {{ in_scope('report') }}
