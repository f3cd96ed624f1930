-- Grain: one row per institution, form and period.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['hosp_monthly', 'inst_annual_hospital', 'inst_annual_phc', 'inst_annual_village']
        }
    )
}}
select
    report.organization_key,
    organization.organization_version_key,
    organization.region_code,
    report.report_id,
    report.form_code,
    report.period_type,
    report.period_start,
    report.period_end,
    coalesce(hospital.revenue_total, phc.revenue_total) as revenue_total,
    coalesce(monthly.revenue_medical, hospital.revenue_medical, phc.revenue_medical) as revenue_medical,
    monthly.revenue_outpatient,
    monthly.revenue_outpatient_drug,
    monthly.revenue_inpatient,
    monthly.revenue_inpatient_drug,
    monthly.revenue_essential_drug,
    coalesce(hospital.revenue_fiscal_subsidy, phc.revenue_fiscal_subsidy) as revenue_fiscal_subsidy,
    coalesce(hospital.revenue_science_education, phc.revenue_science_education) as revenue_science_education,
    coalesce(hospital.revenue_other, phc.revenue_other) as revenue_other,
    village.subsidy,
    coalesce(hospital.expenditure_total, phc.expenditure_total) as expenditure_total,
    monthly.expenditure_medical,
    monthly.expenditure_drug,
    monthly.expenditure_public_health,
    coalesce(hospital.expenditure_personnel, phc.expenditure_personnel) as expenditure_personnel,
    coalesce(hospital.assets_total, phc.assets_total) as assets_total,
    coalesce(hospital.liabilities_current, phc.liabilities_current) as liabilities_current,
    coalesce(hospital.liabilities_noncurrent, phc.liabilities_noncurrent) as liabilities_noncurrent,
    coalesce(hospital.net_assets, phc.net_assets) as net_assets,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join {{ ref('stg_raw__hosp_monthly') }} as monthly
    on report.report_id = monthly.report_id
left join {{ ref('stg_raw__inst_annual_hospital') }} as hospital
    on report.report_id = hospital.report_id
left join {{ ref('stg_raw__inst_annual_phc') }} as phc
    on report.report_id = phc.report_id
left join {{ ref('stg_raw__inst_annual_village') }} as village
    on report.report_id = village.report_id
{{ organization_at('organization', 'report.organization_key', 'report.period_end') }}
where {{ in_scope('report') }}
    and report.form_code in ('hosp_monthly', 'inst_annual_hospital', 'inst_annual_phc', 'inst_annual_village')
    and coalesce(monthly.report_id, hospital.report_id, phc.report_id, village.report_id) is not null
