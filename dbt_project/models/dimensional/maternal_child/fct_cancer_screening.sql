-- Grain: one row per region and quarter: running totals as reported, and the quarter's own.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['women_screening_quarterly'], 'also': 'later_quarters'}
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
    {{ of_the_quarter('women_screened') }} as women_screened_of_quarter,
    {{ of_the_quarter('disease_found') }} as disease_found_of_quarter,
    {{ of_the_quarter('cervical_screened') }} as cervical_screened_of_quarter,
    {{ of_the_quarter('cervical_precancer') }} as cervical_precancer_of_quarter,
    {{ of_the_quarter('cervical_cancer') }} as cervical_cancer_of_quarter,
    {{ of_the_quarter('breast_screened') }} as breast_screened_of_quarter,
    {{ of_the_quarter('breast_cancer') }} as breast_cancer_of_quarter,
    {{ of_the_quarter('treated') }} as treated_of_quarter,
    {{ is_restated([
        'women_screened',
        'disease_found',
        'cervical_screened',
        'cervical_precancer',
        'cervical_cancer',
        'breast_screened',
        'breast_cancer',
        'treated'
    ]) }} as is_restated,
    stg.women_due,
    stg.women_screened,
    stg.disease_found,
    stg.cervical_screened,
    stg.cervical_precancer,
    stg.cervical_cancer,
    stg.breast_screened,
    stg.breast_cancer,
    stg.treated,
    {{ release_columns() }}
from {{ ref('stg_raw__women_screening_quarterly') }} as stg
{{ quarter_before(ref('stg_raw__women_screening_quarterly')) }}
where {{ in_scope('stg') }}
