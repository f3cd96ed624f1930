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
{#- How many values feed an indicator is not to be guessed, and PostgreSQL guesses too few: it would sort what it had
    better hash. -#}
{{ config(sql_header='set local enable_sort = off;') }}
{%- set rolled_up = "part.period_type = 'year' and x.period_type in ('month', 'quarter', 'cumulative_quarter')"
    ~ " and part.form_code <> 'map'" %}
{#- Of a stock among flows only the year's end counts, and beside it what was done before. -#}
{%- set amount = "case when part.only_at_year_end = (extract(month from x.period_end) < 12) then 0"
    ~ " else x.value * part.coefficient end" %}
{%- set fits = "(x.period_type = part.period_type or " ~ rolled_up ~ ")" %}
-- The fields that each part of an indicator is the sum of, by form.
with part as (
    select
        indicator_part.indicator_code,
        indicator_part.part,
        indicator_part.period_type,
        indicator_part.form_code,
        {{ indicator_field('indicator_part') }} as field_code,
        coalesce(indicator_part.breakdown, '') as breakdown,
        coalesce(indicator_part.coefficient, 1) as coefficient,
        coalesce(indicator_part.per_day, false) as is_per_day,
        coalesce(indicator_part.year_offset, 0) as year_offset,
        coalesce(indicator_part.slice, 'all') as slice,
        case indicator_part.over_time
            when 'before_last' then false
            when 'last' then nullif(bool_or(indicator_part.over_time = 'sum') over whole, false)
        end as only_at_year_end
    from {{ ref('indicator_part') }} as indicator_part
    window whole as (partition by indicator_part.indicator_code, indicator_part.period_type)
),

form_year as (
    select distinct
        indicator_code,
        period_type,
        form_code,
        year_offset
    from part
),

-- A form that feeds two years (this year's stock less last year's) must give the fields of both.
form_part as (
    select
        part.indicator_code,
        part.period_type,
        part.form_code,
        shift.year_offset,
        part.slice,
        count(*) filter (where part.part = 'numerator') as numerator_fields,
        count(*) filter (where part.part = 'numerator' and part.year_offset > 0) as numerator_fields_before,
        count(*) filter (where part.part = 'denominator') as denominator_fields
    from part
    inner join form_year as shift
        on part.indicator_code = shift.indicator_code
            and part.period_type = shift.period_type
            and part.form_code = shift.form_code
    -- Tasks name the indicators that they are for; no other is expected of them.
    where part.form_code <> 'task_progress'
    group by part.indicator_code, part.period_type, part.form_code, shift.year_offset, part.slice
),

-- The fields that indicators are made of.
fed as (
    select distinct
        indicator_part.form_code,
        field.field_code
    from {{ ref('indicator_part') }} as indicator_part
    cross join lateral unnest(string_to_array(indicator_part.field_code, '*')) as field (field_code)
),

-- Several reports of one form, subject and period: a bulletin and a file of one measure may bring the same number.
rival as (
    select
        report_id,
        received_at
    from (
        select
            report.report_id,
            report.received_at,
            count(*) over (
                partition by
                    report.subject_type, report.subject_code, report.form_code, report.period_type,
                    report.period_start, report.period_end
            ) as reports
        from {{ at_candidate(ref('dim_report')) }} as report
        where {{ changed_days('report.period_start') }}
    ) as counted
    where reports > 1
),

-- One value for each number: the one received last counts.
outdated as (
    select
        report_id,
        field_code,
        breakdown
    from (
        select
            value.report_id,
            value.field_code,
            value.breakdown,
            row_number() over (
                partition by
                    value.subject_type, value.subject_code, value.form_code, value.field_code, value.breakdown,
                    value.period_type, value.period_start, value.period_end
                order by rival.received_at desc nulls last, value.report_id desc
            ) as place
        from {{ at_candidate(ref('fct_reported_value')) }} as value
        inner join rival
            on value.report_id = rival.report_id
        where value.value is not null
    ) as placed
    where place > 1
),

carried as (
    select
        value.*,
        value.subject_type = 'region' as is_filed
    from {{ at_candidate(ref('fct_reported_value')) }} as value
    inner join fed
        on value.form_code = fed.form_code
            and value.field_code = fed.field_code
    left join outdated
        on value.report_id = outdated.report_id
            and value.field_code = outdated.field_code
            and value.breakdown = outdated.breakdown
    where {{ changed_days('value.period_start') }}
        and value.value is not null
        -- Wrapped up, or the planner sees that a match leaves nothing, and expects one for every number.
        and coalesce(outdated.report_id is null, false)
),

year_in_scope as (
    select distinct
        date_trunc('year', report.period_start)::date as year_start,
        (date_trunc('year', report.period_start) + interval '1 year - 1 day')::date as year_end
    from {{ at_candidate(ref('dim_report')) }} as report
    where {{ changed_days('report.period_start') }} and report.period_type <> 'event'
),

-- Titles, each in its newest entry; of a unit's title its region is told, of a village's the township.
certificate as (
    select distinct on (register.subject_code, register.cert_type, register.valid_from)
        coalesce(organization.region_code, left(register.subject_code, 9)) as subject_code,
        register.subject_code as certified_code,
        case
            when register.cert_level = '1' and register.cert_type not like '%国家%' then '国家' || register.cert_type
            when register.cert_level = '2' and register.cert_type not like '%省%' then '省' || register.cert_type
            else register.cert_type
        end as label,
        register.valid_from,
        case when register.revoked then date '0001-01-01' else coalesce(register.valid_to, date '9999-12-31') end
            as valid_until
    from {{ source('raw', 'certification_register') }} as register
    inner join {{ ref('stg_registry__report') }} as report
        on register.revision_id = report.revision_id
    left join {{ at_candidate(ref('dim_organization')) }} as organization
        on register.subject_code = organization.organization_code
            and register.valid_from >= organization.applies_from
            and register.valid_from < organization.valid_to
    where register.set_aside is null and register.valid_from is not null
    order by
        register.subject_code asc, register.cert_type asc, register.valid_from asc, report.received_at desc nulls last,
        report.report_id desc
),

-- A total that stands beside its parts would count twice where an indicator takes every part.
broken_down as (
    select distinct
        report_id,
        field_code
    from carried
    where breakdown <> 'TOTAL'
        and form_code in (
            select part.form_code from part
            where part.breakdown = '%'
        )
),

reported as (
    select
        carried.subject_type,
        carried.subject_code,
        carried.organization_key,
        carried.form_code,
        carried.field_code,
        carried.breakdown,
        carried.period_type,
        carried.period_start,
        carried.period_end,
        carried.value,
        carried.is_filed
    from carried
    -- No join: the planner, which expects next to nothing of either, would compare each with each.
    where not (
            carried.breakdown = 'TOTAL'
            and (carried.report_id, carried.field_code) in (
                select
                    broken_down.report_id,
                    broken_down.field_code
                from broken_down
            )
        )
    {{- product_values('carried') }}
    {{- record_values() }}
    {{- task_values() }}
    {{- certificate_values() }}
    {{- directory_values() }}
),

-- What should be there, from every report received or only due, and what is there, from the values. Put together
-- by grouping rather than by a join: the cost does not hang on what the planner expects of either.
base as (
    select
        x.subject_type,
        x.subject_code,
        case when x.subject_type = 'organization' then x.organization_key end as organization_key,
        x.period_type as base_type,
        -- A rate over last year's residents takes them from last year's table.
        (x.period_start + make_interval(years => part.year_offset))::date as base_start,
        (x.period_end + make_interval(years => part.year_offset))::date as base_end,
        part.indicator_code,
        part.period_type,
        part.slice,
        x.subject_type = 'region' as is_filed,
        part.numerator_fields,
        part.numerator_fields_before,
        part.denominator_fields,
        0 as numerator_given,
        0 as numerator_given_before,
        0 as denominator_given,
        null::numeric as numerator,
        null::numeric as denominator
    from {{ at_candidate(ref('dim_report')) }} as x
    inner join form_part as part
        on x.form_code = part.form_code and {{ fits }}
    where {{ changed_days('x.period_start') }}
    union all
    select
        x.subject_type,
        x.subject_code,
        case when x.subject_type = 'organization' then x.organization_key end as organization_key,
        x.period_type as base_type,
        (x.period_start + make_interval(years => part.year_offset))::date as base_start,
        (x.period_end + make_interval(years => part.year_offset))::date as base_end,
        part.indicator_code,
        part.period_type,
        part.slice,
        x.is_filed,
        0 as numerator_fields,
        0 as numerator_fields_before,
        0 as denominator_fields,
        case when part.part = 'numerator' then 1 else 0 end as numerator_given,
        case when part.part = 'numerator' and part.year_offset > 0 then 1 else 0 end as numerator_given_before,
        case when part.part = 'denominator' then 1 else 0 end as denominator_given,
        case when part.part = 'numerator' then {{ amount }} end as numerator,
        case
            when part.part = 'denominator' and part.is_per_day
                then x.value * part.coefficient / (x.period_end - x.period_start + 1)
            when part.part = 'denominator' then {{ amount }}
        end as denominator
    from part
    inner join reported as x
        -- Two conditions for five: of each by itself the planner expects that next to nothing meets it.
        on part.form_code || ' ' || part.field_code = x.form_code || ' ' || x.field_code
            and case when x.breakdown like part.breakdown then {{ fits }} else false end
),

in_period as (
    select base_in_period.*
    from (
        select
            base.*,
            base.base_type <> base.period_type as is_rolled_up,
            case
                when base.base_type = base.period_type then base.base_start
                else date_trunc('year', base.base_start)::date
            end as period_start,
            case
                when base.base_type = base.period_type then base.base_end
                else (date_trunc('year', base.base_start) + interval '1 year - 1 day')::date
            end as period_end
        from base
    ) as base_in_period
    where {{ in_scope('base_in_period') }}
),

-- The two parts of an indicator in the reports of one subject and period (files of one measure each are reports of
-- their own). A part that is a sum of fields needs all of them.
report_pair as (
    select
        subject_type,
        subject_code,
        organization_key,
        indicator_code,
        period_type,
        slice,
        period_start,
        period_end,
        base_start,
        base_end,
        base_type,
        is_rolled_up,
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
    from in_period
    group by
        subject_type, subject_code, organization_key, indicator_code, period_type, slice, period_start, period_end,
        base_start, base_end, base_type, is_rolled_up
),

rule as (
    select
        part.indicator_code,
        part.period_type,
        max(part.slice_rule) filter (where part.part = 'numerator') as numerator_rule,
        max(part.slice_rule) filter (where part.part = 'denominator') as denominator_rule,
        max(part.over_time) as over_time,
        count(*) filter (where part.part = 'numerator' and part.slice is null) as numerator_parts,
        count(*) filter (where part.part = 'denominator' and part.slice is null) as denominator_parts,
        -- What must hold in every unit is told by the unit where it is least.
        bool_or(indicator.aggregation_class = 'MS' and indicator.denominator is null) as is_minimum,
        bool_or(indicator.by_organization) as by_organization,
        -- What units there are is told by what they are registered as, not by which of two names their services count.
        bool_or(part.form_code = 'directory') as counts_units
    from {{ ref('indicator_part') }} as part
    inner join {{ ref('indicator') }} as indicator
        on part.indicator_code = indicator.indicator_code
    group by part.indicator_code, part.period_type
),

-- Each slice that an indicator is asked for, with the slices that its rule takes the two parts from.
asked_slice as (
    select
        rule.indicator_code,
        rule.period_type,
        indicator_slice.slice as asked_slice,
        case rule.numerator_rule
            when 'own' then indicator_slice.slice
            when 'parent' then slice.parent_slice
            else rule.numerator_rule
        end as numerator_slice,
        case rule.denominator_rule
            when 'own' then indicator_slice.slice
            when 'parent' then slice.parent_slice
            else rule.denominator_rule
        end as denominator_slice
    from rule
    inner join {{ ref('indicator_slice') }} as indicator_slice
        on rule.indicator_code = indicator_slice.indicator_code
    inner join {{ ref('slice') }} as slice
        on indicator_slice.slice = slice.slice
),

slice_needed as (
    select
        indicator_code,
        period_type,
        numerator_slice as slice
    from asked_slice
    union
    select
        indicator_code,
        period_type,
        denominator_slice as slice
    from asked_slice
    where denominator_slice is not null
    union
    select
        indicator_code,
        period_type,
        'all' as slice
    from asked_slice
),

-- Many indicators ask for the same slices: these lists of them there are.
slice_list as (
    select
        indicator_code,
        period_type,
        array_agg(slice order by slice) as slices,
        dense_rank() over (order by array_agg(slice order by slice)) as list_no
    from slice_needed
    group by indicator_code, period_type
),

asked_list as (
    select distinct
        list_no,
        slices
    from slice_list
),

ruled as (
    select
        rule.*,
        slice_list.list_no
    from rule
    left join slice_list
        on rule.indicator_code = slice_list.indicator_code and rule.period_type = slice_list.period_type
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
),

unit_beds as (
    select
        subject_code,
        extract(year from period_end) as year,
        max(value) as beds
    from carried
    where form_code = 'inst_annual_hospital' and field_code = 'beds_actual'
    group by subject_code, extract(year from period_end)
),

-- Where one report carries both parts of a rate, a unit counts with both or with neither: numerator and
-- denominator then speak of the same units. What a region files in several forms it needs all of; a unit files one
-- form of several.
unit_pair as (
    select
        pair.subject_type,
        pair.subject_code,
        pair.organization_key,
        pair.indicator_code,
        pair.period_type,
        pair.slice,
        pair.period_start,
        pair.period_end,
        pair.base_start,
        pair.base_end,
        pair.base_type,
        pair.is_rolled_up,
        pair.is_filed,
        pair.is_numerator_due,
        case
            -- Of a unit that opened within the year there was nothing the year before.
            when pair.subject_type = 'organization' and pair.numerator_if_new is not null
                and organization.opened_on > pair.base_end - interval '1 year'
                then pair.numerator_if_new
            when pair.subject_type = 'organization' or not pair.is_filed or pair.numerator_given >= rule.numerator_parts
                then pair.numerator
        end as numerator,
        case
            when pair.subject_type = 'organization' or not pair.is_filed
                or pair.denominator_given >= rule.denominator_parts
                then pair.denominator
        end as denominator,
        rule.over_time,
        rule.is_minimum,
        rule.by_organization,
        rule.counts_units,
        pair.subject_type = 'organization' as is_unit,
        pair.slice = 'all' as is_whole,
        case
            when pair.slice = 'all' then array['all'] || coalesce(organization.slices, array[]::text[])
            else array[pair.slice]
        end as in_slices,
        organization.slices_by_beds,
        case
            when rule.by_organization and organization.township_code <> organization.region_code
                then organization.township_code
        end as township_code,
        case when pair.subject_type = 'region' then pair.subject_code else organization.region_code end
            as unit_region_code,
        (
            pair.has_both_parts and rule.numerator_rule = 'own' and rule.denominator_rule = 'own'
            and pair.subject_type = 'organization' and (pair.numerator is null or pair.denominator is null)
        ) as is_half
    from report_pair as pair
    inner join ruled as rule
        on pair.indicator_code || ' ' || pair.period_type = rule.indicator_code || ' ' || rule.period_type
    left join unit_version as organization
        on pair.organization_key = organization.organization_key
            and rule.counts_units = organization.as_unit
            and rule.list_no = organization.list_no
            and pair.base_end >= organization.applies_from
            and pair.base_end < organization.valid_to
),

-- Slices by beds, which few indicators ask for: set apart before the beds are looked up.
by_beds as materialized (
    select
        unit_pair.*,
        asked.slice as in_slice
    from unit_pair
    cross join lateral unnest(unit_pair.slices_by_beds) as asked (slice)
    where unit_pair.is_unit and unit_pair.is_whole
),

-- A unit counts for itself, for its township, and for its region in every slice that it belongs to; a region counts
-- in the slices of regions.
of_unit as (
    select
        unit_pair.*,
        in_slice.slice as in_slice
    from unit_pair
    cross join lateral unnest(unit_pair.in_slices) as in_slice (slice)
    union all
    select
        unit_pair.*,
        slice.slice as in_slice
    from unit_pair
    inner join slice_needed
        on unit_pair.indicator_code = slice_needed.indicator_code
            and unit_pair.period_type = slice_needed.period_type
    inner join {{ ref('slice') }} as slice
        on slice_needed.slice = slice.slice
            and slice.region_pattern is not null
            and unit_pair.unit_region_code ~ slice.region_pattern
    where not unit_pair.is_unit and unit_pair.is_whole
    union all
    select by_beds.*
    from by_beds
    inner join {{ ref('slice') }} as slice
        on by_beds.in_slice = slice.slice
    inner join unit_beds
        on by_beds.subject_code = unit_beds.subject_code
            and extract(year from by_beds.base_end) = unit_beds.year
            and unit_beds.beds between slice.beds_from and slice.beds_to
),

-- What a region gets comes from its units, from units by township, from its own report, or from a register.
region_part as (
    select
        place.region_code,
        place.kind,
        of_unit.in_slice as slice,
        of_unit.indicator_code,
        of_unit.period_type,
        of_unit.period_start,
        of_unit.period_end,
        of_unit.base_start,
        of_unit.base_end,
        of_unit.base_type,
        of_unit.is_rolled_up,
        of_unit.over_time,
        of_unit.is_minimum,
        count(*) filter (where of_unit.is_numerator_due) as reports_expected,
        count(of_unit.numerator) filter (where not of_unit.is_half) as reports_counted,
        case
            when of_unit.is_minimum then min(of_unit.numerator) filter (where not of_unit.is_half)
            else sum(of_unit.numerator) filter (where not of_unit.is_half)
        end as numerator,
        sum(of_unit.denominator) filter (where not of_unit.is_half) as denominator
    from of_unit
    cross join
        lateral (
            values
            (
                of_unit.unit_region_code,
                case
                    when of_unit.subject_type = 'organization' then 'unit'
                    when of_unit.is_filed then 'filed'
                    else 'listed'
                end
            ),
            (case when of_unit.in_slice = 'all' then of_unit.township_code end, 'township')
        ) as place (region_code, kind)
    where place.region_code is not null
    group by
        place.region_code, place.kind, of_unit.in_slice, of_unit.indicator_code, of_unit.period_type,
        of_unit.period_start, of_unit.period_end, of_unit.base_start, of_unit.base_end, of_unit.base_type,
        of_unit.is_rolled_up, of_unit.over_time, of_unit.is_minimum
),

-- Each region and what it lies in: county, prefecture, province. A functional area that its district counts already
-- goes no further.
region_above as (
    select
        place.region_code,
        above.region_code as above_code,
        above.steps,
        above.child_code
    from (select distinct region_code from region_part) as place
    cross join
        lateral (
            values
            (place.region_code, 0, place.region_code),
            (left(place.region_code, 6), 1, place.region_code),
            (left(place.region_code, 4) || '00', 2, left(place.region_code, 6)),
            (left(place.region_code, 2) || '0000', 3, left(place.region_code, 4))
        ) as above (region_code, steps, child_code)
    where (above.steps = 0 or above.region_code <> place.region_code)
        and exists (
            select from {{ at_candidate(ref('dim_region')) }} as region
            where region.region_code = above.region_code
        )
        and not exists (
            select from {{ at_candidate(ref('dim_region')) }} as region
            where above.steps > 0 and region.region_code = place.region_code and region.is_counted_inside
        )
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
            and (region_above.steps = 0 or part.kind <> 'township')
    window above as (
        partition by
            region_above.above_code, part.indicator_code, part.period_type, part.base_type, part.base_start
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
            climbing.region_code, climbing.kind, climbing.slice, climbing.indicator_code, climbing.period_type,
            climbing.base_type, climbing.base_start
    )
),

-- Sums over units and regions. One county's numbers are not a prefecture's, nor one prefecture's a province's: these
-- need two that report, or a report or register of their own.
over_units as (
    select
        'region' as subject_type,
        above_code as subject_code,
        null::int as organization_key,
        above_code as region_code,
        slice,
        indicator_code,
        period_type,
        period_start,
        period_end,
        base_start,
        base_end,
        base_type,
        is_rolled_up,
        over_time,
        coalesce(sum(reports_expected) filter (where numerator_counts), 0) as reports_expected,
        coalesce(sum(reports_counted) filter (where numerator_counts), 0) as reports_counted,
        case
            when is_minimum then min(numerator) filter (where numerator_counts)
            else sum(numerator) filter (where numerator_counts)
        end as numerator,
        sum(denominator) filter (where denominator_counts) as denominator
    from rolled
    where numerator_counts or denominator_counts
    group by
        above_code, slice, indicator_code, period_type, period_start, period_end, base_start, base_end, base_type,
        is_rolled_up, over_time, is_minimum
    having bool_or(steps < 2 or kind = 'listed') or min(child_code) <> max(child_code)
    union all
    select
        'organization' as subject_type,
        unit_pair.subject_code,
        unit_pair.organization_key,
        last_value(unit_pair.unit_region_code) over (
            partition by unit_pair.subject_code, unit_pair.indicator_code, unit_pair.period_type, unit_pair.period_start
            order by unit_pair.base_end rows between unbounded preceding and unbounded following
        ) as region_code,
        'all' as slice,
        unit_pair.indicator_code,
        unit_pair.period_type,
        unit_pair.period_start,
        unit_pair.period_end,
        unit_pair.base_start,
        unit_pair.base_end,
        unit_pair.base_type,
        unit_pair.is_rolled_up,
        unit_pair.over_time,
        unit_pair.is_numerator_due::int as reports_expected,
        (unit_pair.numerator is not null and not unit_pair.is_half)::int as reports_counted,
        case when not unit_pair.is_half then unit_pair.numerator end as numerator,
        case when not unit_pair.is_half then unit_pair.denominator end as denominator
    from unit_pair
    where unit_pair.subject_type = 'organization' and unit_pair.by_organization and unit_pair.slice = 'all'
),

-- Over time a flow is added up and a stock is taken from the last month.
over_time as (
    select
        subject_type,
        subject_code,
        organization_key,
        max(region_code) as region_code,
        slice,
        indicator_code,
        period_type,
        period_start,
        period_end,
        coalesce(sum(reports_expected) filter (where over_time = 'sum' or base_end = period_end), 0)::bigint
            as reports_expected,
        coalesce(sum(reports_counted) filter (where over_time = 'sum' or base_end = period_end), 0)::bigint
            as reports_counted,
        -- Each part for itself: visits come by month, residents by year.
        case max(base_type) filter (where is_rolled_up and numerator is not null)
            when 'month' then 12
            when 'quarter' then 4
            else 1
        end as numerator_periods_needed,
        case max(base_type) filter (where is_rolled_up and denominator is not null)
            when 'month' then 12
            when 'quarter' then 4
            else 1
        end as denominator_periods_needed,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up)
                then max(numerator) filter (where base_end = period_end)
            else sum(numerator)
        end as numerator,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up) then 2147483647
            else count(distinct base_start) filter (where numerator is not null)
        end as numerator_periods,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up)
                then max(denominator) filter (where base_end = period_end)
            else sum(denominator)
        end as denominator,
        case
            when max(over_time) = 'last' and bool_or(is_rolled_up) then 2147483647
            else count(distinct base_start) filter (where denominator is not null)
        end as denominator_periods
    from over_units
    group by
        subject_type, subject_code, organization_key, slice, indicator_code, period_type, period_start, period_end
),

