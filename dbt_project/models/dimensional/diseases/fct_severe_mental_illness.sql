-- Grain: one row per region and quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['smi_quarterly']}
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
    stg.smi_deaths,
    stg.smi_registered,
    stg.smi_consented,
    stg.smi_managed,
    stg.smi_std_managed,
    stg.smi_medicated,
    stg.smi_regular_medication,
    stg.smi_stable,
    stg.smi_risk_0,
    stg.smi_risk_1,
    stg.smi_risk_2,
    stg.smi_risk_3,
    stg.smi_risk_4,
    stg.smi_risk_5,
    stg.smi_lost,
    stg.resident_population,
    stg.smi_schizophrenia,
    stg.smi_paranoid,
    stg.smi_schizoaffective,
    stg.smi_bipolar,
    stg.smi_epilepsy,
    stg.smi_retardation,
    {{ release_columns() }}
from {{ ref('stg_raw__smi_quarterly') }} as stg
where {{ in_scope('stg') }}
