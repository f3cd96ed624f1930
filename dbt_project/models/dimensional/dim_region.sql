-- Grain: one row per region code and spell in which its name and territory stayed the same.
{{ config(unique_key=['region_code', 'valid_from'], meta={'scope': 'all'}) }}
with event as (
    select
        region_code,
        event_date,
        event_type,
        name_zh,
        level,
        parent_code,
        successor_code,
        note,
        -- A boundary change keeps the name: each attribute holds until an event gives another.
        count(name_zh) over (partition by region_code order by event_date) as name_spell,
        lead(event_date, 1, date '9999-12-31') over (partition by region_code order by event_date) as valid_to,
        lead(event_type) over (partition by region_code order by event_date) as next_event_type,
        lead(successor_code) over (partition by region_code order by event_date) as next_successor_code,
        row_number() over (partition by region_code order by event_date) as version_no
    from {{ ref('region_event') }}
),

version as (
    select
        event.*,
        first_value(event.name_zh) over spell as kept_name_zh,
        first_value(event.level) over spell as kept_level,
        first_value(event.parent_code) over spell as kept_parent_code
    from event
    window spell as (partition by event.region_code, event.name_spell order by event.event_date)
)

select
    version.region_code::bigint * 100000000 + to_char(version.event_date, 'YYYYMMDD')::bigint as region_key,
    version.region_code,
    version.event_date as valid_from,
    version.valid_to,
    version.kept_name_zh as name_zh,
    version.kept_level as level,
    version.kept_parent_code as parent_code,
    version.event_type,
    case when version.next_event_type = 'close' then version.next_successor_code end as successor_code,
    version.note,
    {{ release_columns() }}
from version
where version.event_type <> 'close'
union all
-- A code that reports or units carry and the seed does not know yet: named so, never dropped.
select
    -- With a date behind it a long code would not fit.
    case
        when length(known.region_code) <= 10 then known.region_code::bigint * 100000000 + 19000101
        else -known.region_code::bigint
    end as region_key,
    known.region_code,
    date '1900-01-01' as valid_from,
    date '9999-12-31' as valid_to,
    known.region_code || '（未登记的行政区划）' as name_zh,
    'unknown' as level,
    null as parent_code,
    'unknown' as event_type,
    null as successor_code,
    null as note,
    {{ release_columns() }}
from {{ ref('stg_registry__known_region') }} as known
where known.region_code ~ '^[0-9]{6,12}$'
    and not exists (
        select from {{ ref('region_event') }} as region_event
        where region_event.region_code = known.region_code
    )
