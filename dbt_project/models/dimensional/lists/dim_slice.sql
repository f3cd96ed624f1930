-- Grain: one row per slice of institutions or regions by which indicators are computed.
{{ config(unique_key=['slice'], meta={'scope': 'all'}) }}
select
    slice.slice,
    slice.parent_slice,
    slice.class_group,
    slice.ownership,
    slice.name_zh,
    slice.class_pattern,
    slice.level,
    slice.grade,
    slice.beds_from,
    slice.beds_to,
    slice.region_pattern,
    {{ release_columns() }}
from {{ ref('slice') }} as slice
