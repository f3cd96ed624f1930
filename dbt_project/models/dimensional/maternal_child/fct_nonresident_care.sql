-- Grain: one row per region and maternal-child year.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['mch_nonresident_annual']}
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
    stg.live_births_nonresident,
    stg.women_nonresident,
    stg.systematic_nonresident,
    stg.hospital_delivery_nonresident,
    stg.maternal_deaths_nonresident,
    stg.infant_deaths_nonresident,
    stg.under5_deaths_nonresident,
    {{ release_columns() }}
from {{ ref('stg_raw__mch_nonresident_annual') }} as stg
where {{ in_scope('stg') }}
