-- Grain: one row per region code and spell in which its name and territory stayed the same.
{{
    config(
        unique_key=['region_code', 'valid_from'],
        meta={
            'scope': 'all',
            'spells': {'of': 'region_code', 'without_gap': true, 'lapses': 'lapses_until'}
        },
        post_hook="{{ spells_meet() }}"
    )
}}
select
    version.region_key,
    version.region_code,
    version.valid_from,
    version.valid_to,
    version.applies_from,
    version.legal_from,
    version.name_zh,
    version.level,
    version.region_type,
    version.parent_code,
    case when version.level = 'township' then left(version.region_code, 6) end as county_code,
    case when version.level in ('township', 'county') then left(version.region_code, 4) || '00' end
        as prefecture_code,
    case when version.level in ('township', 'county', 'prefecture') then left(version.region_code, 2) || '0000' end
        as province_code,
    version.inside_code,
    coalesce(version.is_counted_inside, false) as is_counted_inside,
    version.event_type,
    version.date_basis,
    case when version.is_ending then successor.region_code end as successor_code,
    max(version.identity_no) over (partition by version.region_code) > 1 as is_code_reused,
    case when version.is_ending then version.next_from end as lapses_until,
    version.note,
    {{ release_columns() }}
from {{ region_versions() }} as version
left join lateral (
    select max(change.to_code) as region_code
    from {{ region_changes() }} as change
    where change.from_code = version.region_code and change.change_date = version.legal_to
    having count(*) = 1
) as successor on true
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
    date '1900-01-01' as applies_from,
    date '1900-01-01' as legal_from,
    known.region_code || '（未登记的行政区划）' as name_zh,
    'unknown' as level,
    'unknown' as region_type,
    null as parent_code,
    null as county_code,
    null as prefecture_code,
    null as province_code,
    null as inside_code,
    false as is_counted_inside,
    'unknown' as event_type,
    'unknown' as date_basis,
    null as successor_code,
    false as is_code_reused,
    null as lapses_until,
    null as note,
    {{ release_columns() }}
from {{ ref('stg_registry__known_region') }} as known
where known.region_code ~ '^[0-9]{6,12}$'
    and not exists (
        select from {{ region_events() }} as event
        where event.region_code = known.region_code
    )
