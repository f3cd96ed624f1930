-- Grain: one row per institution, year and entry of the equipment register.
{{
    config(
        unique_key=['organization_key', 'report_id', 'record_no'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['equipment_register']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.record_no,
    stg.device_code,
    stg.device_name,
    stg.origin,
    stg.maker,
    stg.model,
    stg.new_or_used,
    stg.status,
    stg.purchase_date,
    coalesce(stg.batch_count, 1) as devices,
    stg.price * coalesce(stg.batch_count, 1) as purchase_value,
    stg.price,
    stg.design_life,
    stg.source_sheet,
    stg.source_row,
    {{ release_columns() }}
from {{ ref('stg_raw__equipment_register') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
