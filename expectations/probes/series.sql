-- Every number beside the others of its series: the same period of other years, and its neighbours.
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

-- The reports, each with its place among those of its subject and form.
report as materialized (
    select
        listed.report_id,
        listed.form_code,
        listed.subject_type,
        listed.subject_code,
        listed.organization_key,
        listed.period_type,
        listed.period_start,
        -- A number accumulated since January says nothing beside its neighbour.
        listed.period_type <> 'cumulative_quarter' as has_neighbours,
        case listed.period_type when 'month' then 12 when 'year' then 1 when 'mch_year' then 1 else 4 end as a_year,
        case listed.period_type
            when 'month' then 12 * extract(year from listed.period_start)::int + extract(month from listed.period_start)::int
            when 'year' then extract(year from listed.period_start)::int
            when 'mch_year' then extract(year from listed.period_start)::int
            else 4 * extract(year from listed.period_end)::int + extract(quarter from listed.period_end)::int
        end as place,
        0.7 * abs(coalesce(here.share, 0) - coalesce(before.share, 0)) as festival_slack,
        hashtextextended(concat_ws('|', listed.subject_code, listed.form_code, listed.period_type, listed.part), 0) as history
    from candidate.dim_report as listed
    left join festival as here on listed.period_type = 'month' and listed.period_start = here.month_start
    left join festival as before
        on listed.period_type = 'month' and (listed.period_start - interval '1 year')::date = before.month_start
    where listed.revision_id is not null and listed.value_count > 0 and listed.period_type <> 'event' and $series(listed)
        and $part(listed.subject_code)
),

-- Rates that a form prints are made of its counts, which are looked at themselves.
field as materialized (
    select form_code, field_code, bool_or(data_type = 'int') as is_count
    from registry.form_field
    where role = 'measure' and coalesce(unit, '') !~ '[%‰/]'
    group by form_code, field_code
),

value as materialized (
    select
        hashtextextended(fact.field_code || '|' || fact.breakdown, report.history) as series,
        fact.report_id,
        fact.field_code,
        fact.breakdown,
        report.place,
        report.a_year,
        report.has_neighbours,
        report.festival_slack,
        field.is_count,
        fact.value::float8 as value,
        case when fact.value < 0 then -ln(1 - fact.value::float8) else ln(1 + fact.value::float8) end as size
    from candidate.fct_reported_value as fact
    inner join report on fact.report_id = report.report_id
    inner join field on fact.form_code = field.form_code and fact.field_code = field.field_code
    where fact.value is not null
),

beside as (
    select
        value.*,
        count(*) over (partition by value.series) as periods,
        lead(place, 1) over s as next_place,
        case when lag(place, 1) over s = place - 1 then lag(size, 1) over s end as b1,
        case when lag(place, 2) over s = place - 2 then lag(size, 2) over s end as b2,
        case when lag(place, 3) over s = place - 3 then lag(size, 3) over s end as b3,
        case when lead(place, 1) over s = place + 1 then lead(size, 1) over s end as a1,
        case when lead(place, 2) over s = place + 2 then lead(size, 2) over s end as a2,
        case when lead(place, 3) over s = place + 3 then lead(size, 3) over s end as a3,
        case when lag(place, a_year) over s = place - a_year then lag(size, a_year) over s end as by0,
        case when lag(place, a_year + 1) over s = place - a_year - 1 then lag(size, a_year + 1) over s end as by1,
        case when lag(place, a_year + 2) over s = place - a_year - 2 then lag(size, a_year + 2) over s end as by2,
        case when lag(place, a_year + 3) over s = place - a_year - 3 then lag(size, a_year + 3) over s end as by3,
        case when lag(place, 2 * a_year) over s = place - 2 * a_year then lag(size, 2 * a_year) over s end as bz0,
        case when lead(place, a_year) over s = place + a_year then lead(size, a_year) over s end as ay0,
        case when lead(place, a_year + 1) over s = place + a_year + 1 then lead(size, a_year + 1) over s end as ay1,
        case when lead(place, a_year + 2) over s = place + a_year + 2 then lead(size, a_year + 2) over s end as ay2,
        case when lead(place, a_year + 3) over s = place + a_year + 3 then lead(size, a_year + 3) over s end as ay3
    from value
    window s as (partition by value.series order by value.place)
),

