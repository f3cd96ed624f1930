"""Indicators and their marts by plain SQL, as somebody would write it who knows these forms and no catalogue."""

PART = """
    period_type = 'month' and indicator_code in (
        'total_visits', 'bed_occupancy_rate', 'average_length_of_stay', 'drug_revenue_share', 'bed_turnover',
        'doctor_nurse_ratio', 'beds_actual', 'health_technicians', 'doctors', 'nurses'
    )
"""
"""The rows of ``fct_indicator`` that ``MONTHLY`` makes: ten indicators of the monthly form, of units and regions."""

MONTHLY = """
    with report as (
        select
            p.subject_code, p.organization_key, p.period_start, p.period_end, o.region_code, o.class_group, o.ownership,
            o.class_code, m.visits_total, m.bed_days_occupied, m.bed_days_open, m.bed_days_of_discharged, m.discharges,
            m.revenue_outpatient_drug, m.revenue_inpatient_drug, m.revenue_medical, m.beds_actual, m.staff_technical,
            m.doctors, m.nurses
        from registry.report p
        left join registry.obligation due on due.report_id = p.report_id
        left join raw.hosp_monthly m on m.revision_id = p.current_revision_id
        left join star.dim_organization o on o.organization_key = p.organization_key
            and p.period_end >= o.applies_from and p.period_end < o.valid_to
        where p.form_code = 'hosp_monthly' and (p.current_revision_id is not null or due.report_id is not null)
    ),
    part as (
        select r.*, c.indicator_code, c.scale, c.is_ratio, c.numerator, c.denominator,
            c.is_ratio and (c.numerator is null or c.denominator is null) as is_half
        from report r
        cross join lateral (values
            ('total_visits', 1, false, r.visits_total::numeric, null::numeric),
            ('bed_occupancy_rate', 100, true, r.bed_days_occupied, r.bed_days_open),
            ('average_length_of_stay', 1, true, r.bed_days_of_discharged, r.discharges),
            ('drug_revenue_share', 100, true, (r.revenue_outpatient_drug + r.revenue_inpatient_drug) * 1000,
                r.revenue_medical * 1000),
            ('bed_turnover', 1, true, r.discharges, r.bed_days_open::numeric / (r.period_end - r.period_start + 1)),
            ('doctor_nurse_ratio', 1, true, r.nurses, r.doctors),
            ('beds_actual', 1, false, r.beds_actual, null),
            ('health_technicians', 1, false, r.staff_technical, null),
            ('doctors', 1, false, r.doctors, null),
            ('nurses', 1, false, r.nurses, null)
        ) as c (indicator_code, scale, is_ratio, numerator, denominator)
    ),
    computed as (
        select
            organization_key, 'organization' as subject_type, subject_code, region_code, indicator_code, 'all' as slice,
            period_start, period_end, case when not is_half then numerator end as numerator,
            case when not is_half then denominator end as denominator, scale, is_ratio, 1::bigint as reports_expected,
            (numerator is not null and not is_half)::int::bigint as reports_counted
        from part
        union all
        select
            null, 'region', place.region_code, place.region_code, indicator_code, slice.slice, period_start, period_end,
            sum(numerator) filter (where not is_half), sum(denominator) filter (where not is_half), scale, is_ratio,
            count(*), count(numerator) filter (where not is_half)
        from part
        cross join lateral (values (part.region_code), (left(part.region_code, 4) || '00')) as place (region_code)
        cross join lateral (values
            ('all', true), ('hospital', class_group = 'hospital'), ('primary_care', class_group = 'primary_care'),
            ('public_health', class_group = 'public_health' and indicator_code <> 'bed_turnover'),
            ('other', class_group = 'other' and indicator_code <> 'bed_turnover'),
            ('public_hospital', class_group = 'hospital' and ownership = 'public'),
            ('private_hospital', class_group = 'hospital' and ownership = 'private'),
            ('tcm_hospital', class_group = 'hospital' and class_code ~ '^A2' and indicator_code in (
                    'bed_occupancy_rate', 'average_length_of_stay', 'drug_revenue_share', 'bed_turnover'
                )),
            ('social_run', ownership = 'private' and class_code ~ '^[A-D]'
                and indicator_code in ('total_visits', 'beds_actual'))
        ) as slice (slice, holds)
        where slice.holds and part.region_code is not null
        group by place.region_code, indicator_code, slice.slice, period_start, period_end, scale, is_ratio
        having place.region_code not like '%00' or min(part.region_code) <> max(part.region_code)
    )
    select
        organization_key, subject_type, subject_code, region_code, indicator_code, slice, 'month' as period_type,
        period_start, period_end, numerator, denominator,
        case
            when is_ratio then trim_scale(round(numerator * scale / nullif(denominator, 0), 8))
            else numerator
        end as value,
        case
            when numerator is null or is_ratio and denominator is null then 'not_reported'
            when is_ratio and denominator = 0 then 'not_applicable'
            else 'computed'
        end as status,
        reports_expected, reports_counted
    from computed
"""

