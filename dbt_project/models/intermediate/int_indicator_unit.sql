-- Grain: one row per subject, indicator as it is made alike, slice and period of reports.
{#- Grouped by sorted numbers: the sums of millions of groups do not fit into memory. -#}
{{ config(sql_header='set local enable_mergejoin = off; set local enable_hashagg = off;') }}
with form_shift as (
    select distinct
        recipe_no,
        form_code,
        year_offset
    from {{ ref('int_indicator_part') }}
),

-- A form that feeds two years (this year's stock less last year's) must give the fields of both.
form_part as (
    select
        part.recipe_no,
        part.form_code,
        part.base_types,
        form_shift.year_offset,
        part.slice,
        count(*) filter (where part.is_numerator) as numerator_fields,
        count(*) filter (where part.is_numerator and part.year_offset > 0) as numerator_fields_before,
        count(*) filter (where not part.is_numerator) as denominator_fields
    from {{ ref('int_indicator_part') }} as part
    inner join form_shift
        on part.recipe_no = form_shift.recipe_no and part.form_code = form_shift.form_code
    -- Tasks name the indicators that they are for; no other is expected of them.
    where part.form_code <> 'task_progress'
    group by part.recipe_no, part.form_code, part.base_types, form_shift.year_offset, part.slice
),

measure as (
    select distinct
        measure_no,
        form_code
    from {{ ref('int_indicator_part') }}
),

-- Every report received or only due, and what is counted beside reports.
entry as (
    select
        report.report_id,
        report.form_code,
        null::int as measure_no,
        report.subject_type,
        report.subject_code,
        case when report.subject_type = 'organization' then report.organization_key end as organization_key,
        report.period_type as base_type,
        report.period_start,
        report.period_end,
        null::int as given,
        null::numeric as value,
        report.subject_type = 'region' as is_filed
    from {{ at_candidate(ref('dim_report')) }} as report
    where {{ changed_days('report.period_start') }}
    union all
    select
        null as report_id,
        measure.form_code,
        register.measure_no,
        register.subject_type,
        register.subject_code,
        register.organization_key,
        register.period_type as base_type,
        register.period_start,
        register.period_end,
        register.given,
        register.value,
        register.is_filed
    from {{ ref('int_indicator_register') }} as register
    inner join measure
        on register.measure_no = measure.measure_no
),

form_year as (
    select distinct
        form_code,
        year_offset
    from form_shift
),

-- In the periods that they feed: a rate over last year's residents takes them from last year's table.
shifted as (
    select
        entry.*,
        form_year.year_offset,
        (entry.period_start + make_interval(years => form_year.year_offset))::date as base_start,
        (entry.period_end + make_interval(years => form_year.year_offset))::date as base_end
    from entry
    inner join form_year
        on entry.form_code = form_year.form_code
),

-- Subjects in their periods, numbered.
placed as (
    select
        shifted.*,
        dense_rank() over (
            order by
                shifted.subject_type, shifted.subject_code, shifted.organization_key, shifted.base_type,
                shifted.base_start, shifted.base_end
        ) as place_no
    from shifted
    cross join lateral (values (shifted.base_type, shifted.base_start)) as itself (period_type, period_start)
    cross join
        lateral (
            values ('year', date_trunc('year', shifted.base_start)::date)
        ) as whole_year (period_type, period_start)
    where {{ in_scope('itself') }} or {{ in_scope('whole_year') }}
),

place as (
    select distinct on (place_no)
        place_no,
        subject_type,
        subject_code,
        organization_key,
        base_type,
        base_start,
        base_end
    from placed
    order by place_no
),

given as (
    select
        placed.place_no,
        placed.base_type,
        placed.period_start,
        placed.period_end,
        placed.year_offset,
        placed.is_filed,
        counted.measure_no,
        counted.given,
        counted.value
    from {{ ref('int_indicator_count') }} as counted
    inner join placed
        on counted.report_id = placed.report_id
    union all
    select
        place_no,
        base_type,
        period_start,
        period_end,
        year_offset,
        is_filed,
        measure_no,
        given,
        value
    from placed
    where measure_no is not null
),

-- What should be there, from every report, and what is there, from the numbers. Put together by grouping rather than
-- by a join: the cost does not hang on what the planner expects of either.
base as (
    select
        placed.place_no,
        part.recipe_no,
        part.slice,
        placed.is_filed,
        part.numerator_fields,
        part.numerator_fields_before,
        part.denominator_fields,
        0 as numerator_given,
        0 as numerator_given_before,
        0 as denominator_given,
        null::numeric as numerator,
        null::numeric as denominator
    from placed
    inner join form_part as part
        on placed.form_code = part.form_code
            and placed.year_offset = part.year_offset
            and placed.base_type = any(part.base_types)
    where placed.report_id is not null
    union all
    select
        given.place_no,
        part.recipe_no,
        part.slice,
        given.is_filed,
        0 as numerator_fields,
        0 as numerator_fields_before,
        0 as denominator_fields,
        case when part.is_numerator then given.given else 0 end as numerator_given,
        case when part.is_numerator and part.year_offset > 0 then given.given else 0 end as numerator_given_before,
        case when part.is_numerator then 0 else given.given end as denominator_given,
        case when part.is_numerator then counted.amount end as numerator,
        case when not part.is_numerator then counted.amount end as denominator
    from given
    inner join {{ ref('int_indicator_part') }} as part
        on given.measure_no = part.measure_no
            and given.year_offset = part.year_offset
            and given.base_type = any(part.base_types)
    cross join
        lateral (
            values
            (
                case
                    when not part.is_numerator and part.is_per_day
                        then given.value * part.coefficient / (given.period_end - given.period_start + 1)
                    -- Of a stock among flows only the year's end counts, and beside it what was done before.
                    when part.only_at_year_end = (extract(month from given.period_end) < 12) then 0
                    else given.value * part.coefficient
                end
            )
        ) as counted (amount)
),

-- The two parts of an indicator in the reports of one subject and period (files of one measure each are reports of
-- their own). A part that is a sum of fields needs all of them.
pair as (
    select
        place_no,
        recipe_no,
        slice,
        bool_or(is_filed) as is_filed,
        case when sum(numerator_given) >= max(numerator_fields) then sum(numerator) end as numerator,
        -- Nothing lacks but what was a year before: all there is of a unit that was not open then.
        case
            when sum(numerator_given) < max(numerator_fields)
                and sum(numerator_given) >= max(numerator_fields) - max(numerator_fields_before)
                and sum(numerator_given_before) = 0
                then sum(numerator)
        end as numerator_if_new,
        case when sum(denominator_given) >= max(denominator_fields) then sum(denominator) end as denominator,
        max(numerator_fields) > 0 or sum(numerator_given) > 0 as is_numerator_due,
        sum(numerator_given) as numerator_given,
        sum(denominator_given) as denominator_given,
        max(numerator_fields) > 0 and max(denominator_fields) > 0 as has_both_parts
    from base
    group by place_no, recipe_no, slice
),

-- The slices that each indicator is made from.
slice_needed as (
    select distinct
        asked_slice.recipe_no,
        needed.slice
    from {{ ref('int_indicator_slice') }} as asked_slice
    cross join lateral (values (asked_slice.numerator_slice), (asked_slice.denominator_slice)) as needed (slice)
    where needed.slice is not null
),

-- Many indicators ask for the same: these lists of slices there are.
slice_list as (
    select
        recipe_no,
        array_agg(slice order by slice) as slices,
        dense_rank() over (order by array_agg(slice order by slice)) as list_no
    from slice_needed
    group by recipe_no
),

asked_list as (
    select distinct
        list_no,
        slices
    from slice_list
),

-- Each version of a unit with the slices that it belongs to, with its services and as a unit that is counted: those of
-- each list. Slices by beds hang on the beds of a year as well.
unit_version as (
    select
        unit.organization_key,
        unit.applies_from,
        unit.valid_to,
        unit.region_code,
        unit.township_code,
        min(unit.valid_from) over (partition by unit.organization_key) as opened_on,
        counted.as_unit,
        asked.list_no,
        array(
            select unnest(belongs.slices)
            intersect
            select unnest(asked.slices)
        ) as slices,
        array(
            select unnest(belongs.slices_by_beds)
            intersect
            select unnest(asked.slices)
        ) as slices_by_beds
    from {{ at_candidate(ref('dim_organization')) }} as unit
    cross join
        lateral (
            values (false, unit.class_group), (true, unit.registered_class_group)
        ) as counted (as_unit, class_group)
    cross join
        lateral (
            select
                array_agg(slice.slice) filter (where slice.beds_from is null) as slices,
                array_agg(slice.slice) filter (where slice.beds_from is not null) as slices_by_beds
            from {{ ref('slice') }} as slice
            where slice.slice <> 'all'
                and (
                    unit.region_code ~ slice.region_pattern
                    or (
                        concat(slice.class_group, slice.ownership, slice.class_pattern, slice.level, slice.grade) <> ''
                        and (coalesce(slice.class_group, '') = '' or counted.class_group = slice.class_group)
                        and (coalesce(slice.ownership, '') = '' or unit.ownership = slice.ownership)
                        and (coalesce(slice.class_pattern, '') = '' or unit.class_code ~ slice.class_pattern)
                        and (coalesce(slice.level, '') = '' or unit.level = any(string_to_array(slice.level, '|')))
                        and (coalesce(slice.grade, '') = '' or unit.grade = slice.grade)
                    )
                )
        ) as belongs
    cross join asked_list as asked
)

-- Where one report carries both parts of a rate, a unit counts with both or with neither: numerator and
-- denominator then speak of the same units. What a region files in several forms it needs all of; a unit files one
-- form of several.
select
    place.subject_type,
    place.subject_code,
    place.organization_key,
    pair.recipe_no,
    pair.slice,
    place.base_type,
    place.base_start,
    place.base_end,
    pair.is_filed,
    pair.is_numerator_due,
    case
        -- Of a unit that opened within the year there was nothing the year before.
        when place.subject_type = 'organization' and pair.numerator_if_new is not null
            and organization.opened_on > place.base_end - interval '1 year'
            then pair.numerator_if_new
        when place.subject_type = 'organization' or not pair.is_filed or pair.numerator_given >= recipe.numerator_parts
            then pair.numerator
    end as numerator,
    case
        when place.subject_type = 'organization' or not pair.is_filed
            or pair.denominator_given >= recipe.denominator_parts
            then pair.denominator
    end as denominator,
    (
        pair.has_both_parts and recipe.numerator_rule = 'own' and recipe.denominator_rule = 'own'
        and place.subject_type = 'organization' and (pair.numerator is null or pair.denominator is null)
    ) as is_half,
    case
        when pair.slice = 'all' then array['all'] || coalesce(organization.slices, array[]::text[])
        else array[pair.slice]
    end as in_slices,
    case when pair.slice = 'all' then nullif(organization.slices_by_beds, array[]::text[]) end as slices_by_beds,
    case
        when recipe.by_organization and organization.township_code <> organization.region_code
            then organization.township_code
    end as township_code,
    case when place.subject_type = 'region' then place.subject_code else organization.region_code end as region_code
from pair
inner join place
    on pair.place_no = place.place_no
inner join {{ ref('int_indicator_recipe') }} as recipe
    on pair.recipe_no = recipe.recipe_no
left join slice_list
    on pair.recipe_no = slice_list.recipe_no
left join unit_version as organization
    on place.organization_key = organization.organization_key
        and recipe.counts_units = organization.as_unit
        and slice_list.list_no = organization.list_no
        and place.base_end >= organization.applies_from
        and place.base_end < organization.valid_to
