-- Grain: one row per contradiction of a plan that people have described.
{{ config(unique_key=['plan_code', 'kind', 'indicator_code', 'slices'], meta={'scope': 'all'}) }}
select
    described.plan_code,
    described.kind,
    described.indicator_code,
    coalesce(described.slice, '') as slices,
    described.reference,
    described.title_zh,
    described.title_en,
    {{ release_columns() }}
from {{ ref('plan_contradiction') }} as described
