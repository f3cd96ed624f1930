-- Grain: one row per unit and day on which something about it changed. Of several values of one attribute on one day
-- the greatest counts, and who is opened and closed on one day is open: whatever the order, as ingestion.unit_history.
-- noqa: disable=RF02
select
    event.organization_key,
    organization.organization_code,
    event.event_date,
    string_agg(event.event_type, ' ' order by event.event_type) as event_types,
    case
        when bool_or(event.event_type in ('open', 'reopen', 'split')) then 'open'
        when bool_or(event.event_type in ('close', 'merge')) then 'closed'
    end as operating_status,
    max(event.name_zh collate "C") as name_zh,
    max(event.uscc collate "C") as uscc,
    max(event.org_code_22 collate "C") as org_code_22,
    max(event.class_code collate "C") as class_code,
    max(event.second_class_code collate "C") as second_class_code,
    bool_or(event.is_counted_by_second_class) as is_counted_by_second_class,
    max(event.economic_type_code collate "C") as economic_type_code,
    max(event.sponsor_code collate "C") as sponsor_code,
    max(event.management_class_code collate "C") as management_class_code,
    max(event.level_code collate "C") as level_code,
    max(event.grade_code collate "C") as grade_code,
    max(event.region_code collate "C") as region_code,
    max(event.township_code collate "C") as township_code,
    bool_or(event.is_proxy_reporter) as is_proxy_reporter,
    bool_or(event.is_branch) as is_branch,
    max(event.related_organization_key) filter (where event.event_type = 'merge') as went_into_key,
    max(event.related_organization_key) filter (where event.event_type = 'split') as came_from_key
from {{ source('registry', 'organization_event') }} as event
inner join {{ source('registry', 'organization') }} as organization
    on event.organization_key = organization.organization_key
group by event.organization_key, organization.organization_code, event.event_date
