-- Question 5. Where the region stands against each binding (约束性) target: value, straight-line path, status, and
-- whether the target had been met before the plan began.
select
    progress.indicator_code,
    progress.name_zh,
    progress.operator,
    progress.target_value,
    progress.target_text,
    progress.baseline_value,
    progress.computed_value,
    progress.path_value,
    progress.distance,
    progress.status,
    progress.is_looser_than_baseline
from {{ published(ref('mart_plan_progress')) }} as progress
where progress.plan_code = '{{ var("plan", "longhu_13_5") }}' and progress.obligation_class = '约束性'
    and extract(year from progress.period_end) = {{ var("year", "2015") }}
order by progress.figure_no