-- Both parts of each slice asked for, by one grouping instead of two joins of the sums with themselves: it costs the
-- same whatever the planner expects.
asked as (
    select
        over_time.*,
        asked_slice.asked_slice,
        asked_slice.numerator_slice,
        asked_slice.denominator_slice
    from over_time
    inner join asked_slice
        on over_time.indicator_code = asked_slice.indicator_code
            and over_time.period_type = asked_slice.period_type
            and (over_time.subject_type = 'region' or asked_slice.asked_slice = 'all')
),

result as (
    select
        subject_type,
        subject_code,
        organization_key,
        max(region_code) as region_code,
        indicator_code,
        asked_slice as slice,
        period_type,
        period_start,
        period_end,
        not bool_or(slice = numerator_slice) as is_without_units,
        max(numerator) filter (where slice = numerator_slice) as numerator,
        max(denominator) filter (where slice = denominator_slice) as denominator,
        coalesce(
            bool_or(numerator_periods < numerator_periods_needed) filter (where slice = numerator_slice), false
        )
        or coalesce(
            bool_or(denominator_periods < denominator_periods_needed) filter (where slice = denominator_slice), false
        ) as is_incomplete,
        coalesce(max(reports_expected) filter (where slice = numerator_slice), 0) as reports_expected,
        coalesce(max(reports_counted) filter (where slice = numerator_slice), 0) as reports_counted
    from asked
    -- A region has no row for a slice of which it has no unit.
    where slice in (numerator_slice, denominator_slice)
    group by
        subject_type, subject_code, organization_key, indicator_code, asked_slice, period_type, period_start,
        period_end
    having asked_slice = 'all' or bool_or(slice = numerator_slice)
),

judged as (
    select
        result.*,
        indicator.scale,
        indicator.denominator is not null as is_ratio,
        case
            when result.is_without_units then 'not_applicable'
            when result.numerator is null then 'not_reported'
            when indicator.denominator is not null and result.denominator is null then 'not_reported'
            when indicator.denominator is not null and result.denominator = 0 then 'not_applicable'
            when result.is_incomplete then 'incomplete'
            else 'computed'
        end as status
    from result
    inner join {{ ref('indicator') }} as indicator
        on result.indicator_code = indicator.indicator_code
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
