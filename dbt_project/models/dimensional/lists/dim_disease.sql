-- Grain: one row per disease and spell in which its class stayed the same.
{{ config(unique_key=['disease_code', 'valid_from'], meta={'scope': 'all'}) }}
select
    disease.disease_code,
    coalesce(disease.valid_from, date '1989-09-01') as valid_from,
    coalesce(disease.valid_to, date '9999-12-31') as valid_to,
    disease.name_zh,
    disease.disease_class,
    disease.parent_code,
    case
        when disease.disease_class = 'total' then 'total'
        when disease.parent_code in ('AB_TOTAL', 'C_TOTAL') then 'disease'
        else 'type'
    end as disease_level,
    {{ release_columns() }}
from {{ ref('disease') }} as disease
