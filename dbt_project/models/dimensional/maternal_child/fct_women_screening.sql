-- Grain: one row per region and maternal-child year.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['women_screening_annual']}
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
    stg.women_due,
    stg.women_screened,
    stg.disease_found,
    stg.cervical_screened,
    stg.cervical_precancer,
    stg.cervical_cancer,
    stg.breast_screened,
    stg.breast_cancer,
    stg.treated,
    stg.women_20_64,
    {{ release_columns() }}
from {{ ref('stg_raw__women_screening_annual') }} as stg
where {{ in_scope('stg') }}