-- What each neighbourhood leads one to expect. The middle of three leaves out one that is wrong itself.
expected as (
    select
        series, report_id, field_code, breakdown, place, next_place, a_year, has_neighbours, festival_slack, is_count, value, size,
        periods, b1, b2, b3, a1, a2, by0, bz0,
        by0 + coalesce(greatest(least(b1 - by1, b2 - by2), least(greatest(b1 - by1, b2 - by2), b3 - by3)), 0) as year_before,
        ay0 + coalesce(greatest(least(a1 - ay1, a2 - ay2), least(greatest(a1 - ay1, a2 - ay2), a3 - ay3)), 0) as year_after,
        case when has_neighbours then greatest(least(b1, b2), least(greatest(b1, b2), b3)) end as before,
        case when has_neighbours then greatest(least(a1, a2), least(greatest(a1, a2), a3)) end as after
    from beside
),

-- It is as far off as it is from the nearest of these: a real change shows in some of them.
apart as materialized (
    select
        expected.*,
        least(
            abs(size - year_before), abs(size - year_after), abs(size - before), abs(size - after), abs(size - bz0),
            -- A neighbour that is twenty times off its own says nothing: two wrong months must not vouch for each other.
            case when coalesce(abs(b1 - before), 0) < 3 then abs(size - b1) end,
            case when coalesce(abs(a1 - after), 0) < 3 then abs(size - a1) end
        ) as distance
    from expected
),

spread as materialized (
    select
        series,
        avg(least(distance, 0.7)) as usual,
        -- How often it is the same number again, as stocks are and small counts by chance.
        (count(*) filter (where size = b1) + 1.0) / (count(b1) + 2.0) as same_again,
        (count(*) filter (where size = by0) + 1.0) / (count(by0) + 2.0) as same_last_year
    from apart
    group by series
),

scored as (
    select
        apart.*,
        spread.same_again,
        spread.same_last_year,
        exp(near.guess) - 1 as guessed,
        size - near.guess as log_ratio,
        greatest(apart.distance - apart.festival_slack, 0)
        / sqrt(
            power(3.0 * spread.usual, 2)
            -- Counts scatter by their root; a long series says by itself how it scatters.
            + case when apart.periods >= 12 then 0.3 else 1.0 end
            / case when size < near.guess then greatest(exp(near.guess) - 1, 1)
                else greatest(sqrt((exp(near.guess) - 1) * abs(apart.value)), 1) end
            + case when apart.a_year = 1 then 0.0025 else 0.0004 end
        ) as z
    from apart
    inner join spread on apart.series = spread.series
    cross join lateral (
        select case apart.distance
            when abs(size - year_before) then year_before
            when abs(size - year_after) then year_after
            when abs(size - before) then before
            when abs(size - after) then after
            when abs(size - bz0) then bz0
            when abs(size - b1) then b1
            when abs(size - a1) then a1
        end as guess
    ) as near
    where apart.distance > 0.04 and (apart.value >= 20 or apart.value < 0 or exp(near.guess) >= 21)
        -- A unit, a disease or a system that has just begun may begin small.
        and not (coalesce(apart.b1, apart.by0, apart.bz0) is null and apart.size < near.guess and apart.value >= 0)
),

odd as materialized (
    select *, (value + 1) / (guessed + 1) as ratio from scored where z > 3
),

