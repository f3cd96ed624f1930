-- Grain: one row per figure that a plan prints, beside what the reports say.
{{ config(unique_key=['plan_code', 'figure_no'], meta={'scope': 'all'}) }}
with figure as (
    select
        printed.*,
        -- A target, a standard quoted or a mere mention says nothing of what is.
        printed.kind in ('actual', 'baseline') as is_claim,
        power(10::numeric, -printed.decimals) as last_digit
    from {{ at_candidate(ref('dim_plan_figure')) }} as printed
),

indicator as (
    select
        dim_indicator.*,
        dim_indicator.aggregation_class in ('RS', 'RS_END', 'RS_MIX') as is_rate
    from {{ at_candidate(ref('dim_indicator')) }} as dim_indicator
),

-- Another value that the same plan prints for the same thing; one that only has fewer digits is the same.
other as (
    select
        figure.plan_code,
        figure.figure_no,
        string_agg(distinct trim_scale(twin.value)::text, '、') as values_printed,
        bool_and(
            round(twin.value, least(figure.decimals, twin.decimals))
            = round(figure.value, least(figure.decimals, twin.decimals))
        ) as is_same_rounded
    from figure
    inner join figure as twin
        on figure.plan_code = twin.plan_code
            and figure.indicator_code = twin.indicator_code
            and figure.slice = twin.slice
            and figure.region_code = twin.region_code
            and figure.period_end = twin.period_end
            and figure.operator in ('=', 'about')
            and twin.operator in ('=', 'about')
            and figure.value <> twin.value
            and (figure.is_claim and twin.is_claim or figure.kind = 'target' and twin.kind = 'target')
    group by figure.plan_code, figure.figure_no
),

-- A rate of the whole lies between the rates of its parts, whatever their weights.
between_parts as (
    select
        figure.plan_code,
        figure.figure_no,
        min(part.value) as lowest,
        max(part.value) as highest
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
            and indicator.is_rate
            and indicator.numerator = split_part(indicator.numerator, '{', 1)
    inner join {{ at_candidate(ref('dim_slice')) }} as slice
        on figure.slice = slice.parent_slice
    inner join figure as part
        on figure.plan_code = part.plan_code
            and figure.indicator_code = part.indicator_code
            and figure.region_code = part.region_code
            and figure.period_end = part.period_end
            and slice.slice = part.slice
            and part.is_claim
    where figure.is_claim
    group by figure.plan_code, figure.figure_no
    having count(*) > 1
),

-- A total is the sum of its parts, when the plan prints all of them.
sum_of_parts as (
    select
        figure.plan_code,
        figure.figure_no,
        sum(part.value) as total,
        string_agg(trim_scale(part.value)::text, ' + ' order by part.value desc) as addends
    from figure
    inner join {{ at_candidate(ref('bridge_indicator_sum')) }} as indicator_sum
        on figure.indicator_code = indicator_sum.indicator_code
    left join figure as part
        on indicator_sum.part_code = part.indicator_code
            and figure.plan_code = part.plan_code
            and figure.slice = part.slice
            and figure.region_code = part.region_code
            and figure.period_end = part.period_end
            and part.kind = 'actual'
    where figure.is_claim
    group by figure.plan_code, figure.figure_no
    having count(part.value) = count(*)
),

-- The population that a rate and its printed count imply; two of one year and region must overlap.
implied as (
    select
        rate.plan_code,
        rate.figure_no,
        rate.region_code,
        rate.period_end,
        indicator.denominator,
        ceil(counted.value * indicator.scale / (rate.value + rate.last_digit / 2)) as lowest,
        floor(counted.value * indicator.scale / (rate.value - rate.last_digit / 2)) as highest
    from figure as rate
    inner join indicator
        on rate.indicator_code = indicator.indicator_code
            and indicator.denominator like '%population%'
    inner join indicator as count_indicator
        on indicator.numerator in (count_indicator.indicator_code, count_indicator.numerator)
            and count_indicator.denominator is null
    inner join figure as counted
        on count_indicator.indicator_code = counted.indicator_code
            and rate.plan_code = counted.plan_code
            and rate.slice = counted.slice
            and rate.region_code = counted.region_code
            and rate.period_end = counted.period_end
            and counted.is_claim and counted.operator = '='
    where rate.is_claim and rate.operator = '=' and rate.value > rate.last_digit / 2
),

apart as (
    select
        one.plan_code,
        one.figure_no,
        format(
            '隐含人口 %s–%s，与其他指标隐含的 %s 不相容', max(one.lowest), max(one.highest),
            string_agg(distinct other.lowest || '–' || other.highest, '、')
        ) as reason
    from implied as one
    inner join implied as other
        on one.plan_code = other.plan_code
            and one.region_code = other.region_code
            and one.period_end = other.period_end
            and (one.lowest > other.highest or one.highest < other.lowest)
    group by one.plan_code, one.figure_no
),

