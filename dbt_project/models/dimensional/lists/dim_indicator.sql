-- Grain: one row per indicator.
{{ config(unique_key=['indicator_code'], meta={'scope': 'all'}) }}
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
    indicator.by_organization,
    exists(
        select from {{ ref('indicator_part') }} as part
        where part.indicator_code = indicator.indicator_code
    ) as is_computed,
    {{ release_columns() }}
from {{ ref('indicator') }} as indicator