-- The whole report beside the one before it: how many of its numbers are the same, and how unlikely that is.
whole as materialized (
    select
        apart.report_id,
        count(*) as numbers,
        count(*) filter (where has_neighbours and greatest(size, b1) > 0) as compared,
        count(*) filter (where has_neighbours and size = b1 and size > 0) as same,
        sum(-ln(least(same_again, 0.98))) filter (where has_neighbours and size = b1 and size > 0) as surprise,
        count(*) filter (where greatest(size, by0) > 0 and by0 is not null) as compared_last_year,
        count(*) filter (where size = by0 and size > 0) as same_as_last_year,
        sum(-ln(least(same_last_year, 0.98))) filter (where size = by0 and size > 0) as surprise_last_year
    from apart
    inner join spread on apart.series = spread.series
    group by apart.report_id
),

-- A number that every report of the subject had, and the next one has not.
blank as (
    select
        next_report.report_id,
        next_report.form_code,
        ended.field_code,
        ended.breakdown,
        ended.periods,
        exp(ended.size) - 1 as value,
        count(*) over (partition by next_report.report_id) as blanks,
        count(*) over (
            partition by next_report.form_code, next_report.period_type, next_report.place, ended.field_code, ended.breakdown
        ) as everywhere,
        history.reports,
        around.reporters
    from apart as ended
    inner join report on ended.report_id = report.report_id
    inner join report as next_report on report.history = next_report.history and report.place + 1 = next_report.place
    inner join (select report.history, count(*) as reports from report group by report.history) as history
        on report.history = history.history
    inner join (
        select form_code, period_type, place, count(distinct subject_code) as reporters
        from report group by form_code, period_type, place
    ) as around
        on next_report.form_code = around.form_code and next_report.period_type = around.period_type
            and next_report.place = around.place
    where (ended.next_place is null or ended.next_place > ended.place + 1) and ended.periods >= 4
),

-- Last digits of different counts: those of a stock that stays are one.
digit_use as (
    select
        max(history.report_id) as report_id,
        count(*) as numbers,
        count(*) filter (where history.value::bigint % 5 = 0) as rounded
    from (
        select report.history, apart.series, apart.value, max(apart.report_id) as report_id
        from apart
        inner join report on apart.report_id = report.report_id
        where apart.is_count and apart.value between 100 and 1e12 and report.period_type = 'month' and apart.size is distinct from apart.b1
        group by report.history, apart.series, apart.value
    ) as history
    group by history.history
    having count(*) >= 60
),

