-- Grain: one row per indicator, region or institution, slice and period, with its numerator and denominator.
{{
    config(
        unique_key=['subject_type', 'subject_code', 'indicator_code', 'slice', 'period_type', 'period_start'],
        indexes=[
            {'columns': ['period_start', 'period_type']},
            {'columns': ['indicator_code', 'subject_code', 'period_start']}
        ],
        meta={'scope': 'period'}
    )
}}
{%- set monthly = "('month', 'quarter')" %}
-- Every report, received or only due, that has a part in an indicator of a period to be built.
with part_of_report as (
    select
        report.report_id,
        report.subject_type,
        report.subject_code,
        case when report.subject_type = 'organization' then report.organization_key end as organization_key,
        report.region_code,
        report.period_start as base_start,
        report.period_end as base_end,
        report.period_type <> part.period_type as is_rolled_up,
        report.period_type as base_type,
        part.indicator_code,
        part.part,
        part.field_code,
        part.breakdown,
        part.period_type,
        case
            when report.period_type = part.period_type then report.period_start
            else date_trunc('year', report.period_start)::date
        end as period_start,
        case
            when report.period_type = part.period_type then report.period_end
            else (date_trunc('year', report.period_start) + interval '1 year - 1 day')::date
        end as period_end
    from {{ at_candidate(ref('dim_report')) }} as report
    inner join {{ ref('indicator_part') }} as part
        on report.form_code = part.form_code
            and (
                report.period_type = part.period_type
                or (part.period_type = 'year' and report.period_type in {{ monthly }})
            )
    where {{ changed_days('report.period_start') }}
),

in_period as (
    select part_of_report.*
    from part_of_report
    where {{ in_scope('part_of_report') }}
),

value as (
    select
        reported.report_id,
        reported.field_code,
        reported.breakdown,
        reported.value
    from {{ at_candidate(ref('fct_reported_value')) }} as reported
    where {{ changed_days('reported.period_start') }}
        and (reported.form_code, reported.field_code) in (
            select
                part.form_code,
                part.field_code
            from {{ ref('indicator_part') }} as part
        )
),

-- The two parts of an indicator in one report. A part that is a sum of fields needs all of them.
report_pair as (
    select
        in_period.subject_type,
        in_period.subject_code,
        in_period.organization_key,
        in_period.region_code,
        in_period.indicator_code,
        in_period.period_type,
        in_period.period_start,
        in_period.period_end,
        in_period.base_start,
        in_period.base_end,
        in_period.base_type,
        in_period.is_rolled_up,
        case
            when count(value.value) filter (where in_period.part = 'numerator')
                = count(*) filter (where in_period.part = 'numerator')
                then sum(value.value) filter (where in_period.part = 'numerator')
        end as numerator,
        case
            when count(value.value) filter (where in_period.part = 'denominator')
                = count(*) filter (where in_period.part = 'denominator')
                then sum(value.value) filter (where in_period.part = 'denominator')
        end as denominator,
        count(distinct in_period.part) = 2 as has_both_parts
    from in_period
    left join value
        on in_period.report_id = value.report_id
            and in_period.field_code = value.field_code
            and coalesce(in_period.breakdown, '') = value.breakdown
    group by
        -- Files of one measure each are reports of their own for the same subject and period.
        in_period.subject_type, in_period.subject_code, in_period.organization_key, in_period.region_code,
        in_period.indicator_code, in_period.period_type, in_period.period_start, in_period.period_end,
        in_period.base_start, in_period.base_end, in_period.base_type, in_period.is_rolled_up
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
        coalesce(pair.region_code, organization.region_code) as unit_region_code,
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
        case max(case when not is_rolled_up then 'single' else base_type end)
            when 'month' then 12
            when 'quarter' then 4
            else 1
        end as periods_needed,
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

-- Each slice that an indicator is asked for, with the parts of the slices that its rule names.
wanted as (
    select distinct
        over_time.subject_type,
        over_time.subject_code,
        over_time.organization_key,
        over_time.region_code,
        over_time.indicator_code,
        over_time.period_type,
        over_time.period_start,
        over_time.period_end,
        indicator_slice.slice,
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
        on over_time.indicator_code = rule.indicator_code and over_time.period_type = rule.period_type
    inner join {{ ref('indicator_slice') }} as indicator_slice
        on over_time.indicator_code = indicator_slice.indicator_code
            and (over_time.subject_type = 'region' or indicator_slice.slice = 'all')
    inner join {{ ref('slice') }} as slice
        on indicator_slice.slice = slice.slice
    where over_time.slice = 'all'
),

result as (
    select
        wanted.subject_type,
        wanted.subject_code,
        wanted.organization_key,
        wanted.region_code,
        wanted.indicator_code,
        wanted.slice,
        wanted.period_type,
        wanted.period_start,
        wanted.period_end,
        upper_part.subject_code is null as is_without_units,
        upper_part.numerator,
        lower_part.denominator,
        (
            upper_part.numerator_periods < upper_part.periods_needed
            or lower_part.denominator_periods < lower_part.periods_needed
        ) as is_incomplete,
        coalesce(upper_part.reports_expected, 0) as reports_expected,
        coalesce(upper_part.reports_counted, 0) as reports_counted
    from wanted
    left join over_time as upper_part
        on wanted.subject_type = upper_part.subject_type
            and wanted.subject_code = upper_part.subject_code
            and wanted.indicator_code = upper_part.indicator_code
            and wanted.period_type = upper_part.period_type
            and wanted.period_start = upper_part.period_start
            and wanted.numerator_slice = upper_part.slice
    left join over_time as lower_part
        on wanted.subject_type = lower_part.subject_type
            and wanted.subject_code = lower_part.subject_code
            and wanted.indicator_code = lower_part.indicator_code
            and wanted.period_type = lower_part.period_type
            and wanted.period_start = lower_part.period_start
            and wanted.denominator_slice = lower_part.slice
    -- A region has no row for a slice of which it has no unit.
    where wanted.slice = 'all' or upper_part.subject_code is not null
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
