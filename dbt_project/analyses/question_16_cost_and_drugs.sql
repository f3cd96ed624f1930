-- Question 16. Income per visit and per inpatient discharged, and the drug share; months whose amounts are a thousand
-- (or ten thousand) times those of the institution's other months are marked.
with money as (
    select
        unit.organization_code,
        finance.period_start,
        finance.revenue_outpatient,
        finance.revenue_inpatient,
        finance.revenue_medical,
        finance.revenue_outpatient_drug + finance.revenue_inpatient_drug as revenue_drug,
        service.visits_total,
        service.discharges
    from {{ published(ref('fct_institution_finance')) }} as finance
    inner join {{ published(ref('fct_hospital_service')) }} as service
        on finance.organization_key = service.organization_key
            and finance.report_id = service.report_id
    inner join {{ published(ref('dim_organization')) }} as unit
        on finance.organization_version_key = unit.organization_version_key
    where finance.form_code = 'hosp_monthly'
        and finance.region_code = '{{ var("region", "440507") }}'
        and finance.period_start between date '{{ var("year", "2015") }}-01-01'
        and date '{{ var("year", "2015") }}-12-31'
),

usual as (
    select
        organization_code,
        percentile_cont(0.5) within group (order by revenue_medical / nullif(visits_total, 0)) as per_visit
    from money
    group by organization_code
)

select
    money.organization_code,
    money.period_start,
    round(money.revenue_outpatient / nullif(money.visits_total, 0), 2) as yuan_per_visit,
    round(money.revenue_inpatient / nullif(money.discharges, 0), 2) as yuan_per_discharge,
    round(money.revenue_drug * 100 / nullif(money.revenue_medical, 0), 2) as drug_share,
    case
        when log((money.revenue_medical / nullif(money.visits_total, 0) / nullif(usual.per_visit, 0)::numeric)::numeric)
            not between -2.5 and 2.5
            then '疑为千元、元或万元之误'
    end as unit_alarm
from money
inner join usual
    on money.organization_code = usual.organization_code
order by unit_alarm nulls last, money.organization_code, money.period_start
