-- Question 12. A prefecture's districts on the map of their own year and on another year's: what can be restated
-- exactly, and why the rest cannot. What was filed for the prefecture as a whole stands beside its districts: never add
-- the two.
select
    way.map_year,
    target.region_code,
    target.name_zh,
    target.level,
    case when bool_and(way.is_exact) then sum(disease.cases * way.share) end as cases,
    bool_and(way.is_exact) as is_exact,
    string_agg(distinct way.reason, ' ' order by way.reason) as reason
from {{ published(ref('fct_notifiable_disease')) }} as disease
inner join {{ published(ref('dim_region')) }} as own
    on disease.region_code = own.region_code
        and disease.period_end >= own.applies_from
        and disease.period_end < own.valid_to
inner join {{ published(ref('bridge_region_restatement')) }} as way
    on own.region_key = way.region_key
        and way.map_year in ({{ var("map_years", "2015, 2024") }})
left join {{ published(ref('dim_region')) }} as target
    on way.to_region_key = target.region_key
where '{{ var("prefecture", "320600") }}' in (own.parent_code, own.region_code) and not own.is_counted_inside
    and disease.period_start = date '{{ var("month", "2015-03-01") }}'
    and disease.disease_code = '{{ var("disease", "AB_TOTAL") }}'
group by way.map_year, target.region_code, target.name_zh, target.level
order by way.map_year, target.region_code
