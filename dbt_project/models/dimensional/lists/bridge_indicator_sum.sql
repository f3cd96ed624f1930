-- Grain: one row per indicator that is a sum and indicator that is added up in it.
{{ config(unique_key=['indicator_code', 'part_code'], meta={'scope': 'all'}) }}
select
    indicator_sum.indicator_code,
    indicator_sum.part_code,
    {{ release_columns() }}
from {{ ref('indicator_sum') }} as indicator_sum
