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
-- Numerators and denominators of each unit, form and period of its reports. Everything after only adds them up.
with given as (
    select
        timeliness.organization_key,
        timeliness.region_code,
        timeliness.form_code,
        timeliness.period_type,
        timeliness.period_start,
        timeliness.period_end,
        date_trunc('year', timeliness.period_start)::date as year_start,
        part.rate_code,
        part.numerator,
        part.denominator
    from {{ at_candidate(ref('fct_report_timeliness')) }} as timeliness
    cross join
        lateral (
            values
            ('reporting', (timeliness.status in ('on_time', 'late'))::int, 1),
            ('timeliness', (timeliness.status = 'on_time')::int, 1)
        ) as part (rate_code, numerator, denominator)
    where timeliness.status <> 'exempt' and {{ changed_days('timeliness.period_start') }}
    union all
    select
        quality.organization_key,
        quality.region_code,
        quality.form_code,
        quality.period_type,
        quality.period_start,
        quality.period_end,
        date_trunc('year', quality.period_start)::date as year_start,
        part.rate_code,
        part.numerator,
        part.denominator
    from {{ at_candidate(ref('fct_report_quality')) }} as quality
    cross join
        lateral (
            values
            ('item_completeness', quality.items_filled, quality.items_required),
            ('card_completeness', quality.cards_complete, quality.cards),
            ('amendment', (quality.submissions_accepted > 1)::int, (quality.submissions_accepted > 0)::int),
            ('return', quality.submissions_returned, quality.submissions),
            ('logic_error', quality.checks_failed, quality.cells_checked)
        ) as part (rate_code, numerator, denominator)
    where part.denominator > 0 and {{ changed_days('quality.period_start') }}
    union all
    select
        cards.organization_key,
        cards.region_code,
        'idr_card' as form_code,
        cards.period_type,
        cards.period_start,
        cards.period_end,
        date_trunc('year', cards.month_start)::date as year_start,
        part.rate_code,
        part.numerator,
        part.denominator
    from {{ at_candidate(ref('fct_disease_card_count')) }} as cards
    cross join
        lateral (
            values
            ('late_cards', cards.cards_entered_late, cards.cards_entry_timed),
            ('late_audits', cards.cards_audited_late, cards.cards_audit_timed)
        ) as part (rate_code, numerator, denominator)
    where part.denominator > 0 and {{ changed_days('cards.month_start') }}
    union all
    select
        repeated.organization_key,
        repeated.region_code,
        'idr_card' as form_code,
        repeated.period_type,
        repeated.period_start,
        repeated.period_end,
        date_trunc('year', repeated.month_start)::date as year_start,
        'repeated_cards' as rate_code,
        repeated.cards_repeated as numerator,
        repeated.cards_compared as denominator
    from {{ at_candidate(ref('fct_disease_card_repeat')) }} as repeated
    where {{ changed_days('repeated.month_start') }}
),

of_unit as (
    select
        organization_key,
        region_code,
        form_code,
        period_type,
        period_start,
        period_end,
        year_start,
        rate_code,
        sum(numerator)::bigint as numerator,
        sum(denominator)::bigint as denominator
    from given
    group by organization_key, region_code, form_code, period_type, period_start, period_end, year_start, rate_code
),

of_county as (
    select
        left(region_code, 6) as region_code,
        form_code,
        period_type,
        period_start,
        period_end,
        year_start,
        rate_code,
        sum(numerator)::bigint as numerator,
        sum(denominator)::bigint as denominator
    from of_unit
    group by left(region_code, 6), form_code, period_type, period_start, period_end, year_start, rate_code
),

-- A county is silent in a period when nothing came of a form of which something was due there.
of_county_and_silent as (
    select * from of_county
    union all
    select
        region_code,
        form_code,
        period_type,
        period_start,
        period_end,
        year_start,
        'silent_counties' as rate_code,
        (numerator = 0)::int::bigint as numerator,
        1::bigint as denominator
    from of_county
    where rate_code = 'reporting' and region_code not like '%00'
),

of_subject as (
    select
        'organization' as subject_type,
        unit.organization_code as subject_code,
        of_unit.form_code,
        of_unit.period_type,
        of_unit.period_start,
        of_unit.period_end,
        of_unit.year_start,
        of_unit.rate_code,
        of_unit.numerator,
        of_unit.denominator
    from of_unit
    {{ organization_at('unit', 'of_unit.organization_key', 'of_unit.period_end') }}
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
        county.rate_code,
        county.numerator,
        county.denominator
    from of_county_and_silent as county
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

-- In the periods of the reports and in years; in years also all forms together, those of maternal-child years apart.
-- Cards have years only: batches overlap, and a newer one takes cards out of an older one.
in_period as (
    select
        of_subject.subject_type,
        of_subject.subject_code,
        span.form_code,
        span.period_type,
        span.period_start,
        span.period_end,
        of_subject.rate_code,
        sum(of_subject.numerator) as numerator,
        sum(of_subject.denominator) as denominator
    from of_subject
    cross join
        lateral (
            values
            (
                case when of_subject.period_type <> 'event' then of_subject.form_code end, of_subject.period_type,
                of_subject.period_start, of_subject.period_end
            ),
            (
                case when of_subject.period_type not in ('year', 'mch_year') then of_subject.form_code end, 'year',
                of_subject.year_start, (of_subject.year_start + interval '1 year - 1 day')::date
            ),
            (
                case when of_subject.period_type <> 'mch_year' then '' end, 'year',
                of_subject.year_start, (of_subject.year_start + interval '1 year - 1 day')::date
            ),
            (
                case when of_subject.period_type = 'mch_year' then '' end, 'mch_year',
                of_subject.period_start, of_subject.period_end
            )
        ) as span (form_code, period_type, period_start, period_end)
    where span.form_code is not null and {{ in_scope('span') }}
    group by
        of_subject.subject_type, of_subject.subject_code, span.form_code, span.period_type, span.period_start,
        span.period_end, of_subject.rate_code
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
    from in_period
    where denominator > 0
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
asked as (
    select distinct
        measured.subject_type,
        measured.subject_code,
        measured.form_code,
        measured.period_type,
        measured.period_start,
        measured.period_end,
        rate.rate_code,
        rate.survey_code,
        rate.reason_zh
    from measured
    cross join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
    where measured.subject_type <> 'organization' and measured.form_code = '' and measured.period_type = 'year'
        and rate.rate_code <> 'composite'
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
            when denominator < 100 then '未测指标的权重' || (100 - denominator) || '按比例分给已测指标'
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
    left join measured
        on asked.subject_type = measured.subject_type
            and asked.subject_code = measured.subject_code
            and asked.form_code = measured.form_code
            and asked.period_type = measured.period_type
            and asked.period_start = measured.period_start
            and asked.rate_code = measured.rate_code
    where measured.rate_code is null
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
    rate.is_lower_better,
    rate.weight,
    told.reason_zh,
    {{ release_columns() }}
from told
inner join {{ at_candidate(ref('dim_reporting_rate')) }} as rate
    on told.rate_code = rate.rate_code
