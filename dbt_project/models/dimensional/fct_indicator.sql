-- Grain: one row per indicator, region or institution, slice and period, with its numerator and denominator.
{{
    config(
        unique_key=[
            'subject_type', 'subject_code', 'indicator_code', 'slice', 'period_type', 'period_start', 'period_end'
        ],
        indexes=[
            {'columns': ['period_start', 'period_type']},
            {'columns': ['indicator_code', 'subject_code', 'period_start']}
        ],
        meta={'scope': 'period'}
    )
}}
{#- PostgreSQL expects more groups than there are, and would sort what it had better hash. -#}
{{ config(sql_header='set local enable_sort = off;') }}
-- Slices by beds, which few indicators ask for.
with recursive unit_beds as (
    select distinct on (value.subject_code, value.period_end)
        value.subject_code,
        extract(year from value.period_end) as year,
        value.value as beds
    from {{ at_candidate(ref('fct_reported_value')) }} as value
    inner join {{ at_candidate(ref('dim_report')) }} as report
        on value.report_id = report.report_id
    where value.form_code = 'inst_annual_hospital' and value.field_code = 'beds_actual' and value.value is not null
        and {{ changed_days('value.period_start') }}
    order by
        value.subject_code asc, value.period_end asc, report.received_at desc nulls last, report.report_id desc,
        value.value desc
),

-- What a region gets comes from its units, from units by township, from its own report, or from a register. A unit
-- counts for its region in every slice that it belongs to, and for its township; a region counts in slices of regions.
of_unit as (
    select
        unit.*,
        unit.region_code as place_code,
        case
            when unit.subject_type = 'organization' then 'unit'
            when unit.is_filed then 'filed'
            else 'listed'
        end as kind,
        in_slice.slice as in_slice
    from {{ ref('int_indicator_unit') }} as unit
    cross join lateral unnest(unit.in_slices) as in_slice (slice)
    where unit.region_code is not null
    union all
    select
        unit.*,
        unit.township_code as place_code,
        'township' as kind,
        'all' as in_slice
    from {{ ref('int_indicator_unit') }} as unit
    where unit.township_code is not null and 'all' = any(unit.in_slices)
    union all
    select
        unit.*,
        unit.region_code as place_code,
        case when unit.is_filed then 'filed' else 'listed' end as kind,
        slice.slice as in_slice
    from {{ ref('int_indicator_unit') }} as unit
    inner join {{ ref('slice') }} as slice
        on unit.region_code ~ slice.region_pattern
    where unit.subject_type = 'region' and unit.slice = 'all'
        and (unit.recipe_no, slice.slice) in (
            select
                asked_slice.recipe_no,
                unnest(array[asked_slice.numerator_slice, asked_slice.denominator_slice]) as slice
            from {{ ref('int_indicator_slice') }} as asked_slice
        )
    union all
    select
        unit.*,
        unit.region_code as place_code,
        'unit' as kind,
        slice.slice as in_slice
    from {{ ref('int_indicator_unit') }} as unit
    cross join lateral unnest(unit.slices_by_beds) as by_beds (slice)
    inner join {{ ref('slice') }} as slice
        on by_beds.slice = slice.slice
    inner join unit_beds
        on unit.subject_code = unit_beds.subject_code
            and extract(year from unit.base_end) = unit_beds.year
            and unit_beds.beds between slice.beds_from and slice.beds_to
    where unit.slices_by_beds is not null and unit.subject_type = 'organization' and unit.region_code is not null
),

region_part as (
    select
        of_unit.place_code as region_code,
        of_unit.kind,
        of_unit.in_slice as slice,
        of_unit.recipe_no,
        of_unit.base_start,
        of_unit.base_end,
        of_unit.base_type,
        recipe.is_minimum,
        count(*) filter (where of_unit.is_numerator_due) as reports_expected,
        count(of_unit.numerator) filter (where not of_unit.is_half) as reports_counted,
        case
            when recipe.is_minimum then min(of_unit.numerator) filter (where not of_unit.is_half)
            else sum(of_unit.numerator) filter (where not of_unit.is_half)
        end as numerator,
        sum(of_unit.denominator) filter (where not of_unit.is_half) as denominator
    from of_unit
    inner join {{ ref('int_indicator_recipe') }} as recipe
        on of_unit.recipe_no = recipe.recipe_no
    group by
        of_unit.place_code, of_unit.kind, of_unit.in_slice, of_unit.recipe_no, of_unit.base_start, of_unit.base_end,
        of_unit.base_type, recipe.is_minimum
),

-- Each region and what it lies in at the period's end: county, prefecture, province, as the directory names them. Of a
-- region that no list has then, its code says it. A functional area that its district counts already goes no further.
region_above as (
    select
        place.region_code,
        place.base_end,
        place.region_code as above_code,
        0 as steps,
        place.region_code as child_code
    from (
        select distinct
            region_code,
            base_end
        from region_part
    ) as place
    union all
    select
        below.region_code,
        below.base_end,
        superior.region_code as above_code,
        below.steps + 1 as steps,
        below.above_code as child_code
    from region_above as below
    left join {{ at_candidate(ref('dim_region')) }} as spell
        on below.above_code = spell.region_code
            and below.base_end >= spell.applies_from
            and below.base_end < spell.valid_to
    cross join
        lateral (
            values (coalesce(spell.parent_code, {{ superior_by_code('below.above_code') }}))
        ) as superior (region_code)
    where superior.region_code <> '000000' and not coalesce(spell.is_counted_inside, false) and below.steps < 6
),

-- Each part on its way up, and what the regions on the way file for themselves.
climbing as (
    select
        part.*,
        region_above.above_code,
        region_above.steps,
        region_above.child_code,
        bool_or(part.kind = 'filed' and region_above.steps = 0 and part.numerator is not null) over above
            as is_numerator_filed,
        bool_or(part.kind = 'filed' and region_above.steps = 0 and part.denominator is not null) over above
            as is_denominator_filed
    from region_part as part
    inner join region_above
        on part.region_code = region_above.region_code
            and part.base_end = region_above.base_end
            and (region_above.steps = 0 or part.kind <> 'township')
    where region_above.above_code in (
            select region.region_code from {{ at_candidate(ref('dim_region')) }} as region
        )
    window above as (
        partition by region_above.above_code, part.recipe_no, part.base_type, part.base_start
    )
),

-- What a region files for itself stands for all below it: the first such report on the way up stops what comes from
-- below, each part of the indicator for itself. Told by windows, not by joining parts with reports: that would compare
-- each with each where the planner expects few.
rolled as (
    select
        climbing.*,
        climbing.steps < coalesce(min(climbing.steps) filter (
            where climbing.is_numerator_filed and climbing.slice = 'all' and climbing.kind <> 'listed'
            and (climbing.steps > 0 or climbing.kind <> 'filed')
        ) over way, 9) as numerator_counts,
        climbing.steps < coalesce(min(climbing.steps) filter (
            where climbing.is_denominator_filed and climbing.slice = 'all' and climbing.kind <> 'listed'
            and (climbing.steps > 0 or climbing.kind <> 'filed')
        ) over way, 9) as denominator_counts
    from climbing
    window way as (
        partition by
            climbing.region_code, climbing.kind, climbing.slice, climbing.recipe_no, climbing.base_type,
            climbing.base_start
    )
),

-- Sums over units and regions. One county's numbers are not a prefecture's, nor one prefecture's a province's: these
-- need two that report, or a report or register of their own.
over_units as materialized (
    select
        above_code as region_code,
        slice,
        recipe_no,
        base_start,
        base_end,
        base_type,
        coalesce(sum(reports_expected) filter (where numerator_counts), 0)::bigint as reports_expected,
        coalesce(sum(reports_counted) filter (where numerator_counts), 0)::bigint as reports_counted,
        case
            when is_minimum then min(numerator) filter (where numerator_counts)
            else sum(numerator) filter (where numerator_counts)
        end as numerator,
        sum(denominator) filter (where denominator_counts) as denominator
    from rolled
    where numerator_counts or denominator_counts
    group by above_code, slice, recipe_no, base_start, base_end, base_type, is_minimum
    having bool_or(steps = 0 or kind = 'listed') or above_code not like '%00' or min(child_code) <> max(child_code)
),

-- Regions and units in the periods of reports; what follows reads them twice, each time what it needs.
by_report as not materialized (
    select
        'region' as subject_type,
        over_units.region_code as subject_code,
        null::int as organization_key,
        over_units.*
    from over_units
    union all
    select
        'organization' as subject_type,
        unit.subject_code,
        unit.organization_key,
        unit.region_code,
        case when asked_slice.numerator_slice = any(unit.in_slices) then asked_slice.numerator_slice else 'all' end
            as slice,
        unit.recipe_no,
        unit.base_start,
        unit.base_end,
        unit.base_type,
        unit.is_numerator_due::int::bigint as reports_expected,
        (unit.numerator is not null and not unit.is_half)::int::bigint as reports_counted,
        case when not unit.is_half then unit.numerator end as numerator,
        case when not unit.is_half then unit.denominator end as denominator
    from {{ ref('int_indicator_unit') }} as unit
    inner join {{ ref('int_indicator_recipe') }} as recipe
        on unit.recipe_no = recipe.recipe_no
    -- What is asked of general hospitals alone has a value of each of them, and of no other unit.
    inner join {{ ref('int_indicator_slice') }} as asked_slice
        on unit.recipe_no = asked_slice.recipe_no and asked_slice.asked_slice = 'all'
    where unit.subject_type = 'organization' and recipe.by_organization and unit.slice = 'all'
),

in_period as not materialized (
    select told.*
    from (
        select
            by_report.*,
            recipe.over_time,
            period.period_type,
            by_report.base_type <> period.period_type as is_rolled_up,
            case
                when by_report.base_type = period.period_type then by_report.base_start
                else date_trunc('year', by_report.base_start)::date
            end as period_start,
            case
                when by_report.base_type = period.period_type then by_report.base_end
                else (date_trunc('year', by_report.base_start) + interval '1 year - 1 day')::date
            end as period_end
        from by_report
        inner join {{ ref('int_indicator_recipe') }} as recipe
            on by_report.recipe_no = recipe.recipe_no
        cross join lateral unnest(recipe.period_types) as period (period_type)
        where by_report.base_type = period.period_type
            or (
                period.period_type = 'year'
                and by_report.base_type in ('month', 'quarter', 'cumulative_quarter')
            )
    ) as told
    where {{ in_scope('told') }}
),

-- Over time a flow is added up and a stock is taken from the last month. Only years are made of others.
over_time as not materialized (
    select
        subject_type,
        subject_code,
        organization_key,
        region_code,
        slice,
        recipe_no,
        period_type,
        period_start,
        period_end,
        reports_expected,
        reports_counted,
        numerator,
        denominator,
        false as is_incomplete_numerator,
        false as is_incomplete_denominator
    from in_period
    where period_type <> 'year'
    union all
    select
        subject_type,
        subject_code,
        organization_key,
        -- Where the unit was at the end.
        substr(max(base_end || region_code), 11) as region_code,
        slice,
        recipe_no,
        period_type,
        period_start,
        period_end,
        coalesce(sum(reports_expected) filter (where over_time = 'sum' or base_end = period_end), 0)::bigint
            as reports_expected,
        coalesce(sum(reports_counted) filter (where over_time = 'sum' or base_end = period_end), 0)::bigint
            as reports_counted,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up)
                then max(numerator) filter (where base_end = period_end)
            else sum(numerator)
        end as numerator,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up)
                then max(denominator) filter (where base_end = period_end)
            else sum(denominator)
        end as denominator,
        -- Each part for itself: visits come by month, residents by year.
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up) then false
            else count(distinct base_start) filter (where numerator is not null)
                < case max(base_type) filter (where is_rolled_up and numerator is not null)
                    when 'month' then 12
                    when 'quarter' then 4
                    else 1
                end
        end as is_incomplete_numerator,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up) then false
            else count(distinct base_start) filter (where denominator is not null)
                < case max(base_type) filter (where is_rolled_up and denominator is not null)
                    when 'month' then 12
                    when 'quarter' then 4
                    else 1
                end
        end as is_incomplete_denominator
    from in_period
    where period_type = 'year'
    group by
        subject_type, subject_code, organization_key, slice, recipe_no, period_type, period_start, period_end
),

