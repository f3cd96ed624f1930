-- Grain: one row per target of a plan and year up to the target's own: where it stands and where it should.
{{ config(unique_key=['plan_code', 'figure_no', 'period_end'], meta={'scope': 'all'}) }}
{#- Targets are few, and PostgreSQL guesses thousands: it would sort all indicators to merge them with these. -#}
{{ config(sql_header='set local enable_mergejoin = off;') }}
with recursive figure as (
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
        start.operator as baseline_operator,
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
        baseline.baseline_operator,
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

-- A target that must hold in every town, county or hospital is judged by each of them.
unit_target as (
    select
        target_year.plan_code,
        target_year.figure_no,
        target_year.year,
        target_year.every_unit_of,
        target_year.indicator_code,
        target_year.slice,
        target_year.period_type,
        target_year.year_start,
        target_year.year_end,
        target_year.direction,
        target_year.operator,
        target_year.value,
        target_year.region_code
    from target_year
    where target_year.every_unit_of is not null
),

superior as (
    select
        region.region_code,
        region.parent_code,
        region.applies_from,
        region.valid_to
    from {{ at_candidate(ref('dim_region')) }} as region
    where region.parent_code is not null
    union all
    -- Of a region that no list has, only its code says what it lies in.
    select
        region.region_code,
        above.region_code as parent_code,
        region.applies_from,
        region.valid_to
    from {{ at_candidate(ref('dim_region')) }} as region
    cross join
        lateral (
            values
            (left(region.region_code, 6)),
            (left(region.region_code, 4) || '00'),
            (left(region.region_code, 2) || '0000')
        ) as above (region_code)
    where region.level = 'unknown' and region.region_code <> above.region_code
),

-- The region of a target and all that lies in it at the year's end.
inside as (
    select
        unit_target.region_code as whole_code,
        unit_target.year_end,
        unit_target.region_code
    from unit_target
    union
    select
        inside.whole_code,
        inside.year_end,
        superior.region_code
    from inside
    inner join superior
        on inside.region_code = superior.parent_code
            and inside.year_end >= superior.applies_from
            and inside.year_end < superior.valid_to
),

unit_value as (
    select
        unit_target.plan_code,
        unit_target.figure_no,
        unit_target.year,
        fct.subject_code,
        fct.value,
        case
            when unit_target.operator = '>' then fct.value > unit_target.value
            when unit_target.operator = '<' then fct.value < unit_target.value
            when unit_target.direction = 'down' then fct.value <= unit_target.value
            else fct.value >= unit_target.value
        end as is_met,
        row_number() over (
            partition by unit_target.plan_code, unit_target.figure_no, unit_target.year
            order by
                case when unit_target.direction = 'down' then -fct.value else fct.value end nulls last, fct.subject_code
        ) as rank_from_worst
    from unit_target
    inner join inside
        on unit_target.region_code = inside.whole_code and unit_target.year_end = inside.year_end
    inner join {{ at_candidate(ref('fct_indicator')) }} as fct
        on unit_target.indicator_code = fct.indicator_code
            and unit_target.slice = fct.slice
            and unit_target.period_type = fct.period_type
            and unit_target.year_start = fct.period_start
            and inside.region_code = fct.region_code
            and case unit_target.every_unit_of
                when 'township' then fct.subject_type = 'region' and length(fct.subject_code) = 9
                when 'county'
                    then fct.subject_type = 'region'
                        and length(fct.subject_code) = 6
                        and fct.subject_code not like '%00'
                else fct.subject_type = 'organization'
            end
    -- Towns and counties are those of the map; hospitals are those that report or should.
    where fct.value is not null or (fct.subject_type = 'organization' and fct.status = 'not_reported')
),

unit_listed as (
    select
        unit_target.plan_code,
        unit_target.figure_no,
        unit_target.year,
        count(*) as units
    from unit_target
    inner join inside
        on unit_target.region_code = inside.whole_code and unit_target.year_end = inside.year_end
    inner join {{ at_candidate(ref('dim_region')) }} as region
        on inside.region_code = region.region_code
            and unit_target.every_unit_of = region.level
            and unit_target.year_end >= region.valid_from
            and unit_target.year_end < region.valid_to
            -- What its district counts already is no county of its own.
            and not region.is_counted_inside
    group by unit_target.plan_code, unit_target.figure_no, unit_target.year
),

in_every_unit as (
    select
        unit_target.plan_code,
        unit_target.figure_no,
        unit_target.year,
        greatest(max(unit_listed.units), count(unit_value.subject_code)) as units_expected,
        count(unit_value.value) as units_measured,
        count(*) filter (where unit_value.is_met) as units_meeting,
        max(unit_value.subject_code) filter (where unit_value.rank_from_worst = 1) as worst_unit,
        max(unit_value.value) filter (where unit_value.rank_from_worst = 1) as worst_value
    from unit_target
    left join unit_value
        on unit_target.plan_code = unit_value.plan_code
            and unit_target.figure_no = unit_value.figure_no
            and unit_target.year = unit_value.year
    left join unit_listed
        on unit_target.plan_code = unit_listed.plan_code
            and unit_target.figure_no = unit_listed.figure_no
            and unit_target.year = unit_listed.year
    group by unit_target.plan_code, unit_target.figure_no, unit_target.year
),

measured as (
    select
        target_year.*,
        in_every_unit.units_expected,
        in_every_unit.units_measured,
        in_every_unit.units_meeting,
        in_every_unit.worst_unit,
        fct.numerator,
        fct.denominator,
        -- How many units there are is known before the year of the target.
        max(fct.denominator) over per_target as latest_denominator,
        case when target_year.every_unit_of is not null then in_every_unit.worst_value else fct.value end as computed,
        lag(fct.value) over per_target as computed_before,
        first_value(fct.value) over per_target as computed_first
    from target_year
    left join in_every_unit
        on target_year.plan_code = in_every_unit.plan_code
            and target_year.figure_no = in_every_unit.figure_no
            and target_year.year = in_every_unit.year
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
            when goal.every_unit_of is not null
                then goal.units_measured > 0 and goal.units_meeting = goal.units_expected
            when goal.operator in ('>', 'increase') then goal.computed > goal.goal
            when goal.operator in ('<', 'decrease') then goal.computed < goal.goal
            -- About is a twentieth either way; beyond it on the better side is met, too.
            when goal.operator = 'about' and goal.direction = 'down'
                then goal.computed <= goal.goal + abs(goal.goal) * 0.05
            when goal.operator = 'about' then goal.computed >= goal.goal - abs(goal.goal) * 0.05
            when goal.direction = 'down' then goal.computed <= goal.goal
            else goal.computed >= goal.goal
        end as is_met,
        case
            -- A baseline that is itself printed as "> 95" meets a target of more than 95.
            when goal.operator in ('>', '<') and goal.baseline_value = goal.value
                then goal.baseline_operator in (goal.operator, goal.operator || '=')
            when goal.operator = '>' then goal.baseline_value > goal.value
            when goal.operator = '<' then goal.baseline_value < goal.value
            when goal.direction = 'down' then goal.baseline_value <= goal.value
            else goal.baseline_value >= goal.value
        end as was_met_before,
        goal.computed is not null and goal.goal is not null
        -- All that reported meet it, and some did not report: not known yet.
        and coalesce(goal.units_meeting < goal.units_measured or goal.units_measured = goal.units_expected, true)
            as is_measured,
        -- A share of a few units that they would not reach all together.
        goal.aggregation_class = 'RS_END' and goal.unit = '%' and goal.latest_denominator between 1 and 1000
        and case
            when goal.operator = '>' then goal.value >= goal.scale
            when goal.operator = '<' then goal.value <= 0
            when goal.operator not in ('=', 'about', '>=', '<=') then false
            when goal.direction = 'down' then goal.value < 0
            else goal.value > goal.scale
        end as is_unattainable
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
    placed.units_expected,
    placed.units_measured,
    placed.units_meeting,
    placed.worst_unit,
    placed.is_aspiration,
    placed.baseline_value,
    placed.numerator,
    placed.denominator,
    placed.computed as computed_value,
    trim_scale(placed.computed - placed.goal) as distance,
    trim_scale(round(placed.on_path, 4)) as path_value,
    coalesce(placed.was_met_before, false) as is_looser_than_baseline,
    case
        when placed.is_measured and placed.is_met and not coalesce(placed.was_met_before, false) then 'met'
        when placed.is_unattainable then 'unattainable'
        -- What falls short of a target that asked for no step is behind all the same.
        when placed.was_met_before and (placed.is_met or not placed.is_measured) then 'looser_than_baseline'
        when not placed.is_measured then 'not_measured'
        when placed.on_path is null then 'behind'
        when placed.direction = 'down' and placed.computed <= placed.on_path then 'on_track'
        when placed.direction = 'up' and placed.computed >= placed.on_path then 'on_track'
        else 'behind'
    end as status,
    {{ release_columns() }}
from placed
