-- Grain: one row per institution, form and period.
{{
    config(
        unique_key=['organization_key', 'report_id'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={
            'scope': 'report',
            'forms': ['bphs_quarterly', 'inst_annual_phc', 'inst_annual_hospital', 'hosp_monthly'],
            'also': 'later_quarters'
        }
    )
}}
{%- set cumulative = [
    'children_0_6_followed', 'children_0_6_systematic', 'newborns', 'newborns_visited', 'early_registered',
    'postnatal_visited', 'elderly_65_managed', 'hypertension_managed', 'hypertension_std_managed',
    'diabetes_managed', 'diabetes_std_managed', 'smi_std_managed', 'tb_notified', 'tb_managed', 'tb_completed',
    'tb_regular_medication', 'idr_reported_timely', 'supervision_events'
] %}
select
    report.organization_key,
    organization.organization_version_key,
    organization.region_code,
    report.report_id,
    report.form_code,
    report.period_type,
    report.period_start,
    report.period_end,
    {{ is_restated(cumulative) }} as is_restated,
    {{ of_the_quarter('children_0_6_followed') }} as children_0_6_followed_of_quarter,
    {{ of_the_quarter('children_0_6_systematic') }} as children_0_6_systematic_of_quarter,
    {{ of_the_quarter('newborns') }} as newborns_of_quarter,
    {{ of_the_quarter('newborns_visited') }} as newborns_visited_of_quarter,
    {{ of_the_quarter('early_registered') }} as early_registered_of_quarter,
    {{ of_the_quarter('postnatal_visited') }} as postnatal_visited_of_quarter,
    {{ of_the_quarter('elderly_65_managed') }} as elderly_65_managed_of_quarter,
    {{ of_the_quarter('hypertension_managed') }} as hypertension_managed_of_quarter,
    {{ of_the_quarter('hypertension_std_managed') }} as hypertension_std_managed_of_quarter,
    {{ of_the_quarter('diabetes_managed') }} as diabetes_managed_of_quarter,
    {{ of_the_quarter('diabetes_std_managed') }} as diabetes_std_managed_of_quarter,
    {{ of_the_quarter('smi_std_managed') }} as smi_std_managed_of_quarter,
    {{ of_the_quarter('tb_notified') }} as tb_notified_of_quarter,
    {{ of_the_quarter('tb_managed') }} as tb_managed_of_quarter,
    {{ of_the_quarter('tb_completed') }} as tb_completed_of_quarter,
    {{ of_the_quarter('tb_regular_medication') }} as tb_regular_medication_of_quarter,
    {{ of_the_quarter('idr_reported_timely') }} as idr_reported_timely_of_quarter,
    {{ of_the_quarter('supervision_events') }} as supervision_events_of_quarter,
    phc.consult_beneficiaries,
    phc.lecture_beneficiaries,
    phc.child_vaccinations,
    phc.idr_phe_reports,
    phc.supervision_patrols,
    stg.resident_population,
    coalesce(stg.health_records_cum, phc.health_records_cum, monthly.health_records_cum) as health_records_cum,
    coalesce(
        stg.health_records_electronic, phc.health_records_electronic, monthly.health_records_electronic
    ) as health_records_electronic,
    stg.health_records_active,
    coalesce(stg.children_0_6, phc.children_0_6) as children_0_6,
    stg.children_0_6_followed,
    stg.children_0_6_systematic,
    stg.newborns,
    stg.newborns_visited,
    stg.early_registered,
    stg.postnatal_visited,
    coalesce(stg.population_65_plus, phc.population_65_plus, hospital.population_65_plus) as population_65_plus,
    coalesce(stg.elderly_65_managed, phc.elderly_65_managed) as elderly_65_managed,
    stg.hypertension_estimated,
    stg.hypertension_managed,
    coalesce(stg.hypertension_std_managed, monthly.hypertension_std_managed) as hypertension_std_managed,
    stg.hypertension_controlled,
    stg.diabetes_estimated,
    stg.diabetes_managed,
    coalesce(stg.diabetes_std_managed, monthly.diabetes_std_managed) as diabetes_std_managed,
    stg.diabetes_controlled,
    stg.smi_registered,
    stg.smi_std_managed,
    stg.tb_notified,
    coalesce(stg.tb_managed, phc.tb_managed) as tb_managed,
    stg.tb_completed,
    stg.tb_regular_medication,
    stg.idr_reported_timely,
    stg.supervision_events,
    coalesce(phc.served_population, hospital.served_population) as served_population,
    phc.children_0_3,
    phc.children_0_6_managed,
    phc.early_pregnancy_registered,
    phc.hypertension_managed_cum,
    phc.diabetes_managed_cum,
    phc.smi_managed,
    {{ release_columns() }}
from {{ ref('stg_registry__report') }} as report
left join {{ ref('stg_raw__bphs_quarterly') }} as stg
    on report.report_id = stg.report_id
left join {{ ref('stg_raw__inst_annual_phc') }} as phc
    on report.report_id = phc.report_id
left join {{ ref('stg_raw__inst_annual_hospital') }} as hospital
    on report.report_id = hospital.report_id
left join {{ ref('stg_raw__hosp_monthly') }} as monthly
    on report.report_id = monthly.report_id
{{ quarter_before(ref('stg_raw__bphs_quarterly')) }}
{{ organization_at('organization', 'report.organization_key', 'report.period_end') }}
where {{ in_scope('report') }}
    and report.form_code in ('bphs_quarterly', 'inst_annual_phc', 'inst_annual_hospital', 'hosp_monthly')
    and (
        stg.report_id is not null
        or phc.report_id is not null
        or num_nonnulls(hospital.served_population, hospital.population_65_plus) > 0
        or num_nonnulls(
            monthly.health_records_cum, monthly.health_records_electronic, monthly.hypertension_std_managed,
            monthly.diabetes_std_managed
        ) > 0
    )
