-- Grain: one row per subject, period and measure that registers, records, tasks or the directory are counted for.
with year_in_scope as (
    select distinct
        date_trunc('year', report.period_start)::date as year_start,
        (date_trunc('year', report.period_start) + interval '1 year - 1 day')::date as year_end
    from {{ at_candidate(ref('dim_report')) }} as report
    where {{ changed_days('report.period_start') }} and report.period_type <> 'event'
),

-- Titles, each in its newest entry; of a unit's title its region is told, of a village's the township.
certificate as (
    select distinct on (register.subject_code, register.cert_type, register.valid_from)
        coalesce(organization.region_code, left(register.subject_code, 9)) as subject_code,
        register.subject_code as certified_code,
        case
            when register.cert_level = '1' and register.cert_type not like '%国家%' then '国家' || register.cert_type
            when register.cert_level = '2' and register.cert_type not like '%省%' then '省' || register.cert_type
            else register.cert_type
        end as label,
        register.valid_from,
        case when register.revoked then date '0001-01-01' else coalesce(register.valid_to, date '9999-12-31') end
            as valid_until
    from {{ source('raw', 'certification_register') }} as register
    inner join {{ ref('stg_registry__report') }} as report
        on register.revision_id = report.revision_id
    left join {{ at_candidate(ref('dim_organization')) }} as organization
        on register.subject_code = organization.organization_code
            and register.valid_from >= organization.applies_from
            and register.valid_from < organization.valid_to
    where register.set_aside is null and register.valid_from is not null
    order by
        register.subject_code asc, register.cert_type asc, register.valid_from asc, report.received_at desc nulls last,
        report.report_id desc
),

measure as (
    select distinct
        measure_no,
        form_code,
        field_code,
        breakdown
    from {{ ref('int_indicator_part') }}
),

counted as (
    select
        null::text as subject_type,
        null::text as subject_code,
        null::int as organization_key,
        null::text as form_code,
        null::text as field_code,
        null::text as breakdown,
        null::text as period_type,
        null::date as period_start,
        null::date as period_end,
        null::numeric as value,
        null::boolean as is_filed
    where false
    {{- record_values() }}
    {{- task_values() }}
    {{- certificate_values() }}
    {{- directory_values() }}
)

select
    counted.subject_type,
    counted.subject_code,
    counted.organization_key,
    counted.period_type,
    counted.period_start,
    counted.period_end,
    measure.measure_no,
    count(*)::int as given,
    sum(counted.value) as value,
    bool_or(counted.is_filed) as is_filed
from counted
inner join measure
    on counted.form_code = measure.form_code
        and counted.field_code = measure.field_code
        and counted.breakdown like measure.breakdown
group by
    counted.subject_type, counted.subject_code, counted.organization_key, counted.period_type, counted.period_start,
    counted.period_end, measure.measure_no
