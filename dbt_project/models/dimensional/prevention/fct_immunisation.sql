-- Grain: one row per vaccination unit, month, vaccine, dose and class of residents.
{{
    config(
        unique_key=['organization_key', 'report_id', 'vaccine', 'dose_no', 'residence_class'],
        indexes=[{'columns': ['period_start', 'region_code']}, {'columns': ['report_id']}],
        meta={'scope': 'report', 'forms': ['epi_monthly']}
    )
}}
select
    stg.organization_key,
    organization.organization_version_key,
    organization.region_code,
    stg.report_id,
    stg.form_code,
    stg.period_type,
    stg.period_start,
    stg.period_end,
    (
        stg.residence_class = '0'
        -- In the order of the window below, so that the rows are sorted once.
        and count(*) over (partition by stg.report_id, stg.dose_no, stg.vaccine) > 1
    ) or coalesce(
        -- One number a dose says which joint vaccines it was also reported apart for: three windows would cost thrice.
        case stg.vaccine when 'POLIO' then 1 when 'JE' then 2 when 'HepA' then 4 end & bit_or(
            case
                when stg.vaccine in ('IPV', 'OPV') then 1
                when stg.vaccine in ('JE-L', 'JE-I') then 2
                when stg.vaccine in ('HepA-L', 'HepA-I') then 4
            end
        ) over by_dose > 0,
        false
    ) as is_subtotal,
    stg.vaccine,
    stg.dose_no,
    dose.vaccine_dose_key,
    stg.residence_class,
    stg.units_due,
    stg.units_reported,
    stg.given_basic,
    stg.given_basic_lt12m,
    stg.hepb_birth_dose_timely,
    stg.given_booster,
    stg.certificates_due,
    stg.certificates_done,
    stg.aefi,
    stg.population_last_year,
    stg.births_last_year,
    stg.due_basic,
    stg.due_basic_lt12m,
    stg.due_booster,
    {{ release_columns() }}
from {{ ref('stg_raw__epi_monthly') }} as stg
{{ organization_at('organization', 'stg.organization_key', 'stg.period_end') }}
-- By month a dose belongs to several birth cohorts: the newest schedule by which somebody has come due stands for them.
left join {{ at_candidate(ref('dim_vaccine_dose')) }} as dose
    on stg.vaccine = dose.vaccine_code
        and stg.dose_no = dose.dose_no::text
        and stg.period_end >= dose.due_from
        and stg.period_end < dose.counts_to
where {{ in_scope('stg') }}
window by_dose as (partition by stg.report_id, stg.dose_no)
