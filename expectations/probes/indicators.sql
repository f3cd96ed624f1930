-- Indicators beside themselves a year before, beside their units, and beside what cannot be.
with computed as materialized (
    select
        fact.subject_type,
        fact.subject_code,
        fact.organization_key,
        fact.region_code,
        fact.indicator_code,
        fact.slice,
        fact.period_type,
        fact.period_start,
        fact.period_end,
        fact.numerator,
        fact.denominator,
        fact.value,
        indicator.unit,
        indicator.scale,
        indicator.unit = '%' and indicator.aggregation_class like 'RS%' as is_share,
        indicator.unit in ('‰', '/10万', '/万') as is_rare
    from candidate.fct_indicator as fact
    inner join candidate.dim_indicator as indicator on fact.indicator_code = indicator.indicator_code
    where fact.status = 'computed' and fact.denominator > 0 and $near(fact)
),

beside as (
    select
        here.*,
        before.value as value_before,
        before.numerator as numerator_before,
        before.denominator as denominator_before
    from computed as here
    left join computed as before
        on here.subject_type = before.subject_type and here.subject_code = before.subject_code
            and here.indicator_code = before.indicator_code and here.slice = before.slice and here.period_type = before.period_type
            and before.period_start = (here.period_start - interval '1 year')::date
            -- Quarters that accumulate begin on one day.
            and extract(month from before.period_end) = extract(month from here.period_end)
),

usual as (
    select subject_type, subject_code, indicator_code, slice, period_type, avg(least(abs(ln(value / value_before)), 1)) as change, count(*) as periods
    from beside
    where value > 0 and value_before > 0
    group by subject_type, subject_code, indicator_code, slice, period_type
),

-- The units of a region, which its rate must lie between.
units as (
    select region_code, indicator_code, period_type, period_end, min(value) as lowest, max(value) as highest, count(*) as units
    from computed
    where subject_type = 'organization' and slice = 'all'
    group by region_code, indicator_code, period_type, period_end
    having count(*) > 1
),

found as (
    select
        'jump' as kind, beside.*,
        -- Both years scatter: shares like draws, rare events like their root, and every series by its own habit.
        abs(ln(beside.value / beside.value_before))
        / sqrt(
            power(2.5 * usual.change, 2) + 0.0025
            + case
                when beside.is_share then
                    greatest(1 - beside.value / 100, 0.02) / greatest(beside.numerator, 1)
                    + greatest(1 - beside.value_before / 100, 0.02) / greatest(beside.numerator_before, 1)
                else 1 / greatest(beside.numerator, 1) + 1 / greatest(beside.numerator_before, 1)
            end
        ) as score,
        beside.value_before as expected, 'against the same period of the year before' as cause
    from beside
    inner join usual using (subject_type, subject_code, indicator_code, slice, period_type)
    where beside.value > 0 and beside.value_before > 0
        -- Small numbers move much and mean little.
        and beside.numerator >= 20 and beside.numerator_before >= 20
        and abs(ln(beside.value / beside.value_before)) > 0.25
    union all
    select
        'rare_events', beside.*,
        2 * abs(sqrt(beside.numerator + 0.375) - sqrt(beside.numerator_before * beside.denominator / beside.denominator_before + 0.375)),
        beside.value_before, 'more or fewer events than chance explains'
    from beside
    where beside.is_rare and beside.denominator_before > 0 and beside.period_type in ('year', 'mch_year')
        and beside.numerator <> beside.numerator_before
    union all
    select
        'all_of_them', beside.*, beside.denominator, 100, 'exactly 100 % of many, as the year before'
    from beside
    where beside.is_share and beside.value = 100 and beside.value_before = 100 and beside.numerator = beside.denominator
        and beside.numerator <> beside.numerator_before
    union all
    select
        'between_units', beside.*,
        100 * greatest(units.lowest - beside.value, beside.value - units.highest) / nullif(abs(beside.value), 0),
        case when beside.value < units.lowest then units.lowest else units.highest end,
        format('its %s units have %s to %s', units.units, round(units.lowest, 2), round(units.highest, 2))
    from beside
    inner join units
        on beside.subject_code = units.region_code and beside.indicator_code = units.indicator_code
            and beside.period_type = units.period_type and beside.period_end = units.period_end
    where beside.subject_type = 'region' and beside.slice = 'all' and beside.is_share
        and beside.value not between units.lowest and units.highest
)

select
    found.kind, found.indicator_code as item, null::bigint as looked, found.subject_type, found.subject_code, found.organization_key,
    found.indicator_code, found.slice, found.period_type, found.period_start,
    -- Quarters that accumulate begin on one day.
    case when found.period_type = 'cumulative_quarter' then found.period_end::text end as place,
    found.score, found.value as observed, found.expected, found.denominator, found.cause
from found
where $judged(found)
union all
select null, indicator_code, count(*), null, null, null, null, null, null, null, null, null, null, null, null, null
from computed
group by indicator_code