-- What a plan prints for several years together is the sum of what is counted by year.
over_years as (
    select
        figure.plan_code,
        figure.figure_no,
        sum(fct.numerator) as numerator
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
            and indicator.aggregation_class in ('FL', 'CUM')
    inner join {{ at_candidate(ref('fct_indicator')) }} as fct
        on figure.indicator_code = fct.indicator_code
            and fct.subject_type = 'region'
            and figure.region_code = fct.subject_code
            and figure.slice = fct.slice
            and fct.period_type = 'year'
            and fct.period_start between figure.period_start and figure.period_end
            and fct.status = 'computed'
    where figure.period_type = 'plan' and figure.is_claim
    group by figure.plan_code, figure.figure_no, figure.period_start, figure.period_end
    having count(*) = extract(year from figure.period_end) - extract(year from figure.period_start) + 1
),

-- How many units a share is of is known before the year of a target.
units as (
    select distinct on (figure.plan_code, figure.figure_no)
        figure.plan_code,
        figure.figure_no,
        fct.denominator
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
            and indicator.aggregation_class = 'RS_END'
    inner join {{ at_candidate(ref('fct_indicator')) }} as fct
        on figure.indicator_code = fct.indicator_code
            and fct.subject_type = 'region'
            and figure.region_code = fct.subject_code
            and figure.slice = fct.slice
            and figure.period_type = fct.period_type
            and figure.period_start >= fct.period_start
    where figure.kind = 'target' and figure.operator = '=' and fct.denominator is not null
    order by figure.plan_code asc, figure.figure_no asc, fct.period_start desc
),

measured as (
    select
        figure.*,
        indicator.name_zh,
        indicator.unit,
        indicator.is_rate,
        indicator.aggregation_class,
        indicator.not_carried_reason,
        indicator.is_computed,
        other.values_printed,
        coalesce(other.is_same_rounded, false) as is_same_rounded,
        apart.reason as apart_reason,
        between_parts.lowest,
        between_parts.highest,
        sum_of_parts.total,
        sum_of_parts.addends,
        coalesce(fct.numerator, over_years.numerator) as numerator,
        fct.denominator,
        coalesce(fct.value, over_years.numerator) as computed,
        coalesce(fct.status, case when over_years.numerator is not null then 'computed' end) as computed_status,
        -- The whole number of events that comes nearest to the printed rate.
        round(figure.value * fct.denominator / indicator.scale) as nearest_count,
        indicator.scale,
        case when units.denominator between 1 and 1000 then units.denominator end as units,
        round(figure.value * units.denominator / indicator.scale) as nearest_units
    from figure
    inner join indicator
        on figure.indicator_code = indicator.indicator_code
    left join other
        on figure.plan_code = other.plan_code and figure.figure_no = other.figure_no
    left join between_parts
        on figure.plan_code = between_parts.plan_code and figure.figure_no = between_parts.figure_no
    left join sum_of_parts
        on figure.plan_code = sum_of_parts.plan_code and figure.figure_no = sum_of_parts.figure_no
    left join apart
        on figure.plan_code = apart.plan_code and figure.figure_no = apart.figure_no
    left join units
        on figure.plan_code = units.plan_code and figure.figure_no = units.figure_no
    left join over_years
        on figure.plan_code = over_years.plan_code and figure.figure_no = over_years.figure_no
    left join {{ at_candidate(ref('fct_indicator')) }} as fct
        on figure.indicator_code = fct.indicator_code
            and fct.subject_type = 'region'
            and figure.region_code = fct.subject_code
            and figure.slice = fct.slice
            and figure.period_type = fct.period_type
            and figure.period_start = fct.period_start
),

tested as (
    select
        measured.*,
        -- Printed by rounding or by cutting off, the printed digits leave no room for any whole number of events.
        -- A rate over few units hangs on which of them report, and is no proof.
        measured.is_rate and measured.is_claim and measured.aggregation_class <> 'RS_END'
        and measured.computed_status = 'computed'
        and measured.denominator > 0
        and measured.denominator = trunc(measured.denominator)
        and not exists (
            select
            from generate_series(greatest(measured.nearest_count - 1, 0), measured.nearest_count + 1) as event (count)
            where abs(event.count * measured.scale / measured.denominator - measured.value) < measured.last_digit
        ) as has_no_count,
        -- So few units that no whole number of them gives exactly the share asked for.
        abs(measured.nearest_units * measured.scale / measured.units - measured.value) >= measured.last_digit / 2
            as has_no_exact_share,
        -- A target that was reached or passed is no riddle any more.
        case
            when exists (
                    select from figure as start
                    where measured.plan_code = start.plan_code
                        and measured.indicator_code = start.indicator_code
                        and measured.slice = start.slice
                        and measured.region_code = start.region_code
                        and start.kind = 'baseline' and start.value > measured.value
                ) then measured.computed <= measured.value
            else measured.computed >= measured.value
        end as is_passed,
        measured.is_claim and (measured.value < measured.lowest or measured.value > measured.highest)
            as is_outside_parts,
        abs(measured.value - measured.total) > measured.last_digit / 2 as differs_from_sum,
        round(measured.computed, measured.decimals) as computed_rounded
    from measured
),

