-- Question 13. Which institutions are late, how often, how many corrections and returns, the index of the year; and
-- whose corrections changed a number that had been published, took one away or added one.
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

rates as (
    select
        rate.subject_code as organization_code,
        max(rate.value) filter (where rate.rate_code = 'return') as returned_percent,
        max(rate.value) filter (where rate.rate_code = 'composite') as quality_index
    from {{ published(ref('mart_reporting_rate')) }} as rate
    where rate.subject_type = 'organization' and rate.form_code = '' and rate.period_type = 'year'
        and rate.period_start = date '{{ var("year", "2015") }}-01-01'
    group by rate.subject_code
),

-- Numbers of reports that an earlier release had: another value, a number that was not there, one that is gone.
-- A report that comes for the first time or is withdrawn as a whole is no correction of a number.
told as (
    select
        value.organization_key,
        value.report_id,
        value.field_code,
        value.breakdown,
        value.value,
        value.release_from,
        value.release_to
    from {{ released(ref('fct_reported_value')) }} as value
),

held_report as (
    select
        told.report_id,
        min(told.release_from) as first_release,
        max(told.release_to) as last_release
    from told
    group by told.report_id
),

changed as (
    select
        unit.organization_code,
        count(*) as published_numbers_changed
    from (
        -- What ended: with another value after it, or with none.
        select
            held.organization_key,
            held.value,
            mended.value as new_value
        from told as held
        inner join held_report
            on held.report_id = held_report.report_id and held.release_to < held_report.last_release
        left join told as mended
            on held.organization_key = mended.organization_key
                and held.report_id = mended.report_id
                and held.field_code = mended.field_code
                and held.breakdown = mended.breakdown
                and held.release_to = mended.release_from
        union all
        -- What began where nothing was before.
        select
            begun.organization_key,
            null as value,
            begun.value as new_value
        from told as begun
        inner join held_report
            on begun.report_id = held_report.report_id and begun.release_from > held_report.first_release
        where not exists (
                select from told as held
                where held.organization_key = begun.organization_key and held.report_id = begun.report_id
                    and held.field_code = begun.field_code and held.breakdown = begun.breakdown
                    and held.release_to = begun.release_from
            )
    ) as step
    inner join unit
        on step.organization_key = unit.organization_key
    where step.value is distinct from step.new_value
    group by unit.organization_code
)

select
    coalesce(reporting.organization_code, changed.organization_code) as organization_code,
    reporting.reports_due,
    reporting.reports_late,
    round(reporting.reports_late * 100.0 / nullif(reporting.reports_due, 0), 2) as late_percent,
    reporting.reports_missing,
    reporting.corrections,
    round(rates.returned_percent, 2) as returned_percent,
    round(rates.quality_index, 2) as quality_index,
    coalesce(changed.published_numbers_changed, 0) as published_numbers_changed
from reporting
full join changed
    on reporting.organization_code = changed.organization_code
left join rates
    on coalesce(reporting.organization_code, changed.organization_code) = rates.organization_code
where reporting.reports_late > 0 or reporting.reports_missing > 0 or reporting.corrections > 0
    or rates.returned_percent > 0 or changed.published_numbers_changed > 0
order by reporting.reports_late desc nulls last, reporting.corrections desc nulls last, organization_code asc
