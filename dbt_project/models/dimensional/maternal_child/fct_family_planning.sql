-- Grain: one row per region and maternal-child year.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['fp_services_annual']}
    )
}}
select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.form_code,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    {{ mch_year('stg.period_end') }} as mch_year,
    stg.iud_insert,
    stg.iud_remove,
    stg.vasectomy,
    stg.tubal_ligation,
    stg.abortion,
    stg.consultations,
    stg.complications,
    {{ release_columns() }}
from {{ ref('stg_raw__fp_services_annual') }} as stg
where {{ in_scope('stg') }}