judged as (
    select
        tested.*,
        case
            when tested.region_code is null or tested.period_start is null then 'ambiguous'
            when tested.has_no_exact_share and tested.is_passed is not true then 'impossible'
            when not tested.is_claim and tested.kind = 'target' and tested.operator = 'text' then 'ambiguous'
            when not tested.is_claim and tested.values_printed is not null then 'conflict'
            when not tested.is_claim then 'no_claim'
            when tested.value is null then 'ambiguous'
            -- What no report could yield, whatever it says.
            when not tested.is_computed and tested.not_carried_reason is not null then 'impossible'
            when tested.is_outside_parts or tested.differs_from_sum or tested.has_no_count then 'impossible'
            when tested.operator in ('>=', '>', '<=', '<') and tested.computed is not null
                then
                    case
                        when tested.operator = '>=' and tested.computed >= tested.value then 'agrees'
                        when tested.operator = '>' and tested.computed > tested.value then 'agrees'
                        when tested.operator = '<=' and tested.computed <= tested.value then 'agrees'
                        when tested.operator = '<' and tested.computed < tested.value then 'agrees'
                        else 'conflict'
                    end
            when tested.computed_rounded = tested.value then 'agrees'
            when (tested.is_rate or tested.decimals > 0)
                and abs(tested.computed - tested.value) <= tested.last_digit * 1.0001 then 'rounding'
            when tested.operator = 'about' and abs(tested.computed / nullif(tested.value, 0) - 1) <= 0.05 then 'agrees'
            when tested.computed is not null then 'conflict'
            when tested.values_printed is not null and not tested.is_same_rounded then 'conflict'
            when tested.apart_reason is not null then 'conflict'
            else 'not_reported'
        end as verdict
    from tested
)

select
    judged.plan_code,
    judged.figure_no,
    judged.line_no,
    judged.indicator_code,
    judged.name_zh,
    judged.unit,
    judged.slice,
    judged.region_code,
    judged.kind,
    judged.operator,
    judged.value as printed_value,
    judged.decimals as printed_decimals,
    judged.values_printed as other_printed_values,
    judged.period_type,
    judged.period_start,
    judged.period_end,
    judged.numerator,
    judged.denominator,
    judged.computed as computed_value,
    judged.verdict,
    case judged.verdict
        when 'ambiguous'
            then
                case
                    when judged.region_code is null then '原文没有地区'
                    when judged.period_start is null then '原文没有年份'
                    else concat_ws('：', '原文没有数值', judged.value_text)
                end
        when 'impossible'
            then
                case
                    when not judged.is_claim
                        then format(
                                '%s 个单位中没有整数个能得出该比例，最近的是 %s 个', trim_scale(judged.units),
                                judged.nearest_units
                            )
                    when not judged.is_computed and judged.not_carried_reason is not null
                        then judged.not_carried_reason
                    when judged.is_outside_parts
                        then format(
                                '总率须介于分项率 %s 与 %s 之间', trim_scale(judged.lowest), trim_scale(judged.highest)
                            )
                    when judged.differs_from_sum then format('分项之和 %s = %s', judged.addends, trim_scale(judged.total))
                    else format(
                            '分母 %s 下没有整数分子能得出该值，最近的是 %s ÷ %s',
                            trim_scale(judged.denominator), judged.nearest_count, trim_scale(judged.denominator)
                        )
                end
        when 'rounding' then format('计算值 %s，末位之差', trim_scale(round(judged.computed, 4)))
        when 'conflict'
            then
                case
                    when judged.computed is null
                        then concat_ws('；', '同一文本另印 ' || judged.values_printed, judged.apart_reason)
                    else format(
                            '计算值 %s%s', trim_scale(round(judged.computed, 4)),
                            case
                                when judged.values_printed is not null then '；同一文本另印 ' || judged.values_printed else ''
                            end
                        )
                end
        when 'agrees'
            then
                case when judged.values_printed is not null then '同一文本另印 ' || judged.values_printed end
        when 'no_claim'
            then
                case
                    when judged.has_no_exact_share
                        then format(
                                '目标，见 mart_plan_progress；已达到，虽然 %s 个单位中没有整数个恰好得出该比例',
                                trim_scale(judged.units)
                            )
                    when judged.kind = 'target' then '目标，见 mart_plan_progress'
                    when judged.kind = 'reference' then '所引标准'
                    else '只提及'
                end
        when 'not_reported'
            then
                concat_ws(
                    '；',
                    case
                        when
                            judged.computed_status is null and judged.not_carried_reason is not null
                            then judged.not_carried_reason
                        when judged.computed_status is null and judged.is_computed then '没有收到该期的报表'
                        when judged.computed_status is null then '没有报表提供该指标'
                        else '报表不齐：' || judged.computed_status
                    end,
                    '同一文本另印 ' || judged.values_printed || '，舍入后相同'
                )
    end as reason,
    judged.quote,
    {{ release_columns() }}
from judged
