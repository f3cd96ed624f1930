-- Grain: one row per region and quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['tb_quarterly']}
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
    stg.tb_reported,
    stg.tb_referred,
    stg.tb_traced,
    stg.tb_registered_active,
    stg.tb_bacteriological_positive,
    stg.tb_mdr_confirmed,
    stg.tb_mdr_treated,
    stg.tb_notified_phc,
    stg.tb_managed_phc,
    stg.tb_cohort_registered,
    stg.tb_cohort_cured,
    stg.tb_cohort_completed,
    stg.tb_cohort_failed,
    stg.tb_cohort_died,
    stg.tb_cohort_lost,
    stg.tb_cohort_other,
    {{ release_columns() }}
from {{ ref('stg_raw__tb_quarterly') }} as stg
where {{ in_scope('stg') }}
