-- Grain: one row per rate of reporting quality, unit, region or all, form or all forms, and period.
{{
    config(
        unique_key=[
            'subject_type', 'subject_code', 'form_code', 'rate_code', 'period_type', 'period_start', 'period_end'
        ],
        indexes=[{'columns': ['period_start', 'form_code', 'rate_code']}],
        meta={'scope': 'period'}
    )
}}
-- What is counted of each report. Everything after only adds it up.
with given as (
    {{ reporting_counts_given() }}
),

-- A county is silent in a period when nothing came of a form of which something was due there.
of_county as (
    select
        left(given.region_code, 6) as region_code,
        given.form_code,
        given.period_type,
        given.period_start,
        given.period_end,
        given.year_start,
        (sum(given.reports_due) > 0 and left(given.region_code, 6) not like '%00')::int as counties,
        (
            sum(given.reports_due) > 0 and sum(given.reports_received) = 0
            and left(given.region_code, 6) not like '%00'
        )::int as counties_silent,
        {{ each_reporting_count('sum(given.#)::int as #') }}
    from given
    group by
        left(given.region_code, 6), given.form_code, given.period_type, given.period_start, given.period_end,
        given.year_start
),

of_subject as (
    select
        'organization' as subject_type,
        unit.organization_code as subject_code,
        given.form_code,
        given.period_type,
        given.period_start,
        given.period_end,
        given.year_start,
        0 as counties,
        0 as counties_silent,
        {{ each_reporting_count('given.#') }}
    from given
    {{ organization_at('unit', 'given.organization_key', 'given.period_end') }}
    where unit.organization_code is not null
    union all
    select
        above.subject_type,
        above.subject_code,
        county.form_code,
        county.period_type,
        county.period_start,
        county.period_end,
        county.year_start,
        county.counties,
        county.counties_silent,
        {{ each_reporting_count('county.#') }}
    from of_county as county
    cross join
        lateral (
            values
            ('region', county.region_code),
            ('region', case when county.region_code not like '%00' then left(county.region_code, 4) || '00' end),
            ('all', '')
        ) as above (subject_type, subject_code)
    where above.subject_type = 'all'
        or exists (
            select from {{ at_candidate(ref('dim_region')) }} as region
            where region.region_code = above.subject_code
        )
),

-- In the periods of the reports and in years. Cards have years only: batches overlap, and a newer one takes cards out
-- of an older one.
of_form as (
    select
        of_subject.subject_type,
        of_subject.subject_code,
        of_subject.form_code,
        span.period_type,
        span.period_start,
        span.period_end,
        sum(of_subject.counties) as counties,
        sum(of_subject.counties_silent) as counties_silent,
        {{ each_reporting_count('sum(of_subject.#) as #') }}
    from of_subject
    cross join
        lateral (
            values
            (of_subject.period_type, of_subject.period_start, of_subject.period_end, array['event']),
            (
                'year', of_subject.year_start, (of_subject.year_start + interval '1 year - 1 day')::date,
                array['year', 'mch_year']
            )
        ) as span (period_type, period_start, period_end, not_from)
    where of_subject.period_type <> all(span.not_from) and {{ in_scope('span') }}
    group by
        of_subject.subject_type, of_subject.subject_code, of_subject.form_code, span.period_type, span.period_start,
        span.period_end
),

-- In years all forms together as well, those of maternal-child years apart.
in_period as (
    select * from of_form
    union all
    select
        subject_type,
        subject_code,
        '' as form_code,
        period_type,
        period_start,
        period_end,
        sum(counties)::bigint as counties,
        sum(counties_silent)::bigint as counties_silent,
        {{ each_reporting_count('sum(#)::bigint as #') }}
    from of_form
    where period_type in ('year', 'mch_year')
    group by subject_type, subject_code, period_type, period_start, period_end
),

rated as (
    select
        in_period.subject_type,
        in_period.subject_code,
        in_period.form_code,
        in_period.period_type,
        in_period.period_start,
        in_period.period_end,
        part.rate_code,
        part.numerator::numeric as numerator,
        part.denominator::numeric as denominator
    from in_period
    cross join
        lateral (
            values
            ('reporting', in_period.reports_received, in_period.reports_due),
            ('timeliness', in_period.reports_on_time, in_period.reports_due),
            ('late_cards', in_period.cards_entered_late, in_period.cards_entry_timed),
            ('late_audits', in_period.cards_audited_late, in_period.cards_audit_timed),
            ('repeated_cards', in_period.cards_repeated, in_period.cards_compared),
            ('silent_counties', in_period.counties_silent, in_period.counties),
            ('item_completeness', in_period.items_filled, in_period.items_required),
            ('card_completeness', in_period.cards_complete, in_period.cards),
            ('amendment', in_period.reports_amended, in_period.reports_accepted),
            ('return', in_period.submissions_returned, in_period.submissions),
            ('logic_error', in_period.checks_failed, in_period.cells_checked)
        ) as part (rate_code, numerator, denominator)
    where part.denominator > 0
),

