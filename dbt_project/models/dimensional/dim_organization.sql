-- Grain: one row per unit and spell in which nothing about it changed.
{{ config(unique_key=['organization_key', 'organization_version_key'], meta={'scope': 'all'}) }}
-- noqa: disable=LT02
{%- set attributes = [
    'operating_status', 'name_zh', 'uscc', 'org_code_22', 'class_code', 'second_class_code', 'economic_type_code',
    'sponsor_code', 'management_class_code', 'level_code', 'grade_code', 'region_code', 'township_code',
    'is_proxy_reporter', 'is_branch'
] %}
with event as (
    select
        organization_key,
        organization_code,
        event_date,
        event_types,
        -- Numbers the spells of each attribute: it keeps its value until an event gives another.
        {%- for attribute in attributes %}
        {{ attribute }},
        count({{ attribute }}) over (partition by organization_key order by event_date) as {{ attribute }}_spell,
        {%- endfor %}
        row_number() over (partition by organization_key order by event_date) as version_no,
        lead(event_date, 1, date '9999-12-31')
            over (partition by organization_key order by event_date) as valid_to
    from {{ ref('stg_registry__organization_event') }}
),

version as (
    select
        organization_key,
        organization_code,
        event_date as valid_from,
        valid_to,
        version_no,
        event_types,
        {%- for attribute in attributes %}
        first_value({{ attribute }}) over (
            partition by organization_key, {{ attribute }}_spell order by event_date
        ) as {{ attribute }}{{ ',' if not loop.last }}
        {%- endfor %}
    from event
),

-- A report may name no reporter that the directory knows; facts then hang on this row.
unknown as (
    select distinct organization_key
    from {{ ref('stg_registry__report') }}
    where organization_key = 0
)

select
    version.organization_key,
    version.organization_key * 100000000::bigint + to_char(version.valid_from, 'YYYYMMDD')::bigint
        as organization_version_key,
    version.organization_code,
    version.valid_from,
    version.valid_to,
    case when version.version_no = 1 then date '0001-01-01' else version.valid_from end as applies_from,
    version.event_types,
    coalesce(version.operating_status, 'open') as operating_status,
    version.name_zh,
    version.uscc,
    version.org_code_22,
    version.class_code,
    version.second_class_code,
    coalesce(class.class_group, 'other') as class_group,
    version.economic_type_code,
    economic_type.ownership,
    version.sponsor_code as sponsor,
    version.management_class_code as management_class,
    version.level_code as level,
    version.grade_code as grade,
    version.region_code,
    version.township_code,
    coalesce(version.is_proxy_reporter, false) as is_proxy_reporter,
    coalesce(version.is_branch, false) as is_branch,
    {{ release_columns() }}
from version
left join lateral (
    select organization_class.class_group
    from {{ ref('organization_class') }} as organization_class
    where version.class_code like organization_class.class_prefix || '%'
    order by length(organization_class.class_prefix) desc
    limit 1
) as class on true
left join {{ ref('economic_type') }} as economic_type
    on version.economic_type_code = economic_type.economic_type_code
union all
select
    unknown.organization_key,
    0::bigint as organization_version_key,
    '' as organization_code,
    date '0001-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    date '0001-01-01' as applies_from,
    'unknown' as event_types,
    'open' as operating_status,
    '（未登记的填报单位）' as name_zh,
    null as uscc,
    null as org_code_22,
    null as class_code,
    null as second_class_code,
    'other' as class_group,
    null as economic_type_code,
    null as ownership,
    null as sponsor,
    null as management_class,
    null as level,
    null as grade,
    null as region_code,
    null as township_code,
    false as is_proxy_reporter,
    false as is_branch,
    {{ release_columns() }}
from unknown
