-- Question 14. If a report is withdrawn, which published indicators of its region change, and what would be left of
-- their numerators? From the catalogue: field -> part of indicator.
with withdrawn as (
    select
        value.form_code,
        value.field_code,
        value.breakdown,
        value.period_type,
        value.period_start,
        value.period_end,
        coalesce(value.region_code, value.subject_code) as region_code,
        value.value
    from {{ published(ref('fct_reported_value')) }} as value
    where value.form_code = '{{ var("form", "hosp_monthly") }}' and value.subject_code = '{{ var("unit", "LH-H02") }}'
        and value.period_start = date '{{ var("month", "2015-03-01") }}'
)

select
    fact.indicator_code,
    fact.slice,
    fact.period_type,
    fact.period_start,
    max(fact.numerator) as numerator,
    max(fact.numerator) - coalesce(sum(withdrawn.value * part.coefficient) filter (
        where part.part = 'numerator'
    ), 0) as numerator_without
from withdrawn
inner join {{ published(ref('bridge_indicator_part')) }} as part
    on withdrawn.form_code = part.form_code
        and withdrawn.field_code = part.field_code
        and withdrawn.breakdown like part.breakdown
        and part.condition = ''
        and (
            withdrawn.period_type = part.period_type
            or (part.period_type = 'year' and (
                part.over_time = 'sum' or to_char(withdrawn.period_end, 'MM-DD') = '12-31'
            ))
        )
inner join {{ published(ref('fct_indicator')) }} as fact
    on part.indicator_code = fact.indicator_code
        and part.period_type = fact.period_type
        and fact.subject_type = 'region'
        and withdrawn.region_code = fact.subject_code
        and withdrawn.period_start between fact.period_start and fact.period_end
        and fact.slice = 'all' and fact.status = 'computed'
group by fact.indicator_code, fact.slice, fact.period_type, fact.period_start
order by fact.indicator_code, fact.period_type
