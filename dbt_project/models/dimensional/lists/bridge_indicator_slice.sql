-- Grain: one row per indicator and slice by which it is computed.
{{ config(unique_key=['indicator_code', 'slice'], meta={'scope': 'all'}) }}
select
    indicator_slice.indicator_code,
    indicator_slice.slice,
    {{ release_columns() }}
from {{ ref('indicator_slice') }} as indicator_slice
