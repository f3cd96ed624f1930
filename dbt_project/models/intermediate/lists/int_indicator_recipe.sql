-- Grain: one row per indicator and the periods for which it is made alike.
-- What is made alike for several kinds of period (the visits of a month and of a year) is made once, of reports as
-- they come, and told by period at the end.
with indicator_period as (
    select
        indicator_part.indicator_code,
        indicator_part.period_type,
        array_agg(to_jsonb(indicator_part) - 'period_type' order by to_jsonb(indicator_part) - 'period_type') as parts,
        -- The map of a quarter is none of the year.
        case when bool_or(indicator_part.form_code = 'map') then indicator_part.period_type end as alone,
        max(indicator_part.slice_rule) filter (where indicator_part.part = 'numerator') as numerator_rule,
        max(indicator_part.slice_rule) filter (where indicator_part.part = 'denominator') as denominator_rule,
        max(indicator_part.over_time) as over_time,
        count(*) filter (where indicator_part.part = 'numerator' and indicator_part.slice is null) as numerator_parts,
        count(*) filter (where indicator_part.part = 'denominator' and indicator_part.slice is null)
            as denominator_parts,
        bool_or(indicator_part.form_code = 'directory') as counts_units
    from {{ ref('indicator_part') }} as indicator_part
    group by indicator_part.indicator_code, indicator_part.period_type
),

recipe as (
    select
        indicator_code,
        parts,
        array_agg(period_type order by period_type) as period_types,
        max(numerator_rule) as numerator_rule,
        max(denominator_rule) as denominator_rule,
        max(over_time) as over_time,
        max(numerator_parts) as numerator_parts,
        max(denominator_parts) as denominator_parts,
        bool_or(counts_units) as counts_units
    from indicator_period
    group by indicator_code, parts, alone
)

select
    row_number() over (order by recipe.indicator_code, recipe.period_types)::int as recipe_no,
    recipe.indicator_code,
    recipe.period_types,
    recipe.over_time,
    recipe.numerator_rule,
    recipe.denominator_rule,
    recipe.numerator_parts,
    recipe.denominator_parts,
    indicator.aggregation_class = 'MS' and indicator.denominator is null as is_minimum,
    indicator.by_organization,
    recipe.counts_units,
    indicator.scale,
    indicator.denominator is not null as is_ratio
from recipe
inner join {{ ref('indicator') }} as indicator
    on recipe.indicator_code = indicator.indicator_code
