-- Grain: one row per report that has fallen due.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['form_code', 'period_start']}, {'columns': ['report_id']}],
        meta={'scope': 'report'}
    )
}}
with obligation as (
    select
        timeliness.*,
        (timeliness.first_accepted_at at time zone '{{ local_timezone() }}')::date as received_on
    from {{ ref('stg_registry__timeliness') }} as timeliness
    where {{ in_scope('timeliness') }}
)

select
    obligation.reporter_key as organization_key,
    obligation.report_id,
    obligation.form_code,
    obligation.subject_type,
    obligation.subject_code,
    coalesce(obligation.region_code, organization.region_code) as region_code,
    obligation.period_type,
    obligation.period_start,
    obligation.period_end,
    obligation.due_on,
    case when obligation.revision_id is not null then obligation.first_accepted_at end as received_at,
    case
        when obligation.revision_id is not null
            then greatest(obligation.received_on - coalesce(obligation.grace_until, obligation.due_on), 0)
    end as days_late,
    case
        when obligation.exempt_reason is not null then 'exempt'
        when obligation.revision_id is null then 'missing'
        when obligation.value_count = 0 or obligation.nonzero_count = 0 then 'empty'
        when obligation.received_on > coalesce(obligation.grace_until, obligation.due_on) then 'late'
        else 'on_time'
    end as status,
    obligation.exempt_reason,
    {{ release_columns() }}
from obligation
{{ organization_at('organization', 'obligation.organization_key', 'obligation.period_end') }}
