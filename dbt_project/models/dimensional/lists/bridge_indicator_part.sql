-- Grain: one row per indicator, part, period type, form, field, breakdown and condition.
{{
    config(
        unique_key=[
            'indicator_code', 'part', 'period_type', 'form_code', 'field_code', 'breakdown', 'condition', 'year_offset'
        ],
        meta={'scope': 'all'}
    )
}}
select
    part.indicator_code,
    part.part,
    part.period_type,
    part.form_code,
    part.field_code,
    coalesce(part.breakdown, '') as breakdown,
    coalesce(part.condition, '') as condition,
    coalesce(part.year_offset, 0) as year_offset,
    part.about,
    part.slice,
    part.slice_rule,
    part.over_time,
    coalesce(part.coefficient, 1) as coefficient,
    coalesce(part.per_day, false) as is_per_day,
    {{ release_columns() }}
from {{ ref('indicator_part') }} as part
