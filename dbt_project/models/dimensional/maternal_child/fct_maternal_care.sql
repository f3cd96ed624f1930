-- Grain: one row per region and maternal-child year or quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['mch_maternal_annual', 'mch_maternal_quarterly']}
    )
}}
with stg as (
    select * from {{ ref('stg_raw__mch_maternal_annual') }}
    union all
    select * from {{ ref('stg_raw__mch_maternal_quarterly') }}
)

select
    stg.organization_key,
    stg.region_code,
    stg.report_id,
    stg.form_code,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    {{ mch_year('stg.period_end') }} as mch_year,
    stg.residence_class,
    stg.live_births,
    stg.live_births_male,
    stg.live_births_female,
    stg.live_births_sex_unknown,
    stg.live_births_agri,
    stg.women_delivered,
    stg.women_nonagri,
    stg.women_agri,
    stg.women_registered,
    stg.women_antenatal_checked,
    stg.women_antenatal_5plus,
    stg.women_early_checked,
    stg.women_hb_tested,
    stg.women_hb_lt100,
    stg.women_hb_lt80,
    stg.pmtct_hiv_tested,
    stg.pmtct_hiv_infected,
    stg.pmtct_syphilis_tested,
    stg.pmtct_syphilis_infected,
    stg.pmtct_hbv_tested,
    stg.pmtct_hbv_positive,
    stg.prenatal_screened,
    stg.prenatal_screen_highrisk,
    stg.prenatal_diagnosed,
    stg.prenatal_confirmed,
    stg.women_postnatal_visited,
    stg.women_systematic_managed,
    stg.live_births_in_hospital,
    stg.caesarean_live_births,
    stg.nonhospital_clean_delivery,
    stg.highrisk_women,
    stg.highrisk_managed,
    stg.highrisk_hospital_delivery,
    stg.maternal_deaths,
    stg.maternal_deaths_haemorrhage,
    stg.maternal_deaths_hypertension,
    stg.maternal_deaths_medical,
    stg.maternal_deaths_embolism,
    stg.maternal_deaths_other,
    stg.low_birth_weight,
    stg.macrosomia,
    stg.preterm,
    stg.stillbirths,
    stg.early_neonatal_deaths,
    stg.early_neonatal_deaths_male,
    stg.early_neonatal_deaths_female,
    stg.early_neonatal_deaths_sex_unknown,
    stg.neonatal_tetanus_cases,
    stg.maternal_mortality,
    {{ release_columns() }}
from stg
where {{ in_scope('stg') }}
