-- Grain: one row per field of a form that a part of an indicator is the sum of.
with part as (
    select
        recipe.recipe_no,
        recipe.period_types,
        indicator_part.part,
        indicator_part.form_code,
        {{ indicator_field('indicator_part') }} as field_code,
        coalesce(indicator_part.breakdown, '') as breakdown,
        coalesce(indicator_part.coefficient, 1) as coefficient,
        coalesce(indicator_part.per_day, false) as is_per_day,
        coalesce(indicator_part.year_offset, 0) as year_offset,
        coalesce(indicator_part.slice, 'all') as slice,
        indicator_part.over_time
    from {{ ref('indicator_part') }} as indicator_part
    inner join {{ ref('int_indicator_recipe') }} as recipe
        on indicator_part.indicator_code = recipe.indicator_code
            and indicator_part.period_type = recipe.period_types[1]
)

select
    recipe_no,
    row_number() over (
        partition by recipe_no
        order by part, form_code, field_code, breakdown, slice, year_offset, coefficient, over_time
    )::int as part_no,
    part = 'numerator' as is_numerator,
    form_code,
    field_code,
    breakdown,
    -- What several parts take is counted once.
    dense_rank() over (order by form_code, field_code, breakdown)::int as measure_no,
    coefficient,
    is_per_day,
    year_offset,
    slice,
    case over_time
        when 'before_last' then false
        when 'last' then nullif(bool_or(over_time = 'sum') over (partition by recipe_no), false)
    end as only_at_year_end,
    case
        when form_code = 'map' or not 'year' = any(period_types) then period_types
        else period_types || array['month', 'quarter', 'cumulative_quarter']
    end as base_types
from part
