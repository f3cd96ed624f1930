-- Grain: one row per unit and day on which something about it changed.
select
    event.organization_key,
    organization.organization_code,
    event.event_date,
    string_agg(event.event_type, ' ' order by event.event_type) as event_types,
    case
        when bool_or(event.event_type in ('open', 'reopen')) then 'open'
        when bool_or(event.event_type = 'close') then 'closed'
    end as operating_status,
    max(event.name_zh) as name_zh,
    max(event.uscc) as uscc,
    max(event.org_code_22) as org_code_22,
    max(event.class_code) as class_code,
    max(event.second_class_code) as second_class_code,
    max(event.economic_type_code) as economic_type_code,
    max(event.sponsor_code) as sponsor_code,
    max(event.management_class_code) as management_class_code,
    max(event.level_code) as level_code,
    max(event.grade_code) as grade_code,
    max(event.region_code) as region_code,
    max(event.township_code) as township_code,
    bool_or(event.is_proxy_reporter) as is_proxy_reporter,
    bool_or(event.is_branch) as is_branch
from {{ source('registry', 'organization_event') }} as event
inner join {{ source('registry', 'organization') }} as organization
    on event.organization_key = organization.organization_key
group by event.organization_key, organization.organization_code, event.event_date
