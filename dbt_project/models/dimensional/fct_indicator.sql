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
{%- set rolled_up = "part.period_type = 'year' and x.period_type in ('month', 'quarter', 'cumulative_quarter')" %}
{%- set fits = "(x.period_type = part.period_type or " ~ rolled_up ~ ")" %}
-- The fields that each part of an indicator is the sum of, by form.
with part as (
    select
        indicator_part.indicator_code,
        indicator_part.part,
        indicator_part.period_type,
        indicator_part.form_code,
        indicator_part.field_code,
        coalesce(indicator_part.breakdown, '') as breakdown,
        coalesce(indicator_part.coefficient, 1) as coefficient,
        coalesce(indicator_part.per_day, false) as is_per_day,
        coalesce(indicator_part.year_offset, 0) as year_offset
    from {{ ref('indicator_part') }} as indicator_part
),

form_part as (
    select
        indicator_code,
        period_type,
        form_code,
        year_offset,
        count(*) filter (where part = 'numerator') as numerator_fields,
        count(*) filter (where part = 'denominator') as denominator_fields
    from part
    group by indicator_code, period_type, form_code, year_offset
),

-- One value for each number: a bulletin and a file of one measure may both bring it, and the one received last counts.
reported as (
    select distinct on (
        value.subject_type, value.subject_code, value.form_code, value.field_code, value.breakdown,
        value.period_type, value.period_start, value.period_end
    ) value.*
    from {{ at_candidate(ref('fct_reported_value')) }} as value
    left join {{ at_candidate(ref('dim_report')) }} as report
        on value.report_id = report.report_id
    where {{ changed_days('value.period_start') }}
        and value.value is not null
        and exists (
            select from part
            where part.form_code = value.form_code and part.field_code = value.field_code
        )
    order by
        value.subject_type asc, value.subject_code asc, value.form_code asc, value.field_code asc,
        value.breakdown asc, value.period_type asc, value.period_start asc, value.period_end asc,
        report.received_at desc nulls last, value.report_id desc
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
        part.numerator_fields,
        part.denominator_fields,
        0 as numerator_given,
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
        0 as numerator_fields,
        0 as denominator_fields,
        case when part.part = 'numerator' then 1 else 0 end as numerator_given,
        case when part.part = 'denominator' then 1 else 0 end as denominator_given,
        case when part.part = 'numerator' then x.value * part.coefficient end as numerator,
        case
            when part.part = 'denominator' and part.is_per_day
                then x.value * part.coefficient / (x.period_end - x.period_start + 1)
            when part.part = 'denominator' then x.value * part.coefficient
        end as denominator
    from part
    inner join reported as x
        on part.form_code = x.form_code
            and part.field_code = x.field_code
            and x.breakdown like part.breakdown
            and {{ fits }}
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
        period_start,
        period_end,
        base_start,
        base_end,
        base_type,
        is_rolled_up,
        case when sum(numerator_given) >= max(numerator_fields) then sum(numerator) end as numerator,
        case when sum(denominator_given) >= max(denominator_fields) then sum(denominator) end as denominator,
        max(numerator_fields) > 0 and max(denominator_fields) > 0 as has_both_parts
    from in_period
    group by
        subject_type, subject_code, organization_key, indicator_code, period_type, period_start, period_end,
        base_start, base_end, base_type, is_rolled_up
),

rule as (
    select
        part.indicator_code,
        part.period_type,
        max(part.slice_rule) filter (where part.part = 'numerator') as numerator_rule,
        max(part.slice_rule) filter (where part.part = 'denominator') as denominator_rule,
        max(part.over_time) as over_time
    from {{ ref('indicator_part') }} as part
    group by part.indicator_code, part.period_type
),

-- Where one report carries both parts of a rate, a unit counts with both or with neither: numerator and
-- denominator then speak of the same units.
unit_pair as (
    select
        pair.*,
        rule.over_time,
        indicator.by_organization,
        organization.class_group,
        organization.ownership,
        case when pair.subject_type = 'region' then pair.subject_code else organization.region_code end
            as unit_region_code,
        (
            pair.has_both_parts and rule.numerator_rule = 'own' and rule.denominator_rule = 'own'
            and pair.subject_type = 'organization' and (pair.numerator is null or pair.denominator is null)
        ) as is_half
    from report_pair as pair
    inner join rule
        on pair.indicator_code = rule.indicator_code and pair.period_type = rule.period_type
    inner join {{ ref('indicator') }} as indicator
        on pair.indicator_code = indicator.indicator_code
    {{ organization_at('organization', 'pair.organization_key', 'pair.base_end') }}
),

-- A unit counts for itself, and for its region in every slice that it belongs to.
contribution as (
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
        case when not unit_pair.is_half then unit_pair.numerator end as numerator,
        case when not unit_pair.is_half then unit_pair.denominator end as denominator
    from unit_pair
    where unit_pair.subject_type = 'organization' and unit_pair.by_organization
    union all
    select
        'region' as subject_type,
        unit_pair.unit_region_code as subject_code,
        null as organization_key,
        unit_pair.unit_region_code as region_code,
        slice.slice,
        unit_pair.indicator_code,
        unit_pair.period_type,
        unit_pair.period_start,
        unit_pair.period_end,
        unit_pair.base_start,
        unit_pair.base_end,
        unit_pair.base_type,
        unit_pair.is_rolled_up,
        unit_pair.over_time,
        case when not unit_pair.is_half then unit_pair.numerator end as numerator,
        case when not unit_pair.is_half then unit_pair.denominator end as denominator
    from unit_pair
    inner join {{ ref('slice') }} as slice
        on (slice.slice = 'all' or unit_pair.class_group = slice.class_group)
            and (coalesce(slice.ownership, '') = '' or unit_pair.ownership = slice.ownership)
    where unit_pair.unit_region_code is not null
),

-- Sums over units; then over time a flow is added up and a stock is taken from the last month.
over_units as (
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
        base_start,
        base_end,
        base_type,
        is_rolled_up,
        over_time,
        count(*) as reports_expected,
        count(numerator) as reports_counted,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from contribution
    group by
        subject_type, subject_code, organization_key, slice, indicator_code, period_type, period_start, period_end,
        base_start, base_end, base_type, is_rolled_up, over_time
),

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

-- Each slice that an indicator is asked for, with the parts of the slices that its rule names. One grouping
-- instead of two joins of the sums with themselves: it costs the same whatever the planner expects.
asked as (
    select
        over_time.*,
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
    from over_time
    inner join rule
        on over_time.indicator_code = rule.indicator_code
            and over_time.period_type = rule.period_type
    inner join {{ ref('indicator_slice') }} as indicator_slice
        on over_time.indicator_code = indicator_slice.indicator_code
            and (over_time.subject_type = 'region' or indicator_slice.slice = 'all')
    inner join {{ ref('slice') }} as slice
        on indicator_slice.slice = slice.slice
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
