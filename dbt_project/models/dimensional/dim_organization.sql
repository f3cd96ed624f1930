-- Grain: one row per unit and spell in which nothing about it changed.
{{
    config(
        unique_key=['organization_key', 'organization_version_key'],
        meta={
            'scope': 'all',
            'spells': {'of': 'organization_key', 'without_gap': true, 'first': "s.applies_from = '0001-01-01'"}
        },
        post_hook="{{ spells_meet() }}"
    )
}}
-- noqa: disable=LT02
{%- set attributes = [
    'operating_status', 'name_zh', 'uscc', 'org_code_22', 'class_code', 'second_class_code',
    'is_counted_by_second_class', 'economic_type_code', 'sponsor_code', 'management_class_code', 'level_code',
    'grade_code', 'region_code', 'township_code', 'is_proxy_reporter', 'is_branch'
] %}
with event as (
    select
        organization_key,
        organization_code,
        event_date,
        event_types,
        came_from_key,
        went_into_key,
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
        came_from_key,
        went_into_key,
        {%- for attribute in attributes %}
        first_value({{ attribute }}) over (
            partition by organization_key, {{ attribute }}_spell order by event_date
        ) as {{ attribute }}{{ ',' if not loop.last }}
        {%- endfor %}
    from event
),

-- Every class code that units have, also one that the standard does not know: by its longest known beginning.
class as (
    select
        used.class_code,
        institution_class.name_zh,
        super_group.class_group
    from (
        select class_code from version
        where class_code is not null
        union
        select second_class_code from version
        where second_class_code is not null
    ) as used
    left join {{ ref('institution_class') }} as institution_class on used.class_code = institution_class.class_code
    left join lateral (
        select organization_class.class_group
        from {{ ref('organization_class') }} as organization_class
        where used.class_code like organization_class.class_prefix || '%'
        order by length(organization_class.class_prefix) desc
        limit 1
    ) as super_group on true
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
    class.name_zh as class_name_zh,
    version.second_class_code,
    coalesce(version.is_counted_by_second_class and version.second_class_code is not null, false)
        as is_counted_by_second_class,
    coalesce(
        case when version.is_counted_by_second_class then second_class.class_group end, class.class_group, 'other'
    ) as class_group,
    coalesce(class.class_group, 'other') as registered_class_group,
    second_class.class_group as second_class_group,
    version.economic_type_code,
    economic_type.name_zh as economic_type_zh,
    economic_type.ownership,
    case economic_type.ownership when 'public' then '公立' when 'private' then '民营' end as ownership_zh,
    version.sponsor_code as sponsor,
    sponsor.sponsor_group,
    sponsor.name_zh as sponsor_zh,
    version.management_class_code as management_class,
    case version.management_class_code when '1' then 'nonprofit' when '2' then 'profit' when '9' then 'other' end
        as profit_status,
    case version.management_class_code when '1' then '非营利' when '2' then '营利' when '9' then '其他' end
        as profit_status_zh,
    version.level_code as level,
    case version.level_code when '1' then '一级' when '2' then '二级' when '3' then '三级' when '9' then '未定级' end
        as level_zh,
    version.grade_code as grade,
    case version.grade_code
        when '1' then '特等' when '2' then '甲等' when '3' then '乙等' when '4' then '丙等' when '9' then '未评等'
    end as grade_zh,
    version.region_code,
    version.township_code,
    coalesce(version.is_proxy_reporter, false) as is_proxy_reporter,
    coalesce(version.is_branch, false) as is_branch,
    version.came_from_key,
    version.went_into_key,
    {{ release_columns() }}
from version
left join class on version.class_code = class.class_code
left join class as second_class on version.second_class_code = second_class.class_code
left join {{ ref('economic_type') }} as economic_type
    on version.economic_type_code = economic_type.economic_type_code
left join {{ ref('sponsor') }} as sponsor
    on version.sponsor_code = sponsor.sponsor_code
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
    null as class_name_zh,
    null as second_class_code,
    false as is_counted_by_second_class,
    'other' as class_group,
    'other' as registered_class_group,
    null as second_class_group,
    null as economic_type_code,
    null as economic_type_zh,
    null as ownership,
    null as ownership_zh,
    null as sponsor,
    null as sponsor_group,
    null as sponsor_zh,
    null as management_class,
    null as profit_status,
    null as profit_status_zh,
    null as level,
    null as level_zh,
    null as grade,
    null as grade_zh,
    null as region_code,
    null as township_code,
    false as is_proxy_reporter,
    false as is_branch,
    null as came_from_key,
    null as went_into_key,
    {{ release_columns() }}
from unknown
