-- Grain: one row per indicator, as it is made alike, and slice that it is asked for.
select
    recipe.recipe_no,
    recipe.indicator_code,
    recipe.scale,
    recipe.is_ratio,
    indicator_slice.slice as asked_slice,
    case recipe.numerator_rule
        when 'own' then indicator_slice.slice
        when 'parent' then slice.parent_slice
        else recipe.numerator_rule
    end as numerator_slice,
    case recipe.denominator_rule
        when 'own' then indicator_slice.slice
        when 'parent' then slice.parent_slice
        else recipe.denominator_rule
    end as denominator_slice
from {{ ref('int_indicator_recipe') }} as recipe
inner join {{ ref('indicator_slice') }} as indicator_slice
    on recipe.indicator_code = indicator_slice.indicator_code
inner join {{ ref('slice') }} as slice
    on indicator_slice.slice = slice.slice
