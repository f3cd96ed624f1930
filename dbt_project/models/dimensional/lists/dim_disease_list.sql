-- Grain: one row per version of the list of notifiable diseases.
{{ config(unique_key=['valid_from'], meta={'scope': 'all'}) }}
select
    disease_list.valid_from,
    coalesce(disease_list.valid_to, date '9999-12-31') as valid_to,
    disease_list.diseases,
    disease_list.class_a,
    disease_list.class_b,
    disease_list.class_c,
    disease_list.change_zh,
    disease_list.basis,
    {{ release_columns() }}
from {{ ref('disease_list') }} as disease_list
