-- Grain: one row per region code, day and kind of change, as the site folder has it.
select
    own.region_code,
    own.event_date,
    'day' as date_basis,
    own.statistics_from,
    own.event_type,
    own.name_zh,
    own.level,
    coalesce(own.region_type, case when own.level is not null then 'administrative' end) as region_type,
    case
        when own.level is null or own.parent_code is not null then own.parent_code
        when own.level = 'township' then left(own.region_code, 6)
        when own.level = 'county' then left(own.region_code, 4) || '00'
        when own.level = 'prefecture' then left(own.region_code, 2) || '0000'
        else '000000'
    end as parent_code,
    own.inside_code,
    own.is_counted_inside,
    own.note
from {{ source('registry', 'region_event') }} as own