found as (
    select
        case when abs(odd.log_ratio) > 5.3 then 'unit_slip' else 'outlier' end as kind,
        odd.report_id,
        odd.field_code,
        odd.breakdown,
        odd.z::numeric as score,
        odd.value::numeric as observed,
        round(odd.guessed::numeric, 1) as expected,
        odd.periods as denominator,
        case
            when odd.value < 0 then 'sign'
            when odd.ratio between 700 and 1430 then '1,000 times'
            when odd.ratio between 7000 and 14300 then '10,000 times'
            when odd.ratio between 70 and 143 then '100 times'
            when odd.ratio between 8 and 12.5 then '10 times, or a digit too many'
            when odd.ratio between 0.0007 and 0.00143 then 'a thousandth'
            when odd.ratio between 0.00007 and 0.000143 then 'a ten-thousandth'
            when odd.ratio between 0.08 and 0.125 then 'a tenth, or a digit too few'
            when swapped.field_code is not null then 'in each other''s place with ' || swapped.field_code
            when odd.value = 0 then 'nothing where there is much'
            when odd.value = trunc(odd.value) and odd.value < 1e15
                and (
                    select bool_or(
                        abs(
                            overlay(
                                odd.value::bigint::text
                                placing substr(odd.value::bigint::text, at + 1, 1) || substr(odd.value::bigint::text, at, 1) from at for 2
                            )::float8 / nullif(odd.guessed, 0) - 1
                        ) < 0.05
                    ) from generate_series(1, length(odd.value::bigint::text) - 1) as at
                ) then 'two digits swapped'
        end as cause
    from odd
    left join lateral (
        select other.field_code
        from odd as other
        where other.report_id = odd.report_id and other.breakdown = odd.breakdown and other.field_code <> odd.field_code
            and abs(other.value - odd.guessed) <= 0.3 * odd.guessed and abs(odd.value - other.guessed) <= 0.3 * other.guessed
        limit 1
    ) as swapped on true
    union all
    select
        'copied_period', report_id, null, null, surprise::numeric, same, null, compared,
        'the numbers are those of the period before'
    from whole
    where same >= 0.95 * compared and same >= 4 and surprise > 6
    union all
    select
        'copied_year', report_id, null, null, surprise_last_year::numeric, same_as_last_year, null, compared_last_year,
        'the numbers are those of the same period of the year before'
    from whole
    where same_as_last_year >= 0.95 * compared_last_year and same_as_last_year >= 4 and surprise_last_year > 6
    union all
    select
        'blank', blank.report_id, blank.field_code, blank.breakdown, blank.periods, null, round(blank.value::numeric, 1), blank.reports,
        'every other report has a number here'
    from blank
    inner join whole on blank.report_id = whole.report_id
    where blank.periods >= 0.9 * (blank.reports - 1) and blank.blanks <= 0.5 * whole.numbers
        and blank.everywhere < 0.5 * blank.reporters
    union all
    select
        'repeated', apart.report_id, apart.field_code, apart.breakdown, -3 * ln(spread.same_again), apart.value::numeric, null,
        apart.periods, 'one value four times over where it used to change'
    from apart
    inner join spread on apart.series = spread.series
    where apart.size = apart.b1 and apart.b1 = apart.b2 and apart.b2 = apart.b3 and apart.value >= 100 and spread.same_again < 0.3
    union all
    -- Another level from here on, in every comparison with what was before.
    select
        'level_shift', apart.report_id, apart.field_code, apart.breakdown,
        least(abs(apart.size - apart.before), abs(apart.a1 - apart.before), abs(apart.a2 - apart.before))
        / sqrt(power(3 * spread.usual, 2) + 2 / greatest(exp(apart.before), 1) + 0.0009),
        apart.value::numeric, round((exp(apart.before) - 1)::numeric, 1), apart.periods,
        case when apart.size > apart.before then 'a higher level from here on' else 'a lower level from here on' end
    from apart
    inner join spread on apart.series = spread.series
    where least(abs(apart.size - apart.before), abs(apart.a1 - apart.before), abs(apart.a2 - apart.before)) > 0.7
        and sign(apart.size - apart.before) = sign(apart.a1 - apart.before)
        and sign(apart.size - apart.before) = sign(apart.a2 - apart.before)
        and apart.b3 is not null and abs(apart.b1 - apart.before) < 0.35
        and abs(coalesce(apart.size - apart.year_before, 1)) > 0.35 and greatest(apart.size, apart.before) > 4
    union all
    select
        'digits', report_id, null, null, ((rounded - 0.2 * numbers) / sqrt(0.16 * numbers))::numeric, rounded, round(0.2 * numbers, 1),
        numbers, 'more numbers than chance end in 0 or 5'
    from digit_use
    where rounded > 0.2 * numbers + 1.2 * sqrt(numbers)
)

select
    found.kind,
    report.form_code as item,
    null::bigint as looked,
    report.subject_type,
    report.subject_code,
    report.organization_key,
    report.form_code,
    found.field_code,
    nullif(found.breakdown, '') as breakdown,
    report.period_type,
    report.period_start,
    found.report_id,
    -- Quarters that accumulate begin on one day.
    case when report.period_type = 'cumulative_quarter' then 'Q' || (report.place - 1) % 4 + 1 end as place,
    found.score,
    found.observed,
    found.expected,
    found.denominator,
    found.cause
from found
inner join report on found.report_id = report.report_id
union all
select
    null, report.form_code, sum(whole.numbers)::bigint, null, null, null, null, null, null, null, null, null, null, null, null, null,
    null, null
from whole
inner join report on whole.report_id = report.report_id
group by report.form_code
