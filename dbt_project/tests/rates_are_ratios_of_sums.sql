-- No rate is a mean of rates: every value is its numerator over its denominator, and both parts are sums: those of a
-- prefecture or province of its counties', in every slice, and those of a county of its units' (unless it, or a region
-- that it is made of, filed a report of its own).
with rate as (
    select
        fct.*,
        indicator.scale,
        fct.subject_type = 'region' and fct.subject_code like '%00' as is_above_counties,
        fct.subject_type = 'region' and fct.slice = 'all' and indicator.by_organization
        and length(fct.subject_code) = 6 and fct.subject_code not like '%00' as is_above_units
    from {{ at_candidate(ref('fct_indicator')) }} as fct
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on fct.indicator_code = indicator.indicator_code
    where {{ changed_period('fct') }} and fct.status = 'computed' and fct.denominator is not null
),

-- Asked once a region and period, not once a rate.
above_counties as (
    select distinct
        subject_code,
        period_start,
        period_end,
        case when subject_code like '%0000' then left(subject_code, 2) else left(subject_code, 4) end || '%'
            as code_pattern
    from rate
    where is_above_counties
),

made_of_counties as (
    select
        above.subject_code,
        above.period_start,
        above.period_end
    from above_counties as above
    where not exists (
            select from {{ at_candidate(ref('dim_report')) }} as own
            where own.subject_type = 'region' and own.subject_code like above.code_pattern
                and own.subject_code like '%00'
                and own.period_start <= above.period_end and own.period_end >= above.period_start
        )
        -- What lies in the prefecture itself is in none of its counties.
        and not exists (
            select from {{ at_candidate(ref('dim_organization')) }} as unit
            where unit.region_code like above.code_pattern and unit.region_code like '%00'
        )
),

of_counties as (
    select
        above.subject_code,
        county.indicator_code,
        county.slice,
        county.period_type,
        county.period_start,
        county.period_end,
        sum(county.numerator) as numerator,
        sum(county.denominator) as denominator,
        -- A county without a unit of the slice has no row of it, but a part in the whole that a share is taken of.
        count(*) = coalesce(sum(count(*)) filter (where county.slice = 'all') over (
            partition by
                above.subject_code, county.indicator_code, county.period_type, county.period_start, county.period_end
        ), 0) as has_every_county
    from {{ at_candidate(ref('fct_indicator')) }} as county
    left join {{ at_candidate(ref('dim_region')) }} as place
        on county.subject_code = place.region_code
            and county.period_end >= place.applies_from
            and county.period_end < place.valid_to
    left join {{ at_candidate(ref('dim_region')) }} as prefecture
        on place.parent_code = prefecture.region_code
            and county.period_end >= prefecture.applies_from
            and county.period_end < prefecture.valid_to
    cross join
        lateral (
            values
            (coalesce(place.parent_code, left(county.subject_code, 4) || '00')),
            (coalesce(prefecture.parent_code, left(county.subject_code, 2) || '0000'))
        ) as above (subject_code)
    where {{ changed_period('county') }}
        and county.subject_type = 'region'
        and length(county.subject_code) = 6 and county.subject_code not like '%00'
        -- What its district counts already goes no further, and what lies in a district is in its number.
        and not coalesce(place.is_counted_inside, false)
        and coalesce(place.parent_code, '00') like '%00'
    group by
        above.subject_code, county.indicator_code, county.slice, county.period_type, county.period_start,
        county.period_end
),

-- Of which indicators a region of the county has a number that is no unit's.
filed as (
    select distinct
        left(own.subject_code, 6) as subject_code,
        part.indicator_code,
        part.period_type
    from {{ at_candidate(ref('dim_report')) }} as own
    inner join {{ at_candidate(ref('bridge_indicator_part')) }} as part
        on own.form_code = part.form_code
    where own.subject_type = 'region'
),

-- Counties that some region lies in, or does not, otherwise than its code says: both of each.
elsewhere as (
    select county.subject_code
    from {{ at_candidate(ref('dim_region')) }} as region
    cross join lateral (values (region.parent_code), (left(region.region_code, 6))) as county (subject_code)
    where region.parent_code not like '%00' and region.parent_code <> left(region.region_code, 6)
),

-- A unit that moved to another county counts in both within one year.
moved as (
    select
        left(place.region_code, 6) as subject_code,
        change.valid_from
    from (
        select
            unit.valid_from,
            unit.region_code,
            lag(unit.region_code) over (partition by unit.organization_key order by unit.valid_from) as region_before
        from {{ at_candidate(ref('dim_organization')) }} as unit
    ) as change
    cross join lateral (values (change.region_code), (change.region_before)) as place (region_code)
    where left(change.region_code, 6) <> left(change.region_before, 6)
),

of_units as (
    select
        left(unit.region_code, 6) as subject_code,
        unit.indicator_code,
        unit.period_type,
        unit.period_start,
        unit.period_end,
        sum(unit.numerator) as numerator,
        sum(unit.denominator) as denominator
    from {{ at_candidate(ref('fct_indicator')) }} as unit
    where {{ changed_period('unit') }} and unit.subject_type = 'organization' and unit.slice = 'all'
    group by left(unit.region_code, 6), unit.indicator_code, unit.period_type, unit.period_start, unit.period_end
)

select
    rate.indicator_code,
    rate.subject_code,
    rate.slice,
    rate.period_start,
    rate.value,
    rate.numerator,
    rate.denominator
from rate
left join made_of_counties
    on rate.is_above_counties
        and rate.subject_code = made_of_counties.subject_code
        and rate.period_start = made_of_counties.period_start
        and rate.period_end = made_of_counties.period_end
left join of_counties
    on made_of_counties.subject_code = of_counties.subject_code
        and rate.indicator_code = of_counties.indicator_code
        and rate.slice = of_counties.slice
        and rate.period_type = of_counties.period_type
        and rate.period_start = of_counties.period_start
        -- Quarters that run since 1 January begin on one day.
        and rate.period_end = of_counties.period_end
left join of_units
    on rate.is_above_units
        and rate.subject_code = of_units.subject_code
        and rate.indicator_code = of_units.indicator_code
        and rate.period_type = of_units.period_type
        and rate.period_start = of_units.period_start
        and rate.period_end = of_units.period_end
        and not exists (
            select from filed
            where filed.subject_code = rate.subject_code and filed.indicator_code = rate.indicator_code
                and filed.period_type = rate.period_type
        )
        and rate.subject_code not in (select elsewhere.subject_code from elsewhere)
        and not exists (
            select from moved
            where moved.subject_code = rate.subject_code
                and moved.valid_from between rate.period_start and rate.period_end
        )
where abs(rate.value - rate.numerator * rate.scale / rate.denominator) > 0.00000001
    or rate.numerator <> of_counties.numerator
    or (of_counties.has_every_county and rate.denominator <> of_counties.denominator)
    or rate.numerator <> of_units.numerator
    or rate.denominator <> of_units.denominator
