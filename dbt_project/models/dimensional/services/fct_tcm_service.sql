-- Grain: one row per institution, form and period.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report', 'forms': ['bphs_quarterly', 'inst_annual_phc', 'hosp_monthly', 'inst_annual_village'],
            'also': 'later_quarters'
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
    village.tcm_service,
    {{ is_restated(['tcm_65_managed', 'tcm_children_managed']) }} as is_restated,
    {{ of_the_quarter('tcm_65_managed') }} as tcm_65_managed_of_quarter,
    {{ of_the_quarter('tcm_children_managed') }} as tcm_children_managed_of_quarter,
    monthly.revenue_tcm_drug,
    monthly.expenditure_tcm_drug,
    stg.tcm_65_managed,
    stg.tcm_children_managed,
    phc.tcm_managed_0_3,
    phc.tcm_managed_65,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join {{ ref('stg_raw__bphs_quarterly') }} as stg
    on report.report_id = stg.report_id
left join {{ ref('stg_raw__inst_annual_phc') }} as phc
    on report.report_id = phc.report_id
left join {{ ref('stg_raw__hosp_monthly') }} as monthly
    on report.report_id = monthly.report_id
left join {{ ref('stg_raw__inst_annual_village') }} as village
    on report.report_id = village.report_id
{{ quarter_before(ref('stg_raw__bphs_quarterly')) }}
{{ organization_at('organization', 'report.organization_key', 'report.period_end') }}
where {{ in_scope('report') }}
    and report.form_code in ('bphs_quarterly', 'inst_annual_phc', 'hosp_monthly', 'inst_annual_village')
    and num_nonnulls(
        village.tcm_service, monthly.revenue_tcm_drug, monthly.expenditure_tcm_drug, stg.tcm_65_managed,
        stg.tcm_children_managed, phc.tcm_managed_0_3, phc.tcm_managed_65
    ) > 0
