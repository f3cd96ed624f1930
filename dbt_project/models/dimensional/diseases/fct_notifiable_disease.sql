-- Grain: one row per region, disease and period: cases and deaths, which may come in two files.
{{
    config(
        unique_key=['organization_key', 'region_code', 'disease_code', 'period_type', 'period_start'],
        indexes=[{'columns': ['period_start', 'period_type']}, {'columns': ['disease_code', 'period_start']}],
        meta={'scope': 'period', 'forms': ['idr_monthly']}
    )
}}
with record as (
    select stg.*
    from {{ ref('stg_raw__idr_monthly') }} as stg
    where {{ in_scope('stg') }}
),

disease as (
    select
        record.region_code,
        record.disease_code,
        record.period_type,
        record.period_start,
        record.period_end,
        min(record.organization_key) as organization_key,
        {{ newest_given('cases') }} as cases,
        {{ newest_given('deaths') }} as deaths,
        {{ newest_given('incidence') }} as incidence,
        {{ newest_given('mortality') }} as mortality,
        {{ newest_given('count_basis') }} as count_basis,
        {{ newest_given('cases', of='report_id') }} as cases_report_id,
        {{ newest_given('deaths', of='report_id') }} as deaths_report_id,
        min(record.report_id) as any_report_id
    from record
    group by record.region_code, record.disease_code, record.period_type, record.period_start, record.period_end
)

select
    disease.organization_key,
    disease.region_code,
    disease.disease_code,
    disease.period_type,
    disease.period_start,
    disease.period_end,
    disease.cases,
    disease.deaths,
    disease.incidence,
    disease.mortality,
    disease.count_basis,
    coalesce(dim_disease.disease_class = 'total', false) as is_subtotal,
    coalesce(dim_disease.disease_level = 'type', false) as is_type,
    coalesce(disease.cases_report_id, disease.deaths_report_id, disease.any_report_id) as report_id,
    disease.deaths_report_id,
    {{ release_columns() }}
from disease
left join {{ at_candidate(ref('dim_disease')) }} as dim_disease
    on disease.disease_code = dim_disease.disease_code
        and disease.period_end >= dim_disease.valid_from
        and disease.period_end < dim_disease.valid_to
where disease.cases is not null or disease.deaths is not null
    or disease.incidence is not null or disease.mortality is not null