-- Both parts of each slice asked for, by one grouping instead of two joins of the sums with themselves: it costs the
-- same whatever the planner expects. A unit has but the one row.
result as (
    select
        over_time.subject_type,
        over_time.subject_code,
        over_time.organization_key,
        over_time.region_code,
        asked_slice.indicator_code,
        asked_slice.scale,
        asked_slice.is_ratio,
        asked_slice.asked_slice as slice,
        over_time.period_type,
        over_time.period_start,
        over_time.period_end,
        coalesce(over_time.slice <> asked_slice.numerator_slice, true) as is_without_units,
        case when over_time.slice = asked_slice.numerator_slice then over_time.numerator end as numerator,
        case when asked_slice.denominator_slice in ('all', over_time.slice) then over_time.denominator end
            as denominator,
        coalesce(over_time.slice = asked_slice.numerator_slice and over_time.is_incomplete_numerator, false)
        or coalesce(
            asked_slice.denominator_slice in ('all', over_time.slice) and over_time.is_incomplete_denominator, false
        ) as is_incomplete,
        case when over_time.slice = asked_slice.numerator_slice then over_time.reports_expected else 0 end
            as reports_expected,
        case when over_time.slice = asked_slice.numerator_slice then over_time.reports_counted else 0 end
            as reports_counted
    from over_time
    inner join {{ ref('int_indicator_slice') }} as asked_slice
        on over_time.recipe_no = asked_slice.recipe_no
            and over_time.slice in (asked_slice.numerator_slice, asked_slice.denominator_slice)
    where over_time.subject_type = 'organization' and asked_slice.asked_slice = 'all'
    union all
    select
        over_time.subject_type,
        over_time.subject_code,
        null as organization_key,
        max(over_time.region_code) as region_code,
        asked_slice.indicator_code,
        asked_slice.scale,
        asked_slice.is_ratio,
        asked_slice.asked_slice as slice,
        over_time.period_type,
        over_time.period_start,
        over_time.period_end,
        not bool_or(over_time.slice = asked_slice.numerator_slice) as is_without_units,
        max(over_time.numerator) filter (where over_time.slice = asked_slice.numerator_slice) as numerator,
        max(over_time.denominator) filter (where over_time.slice = asked_slice.denominator_slice) as denominator,
        coalesce(
            bool_or(over_time.is_incomplete_numerator) filter (where over_time.slice = asked_slice.numerator_slice),
            false
        )
        or coalesce(
            bool_or(over_time.is_incomplete_denominator) filter (where over_time.slice = asked_slice.denominator_slice),
            false
        ) as is_incomplete,
        coalesce(max(over_time.reports_expected) filter (where over_time.slice = asked_slice.numerator_slice), 0)
            as reports_expected,
        coalesce(max(over_time.reports_counted) filter (where over_time.slice = asked_slice.numerator_slice), 0)
            as reports_counted
    from over_time
    -- A region has no row for a slice of which it has no unit.
    inner join {{ ref('int_indicator_slice') }} as asked_slice
        on over_time.recipe_no = asked_slice.recipe_no
            and over_time.slice in (asked_slice.numerator_slice, asked_slice.denominator_slice)
    where over_time.subject_type = 'region'
    group by
        over_time.subject_type, over_time.subject_code, asked_slice.indicator_code, asked_slice.scale,
        asked_slice.is_ratio, asked_slice.asked_slice, over_time.period_type, over_time.period_start,
        over_time.period_end
    having asked_slice.asked_slice = 'all' or bool_or(over_time.slice = asked_slice.numerator_slice)
),

judged as (
    select
        result.*,
        case
            when result.is_without_units then 'not_applicable'
            when result.numerator is null then 'not_reported'
            when result.is_ratio and result.denominator is null then 'not_reported'
            when result.is_ratio and result.denominator = 0 then 'not_applicable'
            when result.is_incomplete then 'incomplete'
            else 'computed'
        end as status
    from result
)

select
    judged.organization_key,
    judged.subject_type,
    judged.subject_code,
    judged.region_code,
    judged.indicator_code,
    judged.slice,
    judged.period_type,
    judged.period_start,
    judged.period_end,
    judged.numerator,
    case when judged.is_ratio then judged.denominator end as denominator,
    case
        when judged.status <> 'computed' then null
        when judged.is_ratio then trim_scale(round(judged.numerator * judged.scale / judged.denominator, 8))
        else judged.numerator
    end as value,
    judged.status,
    judged.reports_expected,
    judged.reports_counted,
    {{ release_columns() }}
from judged
