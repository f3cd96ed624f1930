-- Grain: one row per printed line of the headline table.
{{ config(unique_key=['ordinal'], meta={'scope': 'all'}) }}
select
    headline.ordinal,
    headline.indicator_code,
    headline.slice,
    headline.period_type,
    headline.label_zh,
    {{ release_columns() }}
from {{ ref('headline') }} as headline
