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
    coalesce(hospital.staff_authorised, phc.staff_authorised) as staff_authorised,
    coalesce(hospital.staff_total, phc.staff_total) as staff_total,
    coalesce(monthly.staff_technical, hospital.staff_technical, phc.staff_technical) as staff_technical,
    coalesce(
        monthly.doctors, village.doctors, hospital.doctors_licensed + hospital.doctors_assistant,
        phc.doctors_licensed + phc.doctors_assistant
    ) as doctors,
    coalesce(hospital.doctors_licensed, phc.doctors_licensed) as doctors_licensed,
    coalesce(hospital.doctors_licensed_clinical, phc.doctors_licensed_clinical) as doctors_licensed_clinical,
    coalesce(hospital.doctors_licensed_tcm, phc.doctors_licensed_tcm) as doctors_licensed_tcm,
    coalesce(hospital.doctors_licensed_dental, phc.doctors_licensed_dental) as doctors_licensed_dental,
    coalesce(hospital.doctors_licensed_ph, phc.doctors_licensed_ph) as doctors_licensed_ph,
    coalesce(hospital.doctors_assistant, phc.doctors_assistant) as doctors_assistant,
    coalesce(monthly.gp_registered, hospital.gp_registered, phc.gp_registered) as gp_registered,
    coalesce(monthly.gp_certified, hospital.gp_certified, phc.gp_certified) as gp_certified,
    coalesce(monthly.nurses, hospital.nurses, phc.nurses, village.nurses) as nurses,
    coalesce(hospital.midwives, phc.midwives) as midwives,
    coalesce(hospital.pharmacists, phc.pharmacists) as pharmacists,
    coalesce(hospital.lab_technicians, phc.lab_technicians) as lab_technicians,
    coalesce(hospital.imaging_technicians, phc.imaging_technicians) as imaging_technicians,
    coalesce(hospital.health_supervisors, phc.health_supervisors) as health_supervisors,
    coalesce(hospital.other_health_technicians, phc.other_health_technicians) as other_health_technicians,
    coalesce(hospital.staff_other_technical, phc.staff_other_technical) as staff_other_technical,
    coalesce(hospital.staff_management, phc.staff_management) as staff_management,
    coalesce(hospital.staff_logistics, phc.staff_logistics) as staff_logistics,
    coalesce(hospital.village_doctors, phc.village_doctors, village.village_doctors) as village_doctors,
    village.health_workers,
    coalesce(hospital.beds_authorised, phc.beds_authorised) as beds_authorised,
    coalesce(monthly.beds_actual, hospital.beds_actual, phc.beds_actual) as beds_actual,
    coalesce(hospital.beds_special, phc.beds_special) as beds_special,
    coalesce(hospital.beds_negative_pressure, phc.beds_negative_pressure) as beds_negative_pressure,
    coalesce(hospital.floor_area, phc.floor_area) as floor_area,
    coalesce(hospital.equipment_value_10k, phc.equipment_value_10k) as equipment_value_10k,
    coalesce(hospital.equipment_count_10k, phc.equipment_count_10k) as equipment_count_10k,
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
