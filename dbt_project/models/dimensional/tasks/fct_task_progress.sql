-- Grain: one row per responsible unit, quarter and task.
{{
    config(
        unique_key=['organization_key', 'report_id', 'task_code'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['task_progress'], 'also': 'later_quarters'}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.task_code,
    stg.indicator_code as reported_indicator_code,
    stg.plan_document,
    stg.task_region_code,
    stg.target_op,
    stg.unit,
    stg.soft_flag as is_best_effort,
    stg.status,
    {{ is_restated(['done_cumulative', 'audited_value']) }} as is_restated,
    stg.amendment_reason,
    stg.evidence,
    {{ of_the_quarter('done_cumulative') }} as done_of_quarter,
    {{ of_the_quarter('audited_value') }} as audited_of_quarter,
    stg.done_cumulative,
    stg.audited_value,
    stg.target_value,
    stg.denominator,
    {{ release_columns() }}
from {{ ref('stg_raw__task_progress') }} as stg
{{ quarter_before(ref('stg_raw__task_progress'), ['task_code']) }}
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
