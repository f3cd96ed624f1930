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
    coalesce(
        monthly.visits_total, hospital.visits_total, phc.visits_total, village.visits_total
    ) as visits_total,
    coalesce(hospital.visits_outpatient, phc.visits_outpatient) as visits_outpatient,
    coalesce(hospital.visits_emergency, phc.visits_emergency) as visits_emergency,
    monthly.visits_outpatient_emergency,
    coalesce(
        monthly.visits_by_appointment, hospital.visits_by_appointment, phc.visits_by_appointment
    ) as visits_by_appointment,
    coalesce(hospital.visits_home, phc.visits_home) as visits_home,
    coalesce(hospital.visits_internet, phc.visits_internet) as visits_internet,
    coalesce(hospital.observation_cases, phc.observation_cases) as observation_cases,
    monthly.proxy_clinic_visits,
    monthly.proxy_village_clinic_visits,
    monthly.proxy_station_visits,
    coalesce(hospital.health_checks, phc.health_checks) as health_checks,
    coalesce(hospital.admissions, phc.admissions) as admissions,
    coalesce(monthly.discharges, hospital.discharges, phc.discharges) as discharges,
    coalesce(hospital.discharges_to_primary, phc.discharges_to_primary) as discharges_to_primary,
    coalesce(monthly.inpatient_deaths, hospital.inpatient_deaths, phc.inpatient_deaths) as inpatient_deaths,
    coalesce(hospital.inpatient_surgeries, phc.inpatient_surgeries) as inpatient_surgeries,
    monthly.pathway_discharges,
    coalesce(monthly.bed_days_open, hospital.bed_days_open, phc.bed_days_open) as bed_days_open,
    coalesce(monthly.bed_days_occupied, hospital.bed_days_occupied, phc.bed_days_occupied) as bed_days_occupied,
    coalesce(
        monthly.bed_days_of_discharged, hospital.bed_days_of_discharged, phc.bed_days_of_discharged
    ) as bed_days_of_discharged,
    monthly.proxy_org_count,
    monthly.pathway_diseases,
    monthly.case_payment_diseases,
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