MART = """
    select
        f.indicator_code, i.name_zh, i.unit, f.region_code,
        case when f.subject_type = 'organization' then f.subject_code end as organization_code, f.slice, f.period_type,
        f.period_start, f.period_end, f.numerator, f.denominator, f.value, f.status, f.subject_type, f.subject_code,
        f.reports_expected, f.reports_counted,
        trim_scale(round((case i.interval_method
            when 'binomial' then s.low * i.scale
            when 'poisson' then c.low * i.scale / f.denominator::float8
        end)::numeric, 6)) as ci_low,
        trim_scale(round((case i.interval_method
            when 'binomial' then s.high * i.scale
            when 'poisson' then c.high * i.scale / f.denominator::float8
        end)::numeric, 6)) as ci_high,
        case when f.denominator is not null then nullif(concat_ws(
            ' ',
            case when f.numerator < 5 then 'numerator_under_5' end,
            case
                when f.denominator < case i.scale when 10000 then 1000 when 100000 then 100000 else 100 end
                    then 'denominator_small'
            end
        ), '') end as small_numbers,
        1 as release_from, 2147483647 as release_to
    from star.fct_indicator f
    join star.dim_indicator i on i.indicator_code = f.indicator_code
    left join lateral registry.proportion_limits(case
        when i.interval_method = 'binomial' and f.status = 'computed' then f.numerator
    end, f.denominator) as s on true
    left join lateral registry.count_limits(case
        when i.interval_method = 'poisson' and f.status = 'computed' then f.numerator
    end) as c on true
"""

COMPARISON = """
    select
        f.subject_code as organization_code, o.name_zh as organization_name_zh, f.region_code, o.class_group,
        peer.class as peer_class, f.indicator_code, i.name_zh, i.unit, f.period_type, f.period_start, f.period_end,
        f.numerator, f.denominator, f.value, count(*) over peers as peers,
        rank() over (peers order by f.value desc) as rank_from_highest,
        trim_scale(round((percent_rank() over (peers order by f.value))::numeric, 4)) as share_of_peers_below,
        trim_scale(round(case when f.denominator is not null then sum(f.numerator) over peers end
            * i.scale / nullif(sum(f.denominator) over peers, 0), 8)) as value_of_peers,
        case
            when f.indicator_code = 'bed_occupancy_rate' and f.value > 93 then 'above_93'
            when f.indicator_code = 'bed_occupancy_rate' and f.value < 60 then 'below_60'
        end as bed_use_alert,
        1 as release_from, 2147483647 as release_to
    from star.fct_indicator f
    join star.dim_indicator i on i.indicator_code = f.indicator_code
    left join star.dim_organization o on o.organization_key = f.organization_key
        and f.period_end >= o.applies_from and f.period_end < o.valid_to
    cross join lateral (
        values (case when o.class_group = 'hospital' then coalesce(o.level, '9') else left(o.class_code, 2) end)
    ) as peer (class)
    where f.subject_type = 'organization' and f.status = 'computed'
        and i.domain in ('hospital_services', 'resources_beds', 'resources_staff', 'finance', 'primary_care')
    window peers as (
        partition by left(f.region_code, 4), o.class_group, peer.class, f.indicator_code, f.period_type, f.period_start
    )
"""
