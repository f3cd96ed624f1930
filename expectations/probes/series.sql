-- Reports around the change, of the series that changed and of some other subjects of their forms: these say what a period
-- brings to all.
with festival as (
    -- The fifteen days around the Spring Festival on which fewer people come, as a share of January or February.
    select
        month.month_start,
        greatest(
            0,
            least(new_year.day + 11, (month.month_start + interval '1 month - 1 day')::date)
            - greatest(new_year.day - 3, month.month_start) + 1
        ) / 30.0 as share
    from unnest(array[
        '2009-01-26', '2010-02-14', '2011-02-03', '2012-01-23', '2013-02-10', '2014-01-31', '2015-02-19', '2016-02-08',
        '2017-01-28', '2018-02-16', '2019-02-05', '2020-01-25', '2021-02-12', '2022-02-01', '2023-01-22', '2024-02-10',
        '2025-01-29', '2026-02-17', '2027-02-06', '2028-01-26', '2029-02-13', '2030-02-03', '2031-01-23', '2032-02-11',
        '2033-01-31', '2034-02-19', '2035-02-08'
    ]::date[]) as new_year (day)
    cross join lateral (
        select make_date(extract(year from new_year.day)::int, number, 1) as month_start from generate_series(1, 2) as number
    ) as month
),

-- The series that something is asked of, and how many of their forms' other subjects are enough to say what all have in
-- common.
changed as materialized (
    $spans
),

around as (
    select form_code, period_type, min(read_from) as read_from, max(read_to) as read_to
    from changed
    group by form_code, period_type
),

peers as (
    select greatest(1, count(distinct organization_key) / 40) as one_of from candidate.dim_organization
)

select
    listed.report_id,
    listed.form_code,
    listed.period_type,
    listed.part,
    listed.subject_type,
    listed.subject_code,
    listed.organization_key,
    listed.period_start,
    -- The period's place among those of its kind.
    case listed.period_type
        when 'month' then 12 * extract(year from listed.period_start)::int + extract(month from listed.period_start)::int
        when 'year' then extract(year from listed.period_start)::int
        when 'mch_year' then extract(year from listed.period_start)::int
        else 4 * extract(year from listed.period_end)::int + extract(quarter from listed.period_end)::int
    end as place,
    coalesce(festival.share, 0) as holiday,
    coalesce(listed.period_start between changed.judged_from and changed.judged_to, false) as asked
from candidate.dim_report as listed
inner join around
    on listed.form_code = around.form_code and listed.period_type = around.period_type
        and listed.period_start between around.read_from and around.read_to
left join changed
    on listed.form_code = changed.form_code and listed.subject_code = changed.subject_code
        and listed.period_type = changed.period_type
left join festival on listed.period_type = 'month' and listed.period_start = festival.month_start
where listed.revision_id is not null and listed.value_count > 0 and listed.period_type <> 'event'
    and (
        changed.form_code is not null
        or listed.subject_type <> 'organization'
        or abs(hashtext(listed.subject_code) % (select peers.one_of from peers)) = 0
    )
