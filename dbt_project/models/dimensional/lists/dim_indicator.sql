-- Grain: one row per indicator.
{{ config(unique_key=['indicator_code'], meta={'scope': 'all'}) }}
with part as (
    select
        indicator_code,
        string_agg(distinct form_code, ' ' order by form_code) as form_code
    from {{ ref('indicator_part') }}
    group by indicator_code
)

select
    indicator.indicator_code,
    indicator.name_zh,
    indicator.name_en,
    indicator.domain,
    indicator.unit,
    indicator.scale,
    indicator.aggregation_class,
    indicator.numerator,
    indicator.denominator,
    indicator.definition_source,
    indicator.valid_from,
    indicator.valid_to,
    indicator.by_organization,
    indicator.interval_method,
    coalesce(indicator.is_pooled, false) as is_pooled,
    indicator.not_carried_reason,
    indicator.no_interval_reason,
    part.form_code is not null as is_computed,
    part.form_code as source_forms,
    {{ release_columns() }}
from {{ ref('indicator') }} as indicator
left join part
    on indicator.indicator_code = part.indicator_code
