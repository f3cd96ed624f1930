-- Grain: one row per current report of form smi_quarterly.
select
    report.report_id,
    report.form_code,
    report.organization_key,
    report.region_code,
    report.period_type,
    report.period_start,
    report.period_end,
    form.smi_registered,
    form.smi_consented,
    form.smi_managed,
    form.smi_std_managed,
    form.smi_medicated,
    form.smi_regular_medication,
    form.smi_stable,
    form.smi_risk_0,
    form.smi_risk_1,
    form.smi_risk_2,
    form.smi_risk_3,
    form.smi_risk_4,
    form.smi_risk_5,
    form.smi_deaths,
    form.smi_lost,
    form.resident_population,
    form.smi_schizophrenia,
    form.smi_paranoid,
    form.smi_schizoaffective,
    form.smi_bipolar,
    form.smi_epilepsy,
    form.smi_retardation
from {{ source('raw', 'smi_quarterly') }} as form
inner join {{ ref('stg_registry__report') }} as report
    on form.revision_id = report.revision_id
