-- Who reports, when, how often again: by form, unit and period, and by unit over its last twelve due reports.
with due as (
    select
        fact.organization_key,
        fact.report_id,
        fact.form_code,
        fact.subject_type,
        fact.subject_code,
        fact.period_type,
        fact.period_start,
        fact.status,
        fact.days_late,
        row_number() over (
            partition by fact.organization_key, fact.subject_code, fact.form_code order by fact.period_start desc, fact.report_id desc
        ) as back,
        row_number() over (
            partition by fact.organization_key, fact.subject_code, fact.form_code order by fact.period_start, fact.report_id
        )
        - row_number() over (
            partition by fact.organization_key, fact.subject_code, fact.form_code, fact.status = 'missing'
            order by fact.period_start, fact.report_id
        ) as stretch
    from candidate.fct_report_timeliness as fact
    where fact.status <> 'exempt'
),

-- A unit that was closed or not yet open owes nothing: there is no obligation, so nothing is missing.
last_year as (
    select
        organization_key,
        min(subject_type) as subject_type,
        subject_code,
        form_code,
        min(period_type) as period_type,
        max(period_start) as period_start,
        count(*) as due,
        count(*) filter (where status = 'missing') as missing,
        count(*) filter (where status = 'late') as late,
        count(*) filter (where status = 'empty') as empty
    from due
    where back <= 12
    group by organization_key, subject_code, form_code
),

revised as (
    select
        report.report_id,
        report.form_code,
        report.subject_type,
        report.subject_code,
        report.period_type,
        report.period_start,
        count(*) filter (where revision.status <> 'quarantined') as accepted,
        count(*) filter (where revision.status = 'quarantined') as returned
    from registry.revision as revision
    inner join registry.report as report on revision.report_id = report.report_id
    where report.period_type <> 'event'
        and report.report_id in (select third.report_id from registry.revision as third where third.revision_no = 3)
    group by
        report.report_id, report.form_code, report.subject_type, report.subject_code, report.period_type, report.period_start
    having count(*) > 2
),

found as (
    select
        'missing' as kind, form_code, subject_type, subject_code, organization_key, period_type, period_start, report_id,
        1::numeric as score, 0::numeric as observed, 1::numeric as expected, 1::bigint as denominator, null as cause
    from due
    where status = 'missing'
    union all
    select
        'silent', form_code, min(subject_type), subject_code, organization_key, min(period_type), max(period_start), max(report_id),
        count(*), 0, count(*), count(*), 'nothing since ' || min(period_start)
    from due
    where status = 'missing'
    group by organization_key, subject_code, form_code, stretch
    having count(*) >= 2
    union all
    select
        'empty', form_code, subject_type, subject_code, organization_key, period_type, period_start, report_id, 1, 0, null, 1,
        'a report without any number'
    from due
    where status = 'empty'
    union all
    select
        'late', form_code, subject_type, subject_code, organization_key, period_type, period_start, null,
        round(100.0 * late / due, 1), late, 0, due, 'of the last ' || due || ' reports'
    from last_year
    where late > 0 and due >= 3
    union all
    select
        'amended', form_code, subject_type, subject_code, null, period_type, period_start, report_id, accepted - 1, accepted, 1,
        accepted, 'changed again and again'
    from revised
    where accepted > 2
    union all
    select
        'returned', form_code, subject_type, subject_code, null, period_type, period_start, report_id, returned, returned, 0,
        accepted + returned, 'sent back again and again'
    from revised
    where returned > 1
    union all
    -- More reports than were due would make a rate above 100 %.
    select
        'rate', form_code, 'region', min(subject_code), null, period_type, period_start, null,
        count(*) - count(distinct (organization_key, subject_code)), count(*), count(distinct (organization_key, subject_code)), count(*),
        'one unit is due twice for one period'
    from candidate.fct_report_timeliness
    where status <> 'exempt' and period_type <> 'cumulative_quarter'
    group by form_code, period_type, period_start, region_code
    having count(*) > count(distinct (organization_key, subject_code, report_id))
)

select
    found.kind, found.form_code as item, null::bigint as looked, found.subject_type, found.subject_code, found.organization_key,
    found.form_code, found.period_type, found.period_start, found.report_id,
    case when found.period_type = 'cumulative_quarter' then found.report_id::text end as place,
    found.score, found.observed, found.expected, found.denominator, found.cause
from found
union all
select null, form_code, count(*), null, null, null, null, null, null, null, null, null, null, null, null, null
from due
group by form_code
