-- Grain: one row per region version, year of the map and region on that map to which its facts go.
{{ config(unique_key=['region_key', 'map_year', 'to_region_key'], meta={'scope': 'all'}) }}
-- noqa: disable=LT02
with recursive version as materialized (
    select region_version.* from {{ region_versions() }} as region_version
),

lineage as materialized (
    select change.* from {{ region_lineage() }} as change
),

-- Every version that comes of a version, and every one that it came of, over any number of changes.
after as (
    select
        lineage.from_key as region_key,
        lineage.to_key,
        lineage.share,
        1 as steps
    from lineage
    union all
    select
        after.region_key,
        lineage.to_key,
        after.share * lineage.share as share,
        after.steps + 1 as steps
    from after
    inner join lineage on after.to_key = lineage.from_key
    where after.steps < 20
),

before as (
    select
        lineage.to_key as region_key,
        lineage.from_key as to_key,
        lineage.back_share as share,
        1 as steps
    from lineage
    union all
    select
        before.region_key,
        lineage.from_key as to_key,
        before.share * lineage.back_share as share,
        before.steps + 1 as steps
    from before
    inner join lineage on before.to_key = lineage.to_key
    where before.steps < 20
),

-- Several ways to one region are one way, whose share is known only if each is.
way as (
    select
        region_key,
        to_key,
        'forward' as direction,
        case when count(*) = count(share) then sum(share) end as share
    from after
    group by region_key, to_key
    union all
    select
        region_key,
        to_key,
        'backward' as direction,
        case when count(*) = count(share) then sum(share) end as share
    from before
    group by region_key, to_key
    union all
    select
        region_key,
        region_key as to_key,
        'same' as direction,
        1 as share
    from version
),

-- A sum on the other map is right only if each region of the same time that has a part in it goes there whole.
judged as (
    select
        way.region_key,
        way.to_key,
        way.direction,
        way.share,
        bool_and(coalesce(other_way.share = 1, false)) as is_exact
    from way
    inner join version on way.region_key = version.region_key
    inner join way as other_way on way.to_key = other_way.to_key and way.direction = other_way.direction
    inner join version as other
        on other_way.region_key = other.region_key
            and version.valid_from < other.valid_to
            and version.valid_to > other.valid_from
    group by way.region_key, way.to_key, way.direction, way.share
),

placed as (
    select
        judged.*,
        map_year.year as map_year
    from judged
    inner join version as target on judged.to_key = target.region_key
    inner join generate_series(2000, 2040) as map_year (year)
        on target.valid_from <= make_date(map_year.year, 12, 31)
            and target.valid_to > make_date(map_year.year, 12, 31)
)

select
    placed.region_key,
    placed.map_year,
    placed.to_key as to_region_key,
    placed.direction,
    placed.share,
    placed.is_exact,
    case
        when placed.is_exact then null
        when placed.share = 1 then 'others_in_part'
        when placed.direction = 'forward' then 'split'
        else 'merged'
    end as reason,
    {{ release_columns() }}
from placed
union all
-- No way leads there: the region was not yet, or no longer, and the events do not say of what or into what.
select
    version.region_key,
    map_year.year as map_year,
    0 as to_region_key,
    'none' as direction,
    null as share,
    false as is_exact,
    'no_lineage' as reason,
    {{ release_columns() }}
from version
cross join generate_series(2000, 2040) as map_year (year)
where not exists (
    select from placed
    where placed.region_key = version.region_key and placed.map_year = map_year.year
)
