-- Grain: one row per target of a plan and year up to the target's own: where it stands and where it should.
{{ config(unique_key=['plan_code', 'figure_no', 'period_end'], meta={'scope': 'all'}) }}
with figure as (
    select
        printed.*,
        extract(year from printed.period_end)::int as target_year
    from {{ at_candidate(ref('dim_plan_figure')) }} as printed
    where printed.region_code is not null and printed.period_end is not null
),

-- The starting point: what the plan prints as baseline, the newest before the target's year.
baseline as (
    select distinct on (target.plan_code, target.figure_no)
        target.plan_code,
        target.figure_no,
        start.value as baseline_value,
        extract(year from start.period_end)::int as baseline_year
    from figure as target
    inner join figure as start
        on target.plan_code = start.plan_code
            and target.indicator_code = start.indicator_code
            and target.slice = start.slice
            and target.region_code = start.region_code
            and target.period_end > start.period_end
    where target.kind = 'target' and start.kind = 'baseline' and start.value is not null
    order by target.plan_code asc, target.figure_no asc, start.period_end desc
),

target as (
    select
        figure.*,
        plan.plan_type,
        indicator.name_zh,
        indicator.unit,
        indicator.scale,
        indicator.aggregation_class,
        baseline.baseline_value,
        coalesce(
            baseline.baseline_year,
            case when plan.plan_type = 'five_year_plan' then extract(year from plan.period_start)::int - 1 end,
            figure.target_year - 1
        ) as first_year,
        case
            when figure.operator in ('>=', '>', 'increase', 'increase_by') then 'up'
            when figure.operator in ('<=', '<', 'decrease') then 'down'
            when figure.value is null then null
            when figure.value < baseline.baseline_value then 'down'
            else 'up'
        end as direction
    from figure
    inner join {{ at_candidate(ref('dim_plan')) }} as plan
        on figure.plan_code = plan.plan_code
    inner join {{ at_candidate(ref('dim_indicator')) }} as indicator
        on figure.indicator_code = indicator.indicator_code
    left join baseline
        on figure.plan_code = baseline.plan_code and figure.figure_no = baseline.figure_no
    where figure.kind = 'target'
),

target_year as (
    select
        target.*,
        (target.period_start + make_interval(years => year.year - target.target_year))::date as year_start,
        (target.period_end + make_interval(years => year.year - target.target_year))::date as year_end,
        year.year,
        row_number() over (partition by target.plan_code, target.figure_no order by year.year) as year_no
    from target
    cross join lateral generate_series(target.first_year, target.target_year) as year (year)
),

measured as (
    select
        target_year.*,
        fct.numerator,
        fct.denominator,
        fct.value as computed,
        lag(fct.value) over per_target as computed_before,
        first_value(fct.value) over per_target as computed_first
    from target_year
    left join {{ at_candidate(ref('fct_indicator')) }} as fct
        on target_year.indicator_code = fct.indicator_code
            and fct.subject_type = 'region'
            and target_year.region_code = fct.subject_code
            and target_year.slice = fct.slice
            and target_year.period_type = fct.period_type
            and target_year.year_start = fct.period_start
    window per_target as (partition by target_year.plan_code, target_year.figure_no order by target_year.year)
),

-- What must be reached: a number, or last year's value moved by one.
goal as (
    select
        measured.*,
        case
            when measured.operator = 'increase_by' then measured.computed_before + measured.value
            when measured.operator in ('increase', 'decrease') then measured.computed_before
            else measured.value
        end as goal,
        coalesce(measured.baseline_value, measured.computed_first) as start_value
    from measured
),

placed as (
    select
        goal.*,
        case
            when goal.start_value is null or goal.value is null or goal.operator = 'increase_by' then null
            when goal.target_year = goal.first_year then goal.value
            else goal.start_value
                + (goal.value - goal.start_value) * (goal.year - goal.first_year) / (goal.target_year - goal.first_year)
        end as on_path,
        case
            when goal.operator in ('>', 'increase') then goal.computed > goal.goal
            when goal.operator in ('<', 'decrease') then goal.computed < goal.goal
            when goal.operator = 'about' then abs(goal.computed - goal.goal) <= abs(goal.goal) * 0.05
            when goal.direction = 'down' then goal.computed <= goal.goal
            else goal.computed >= goal.goal
        end as is_met,
        case
            when goal.operator = '>' then goal.baseline_value > goal.value
            when goal.operator = '<' then goal.baseline_value < goal.value
            when goal.direction = 'down' then goal.baseline_value <= goal.value
            else goal.baseline_value >= goal.value
        end as was_met_before,
        -- So few units that no whole number of them gives the share asked for.
        goal.operator = '=' and goal.aggregation_class = 'RS_END' and goal.denominator between 1 and 1000
        and abs(
            round(goal.value * goal.denominator / goal.scale) * goal.scale / goal.denominator - goal.value
        ) >= power(10::numeric, -goal.decimals) / 2 as is_unattainable
    from goal
)

select
    placed.plan_code,
    placed.figure_no,
    placed.indicator_code,
    placed.name_zh,
    placed.unit,
    placed.slice,
    placed.region_code,
    placed.period_type,
    placed.year_start as period_start,
    placed.year_end as period_end,
    placed.target_year,
    placed.operator,
    placed.value as target_value,
    placed.value_text as target_text,
    placed.direction,
    placed.obligation_class,
    placed.obligation_basis,
    placed.every_unit_of,
    placed.is_aspiration,
    placed.baseline_value,
    placed.numerator,
    placed.denominator,
    placed.computed as computed_value,
    trim_scale(placed.computed - placed.goal) as distance,
    trim_scale(round(placed.on_path, 4)) as path_value,
    coalesce(placed.was_met_before, false) as is_looser_than_baseline,
    case
        when placed.is_unattainable then 'unattainable'
        when placed.was_met_before then 'looser_than_baseline'
        when placed.computed is null or placed.goal is null then 'not_measured'
        when placed.is_met then 'met'
        when placed.on_path is null then 'behind'
        when placed.direction = 'down' and placed.computed <= placed.on_path then 'on_track'
        when placed.direction = 'up' and placed.computed >= placed.on_path then 'on_track'
        else 'behind'
    end as status,
    {{ release_columns() }}
from placed
