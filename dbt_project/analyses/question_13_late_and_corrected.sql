-- Question 13. Which institutions are late, how often, how many corrections; and whose corrections changed a number
-- that had been published.
-- Looks across releases: schema released has every published version of a row.
with unit as (
    select distinct
        organization_key,
        organization_code
    from {{ published(ref('dim_organization')) }}
),

reporting as (
    select
        quality.organization_code,
        sum(quality.reports_due) as reports_due,
        sum(quality.reports_late) as reports_late,
        sum(quality.reports_missing) as reports_missing,
        sum(quality.corrections) as corrections
    from {{ published(ref('mart_reporting_quality')) }} as quality
    where quality.period_start between date '{{ var("year", "2015") }}-01-01' and date '{{ var("year", "2015") }}-12-31'
    group by quality.organization_code
),

changed as (
    select
        unit.organization_code,
        count(*) as published_numbers_changed
    from {{ released(ref('fct_reported_value')) }} as held
    inner join {{ released(ref('fct_reported_value')) }} as mended
        on held.organization_key = mended.organization_key
            and held.report_id = mended.report_id
            and held.field_code = mended.field_code
            and held.breakdown = mended.breakdown
            and held.release_to = mended.release_from
    inner join unit
        on held.organization_key = unit.organization_key
    where held.value is distinct from mended.value
    group by unit.organization_code
)

select
    reporting.organization_code,
    reporting.reports_due,
    reporting.reports_late,
    round(reporting.reports_late * 100.0 / nullif(reporting.reports_due, 0), 2) as late_percent,
    reporting.reports_missing,
    reporting.corrections,
    coalesce(changed.published_numbers_changed, 0) as published_numbers_changed
from reporting
left join changed
    on reporting.organization_code = changed.organization_code
where reporting.reports_late > 0 or reporting.reports_missing > 0 or reporting.corrections > 0
order by reporting.reports_late desc, reporting.corrections desc, reporting.organization_code asc