-- What only a survey can tell stands as the survey says it: it has no numerator, and is not added up.
surveyed as (
    select
        'region' as subject_type,
        survey.region_code as subject_code,
        survey.period_start,
        survey.period_end,
        rate.rate_code,
        max(survey.sample_size) as denominator,
        max(survey.weighted_rate) as value
    from {{ at_candidate(ref('fct_survey_result')) }} as survey
    inner join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
        on survey.survey_code = rate.survey_code and survey.item = rate.survey_item
    where survey.region_code is not null and survey.weighted_rate is not null
        and {{ changed_days('survey.period_start') }} and {{ in_scope('survey') }}
    group by survey.region_code, survey.period_start, survey.period_end, rate.rate_code
),

measured as (
    select
        subject_type,
        subject_code,
        form_code,
        period_type,
        period_start,
        period_end,
        rate_code,
        numerator,
        denominator,
        round(numerator * 100 / denominator, 8) as value,
        'computed' as status
    from rated
    union all
    select
        subject_type,
        subject_code,
        '' as form_code,
        'year' as period_type,
        period_start,
        period_end,
        rate_code,
        null as numerator,
        denominator,
        value,
        'surveyed' as status
    from surveyed
),

-- The weights of what is not measured go to the others in proportion: they are left out of the divisor.
composite as (
    select
        measured.subject_type,
        measured.subject_code,
        measured.form_code,
        measured.period_type,
        measured.period_start,
        measured.period_end,
        round(
            sum(rate.weight * case when rate.is_lower_better then 100 - measured.value else measured.value end) / 100, 8
        ) as numerator,
        sum(rate.weight) as denominator
    from measured
    inner join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
        on measured.rate_code = rate.rate_code
    where rate.weight is not null
    group by
        measured.subject_type, measured.subject_code, measured.form_code, measured.period_type,
        measured.period_start, measured.period_end
),

-- Every rate is answered for regions and years: by a value, or by why there is none.
answered as (
    select *
    from measured
    where subject_type <> 'organization' and form_code = '' and period_type = 'year'
),

asked as (
    select distinct
        answered.subject_type,
        answered.subject_code,
        answered.form_code,
        answered.period_type,
        answered.period_start,
        answered.period_end,
        rate.rate_code,
        rate.survey_code,
        rate.reason_zh
    from answered
    cross join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
    where rate.rate_code <> 'composite'
),

told as (
    select
        measured.*,
        null as reason_zh
    from measured
    union all
    select
        subject_type,
        subject_code,
        form_code,
        period_type,
        period_start,
        period_end,
        'composite' as rate_code,
        numerator,
        denominator,
        round(numerator * 100 / denominator, 8) as value,
        'computed' as status,
        case
            when denominator < 100
                then '没有值的指标不计，其权重' || (100 - denominator) || '按比例分给其余指标'
        end as reason_zh
    from composite
    union all
    select
        asked.subject_type,
        asked.subject_code,
        asked.form_code,
        asked.period_type,
        asked.period_start,
        asked.period_end,
        asked.rate_code,
        null as numerator,
        null as denominator,
        null as value,
        case when asked.survey_code is not null then 'not_measured' else 'not_applicable' end as status,
        asked.reason_zh
    from asked
    left join answered
        on asked.subject_type = answered.subject_type
            and asked.subject_code = answered.subject_code
            and asked.period_start = answered.period_start
            and asked.rate_code = answered.rate_code
    where answered.rate_code is null
)

select
    told.subject_type,
    told.subject_code,
    told.form_code,
    told.rate_code,
    rate.name_zh,
    told.period_type,
    told.period_start,
    told.period_end,
    trim_scale(told.numerator) as numerator,
    told.denominator,
    trim_scale(told.value) as value,
    told.status,
    told.reason_zh,
    {{ release_columns() }}
from told
inner join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
    on told.rate_code = rate.rate_code
