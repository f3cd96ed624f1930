-- Grain: one row per rate of reporting quality.
{{ config(unique_key=['rate_code'], meta={'scope': 'all'}) }}
select
    rate.ordinal,
    rate.rate_code,
    rate.name_zh,
    rate.name_en,
    rate.formula_zh,
    rate.is_lower_better,
    rate.weight,
    nullif(rate.survey_code, '') as survey_code,
    nullif(rate.survey_item, '') as survey_item,
    rate.reason_zh,
    {{ release_columns() }}
from {{ ref('reporting_rate') }} as rate
