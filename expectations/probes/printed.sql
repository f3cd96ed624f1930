-- What mart_plan_contradiction finds in the figures that plans print.
select
    found.kind,
    null::text as item,
    null::bigint as looked,
    'region' as subject_type,
    found.region_code as subject_code,
    found.indicator_code,
    found.slice,
    found.period_type,
    found.period_start,
    found.plan_code || '#' || found.figure_no || coalesce('~' || nullif(found.cause, ''), '') as place,
    found.score,
    found.printed_value as observed,
    found.expected_value as expected,
    found.denominator,
    found.cause,
    jsonb_build_object(
        'plan', found.plan_code, 'figure', found.figure_no, 'line', found.line_no, 'quote', left(found.quote, 200)
    ) as detail
from candidate.mart_plan_contradiction as found
union all
select null, null, count(*), null, null, null, null, null, null, null, null, null, null, null, null, null
from candidate.dim_plan_figure
