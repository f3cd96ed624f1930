-- Grain: one row per plan document.
{{ config(unique_key=['plan_code'], meta={'scope': 'all'}) }}
select
    plan.plan_code,
    plan.document_no,
    plan.title_zh,
    plan.plan_type,
    plan.authority_zh,
    plan.region_code,
    plan.period_start,
    plan.period_end,
    {{ release_columns() }}
from {{ ref('plan') }} as plan
