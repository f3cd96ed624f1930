-- Grain: one row per region, form and period.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['ncms_report', 'ncms_quarterly']}
    )
}}
select
    report.organization_key,
    report.region_code,
    report.report_id,
    report.form_code,
    report.period_type,
    report.period_start,
    report.period_end,
    annual.funds_raised,
    annual.fiscal_subsidy,
    annual.individual_contribution,
    annual.funds_other,
    coalesce(annual.fund_paid, quarterly.fund_paid) as fund_paid,
    coalesce(annual.inpatient_cases, quarterly.inpatient_cases) as inpatient_cases,
    coalesce(annual.inpatient_cost, quarterly.inpatient_cost) as inpatient_cost,
    coalesce(annual.inpatient_paid, quarterly.inpatient_paid) as inpatient_paid,
    coalesce(annual.outpatient_cases, quarterly.outpatient_cases) as outpatient_cases,
    coalesce(annual.major_illness_paid, quarterly.major_illness_paid) as major_illness_paid,
    annual.eligible,
    annual.enrolled,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join {{ ref('stg_raw__ncms_report') }} as annual
    on report.report_id = annual.report_id
left join {{ ref('stg_raw__ncms_quarterly') }} as quarterly
    on report.report_id = quarterly.report_id
where {{ in_scope('report') }}
    and report.form_code in ('ncms_report', 'ncms_quarterly')
    and coalesce(annual.report_id, quarterly.report_id) is not null
