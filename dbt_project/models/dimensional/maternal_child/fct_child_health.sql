-- Grain: one row per region and maternal-child year or quarter.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['mch_child_annual', 'mch_child_quarterly']}
    )
}}
with stg as (
    select * from {{ ref('stg_raw__mch_child_annual') }}
    union all
    select * from {{ ref('stg_raw__mch_child_quarterly') }}
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
    stg.deaths_under5,
    stg.deaths_under5_male,
    stg.deaths_under5_female,
    stg.deaths_under5_sex_unknown,
    stg.deaths_infant,
    stg.deaths_infant_male,
    stg.deaths_infant_female,
    stg.deaths_infant_sex_unknown,
    stg.deaths_neonatal,
    stg.deaths_neonatal_male,
    stg.deaths_neonatal_female,
    stg.deaths_neonatal_sex_unknown,
    stg.breastfeeding_surveyed,
    stg.breastfed,
    stg.exclusively_breastfed,
    stg.newborns_visited,
    stg.newborns_screened_pku,
    stg.newborns_screened_ch,
    stg.newborns_screened_hearing,
    stg.children_0_6_managed,
    stg.children_lt3_systematic,
    stg.measured_lt5,
    stg.underweight,
    stg.stunted,
    stg.overweight,
    stg.obese,
    stg.hb_tested_lt5,
    stg.anaemic,
    stg.anaemic_mod_severe,
    stg.children_lt7,
    stg.children_lt5,
    stg.children_lt3,
    {{ release_columns() }}
from stg
where {{ in_scope('stg') }}
