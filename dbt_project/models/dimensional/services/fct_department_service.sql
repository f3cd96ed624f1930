-- Grain: one row per hospital, year and department.
{{
    config(
        unique_key=['organization_key', 'report_id', 'department'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['inst_annual_hospital_dept']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    stg.department,
    stg.department = 'TOTAL' as is_total,
    stg.visits_outpatient_emergency,
    stg.discharges,
    stg.beds_actual,
    {{ release_columns() }}
from {{ ref('stg_raw__inst_annual_hospital_dept') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
where {{ in_scope('stg') }}
